build2/bundler/layout.o: bundler/layout.c bundler/layout.h \
 common/format.h common/bytes.h common/status.h
bundler/layout.h:
common/format.h:
common/bytes.h:
common/status.h:
