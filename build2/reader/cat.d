build2/reader/cat.o: reader/cat.c common/arena.h common/bytes.h \
 common/diag.h common/status.h reader/out.h reader/session.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h reader/options.h common/publisher.h reader/verbs.h \
 reader/walk.h
common/arena.h:
common/bytes.h:
common/diag.h:
common/status.h:
reader/out.h:
reader/session.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
reader/options.h:
common/publisher.h:
reader/verbs.h:
reader/walk.h:
