build2/bundler/origin.o: bundler/origin.c bundler/origin.h bundler/tree.h \
 common/format.h common/bytes.h common/status.h
bundler/origin.h:
bundler/tree.h:
common/format.h:
common/bytes.h:
common/status.h:
