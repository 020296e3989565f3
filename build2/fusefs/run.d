build2/fusefs/run.o: fusefs/run.c fusefs/run.h common/diag.h \
 fusefs/options.h common/format.h common/header.h common/kdf.h \
 common/publisher.h
fusefs/run.h:
common/diag.h:
fusefs/options.h:
common/format.h:
common/header.h:
common/kdf.h:
common/publisher.h:
