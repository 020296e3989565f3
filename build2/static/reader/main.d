build2/static/reader/main.o: reader/main.c common/arena.h common/diag.h \
 common/status.h reader/verbs.h reader/options.h common/format.h \
 common/header.h common/kdf.h common/publisher.h
common/arena.h:
common/diag.h:
common/status.h:
reader/verbs.h:
reader/options.h:
common/format.h:
common/header.h:
common/kdf.h:
common/publisher.h:
