build2/fusefs/supervisor.o: fusefs/supervisor.c fusefs/supervisor.h \
 common/diag.h fusefs/mountpoint.h fusefs/options.h common/format.h \
 common/header.h common/kdf.h common/publisher.h
fusefs/supervisor.h:
common/diag.h:
fusefs/mountpoint.h:
fusefs/options.h:
common/format.h:
common/header.h:
common/kdf.h:
common/publisher.h:
