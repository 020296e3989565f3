build2/fusefs/options.o: fusefs/options.c fusefs/options.h \
 common/format.h common/header.h common/kdf.h common/publisher.h \
 common/diag.h
fusefs/options.h:
common/format.h:
common/header.h:
common/kdf.h:
common/publisher.h:
common/diag.h:
