build2/bundler/minisign.o: bundler/minisign.c bundler/minisign.h \
 common/format.h common/bytes.h common/status.h
bundler/minisign.h:
common/format.h:
common/bytes.h:
common/status.h:
