build2/bundler/parity.o: bundler/parity.c bundler/parity.h \
 common/format.h common/status.h
bundler/parity.h:
common/format.h:
common/status.h:
