build2/bundler/check.o: bundler/check.c bundler/check.h common/bytes.h \
 common/status.h
bundler/check.h:
common/bytes.h:
common/status.h:
