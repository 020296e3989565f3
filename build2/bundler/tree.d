build2/bundler/tree.o: bundler/tree.c bundler/tree.h common/format.h \
 common/bytes.h common/status.h
bundler/tree.h:
common/format.h:
common/bytes.h:
common/status.h:
