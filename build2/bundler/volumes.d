build2/bundler/volumes.o: bundler/volumes.c bundler/volumes.h \
 bundler/layout.h common/format.h bundler/stage.h bundler/tree.h \
 common/bytes.h common/status.h
bundler/volumes.h:
bundler/layout.h:
common/format.h:
bundler/stage.h:
bundler/tree.h:
common/bytes.h:
common/status.h:
