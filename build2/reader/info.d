build2/reader/info.o: reader/info.c common/arena.h common/bytes.h \
 common/diag.h common/pages.h common/format.h common/publisher.h \
 common/status.h reader/out.h reader/session.h common/bundle.h \
 common/header.h common/kdf.h reader/options.h reader/verbs.h
common/arena.h:
common/bytes.h:
common/diag.h:
common/pages.h:
common/format.h:
common/publisher.h:
common/status.h:
reader/out.h:
reader/session.h:
common/bundle.h:
common/header.h:
common/kdf.h:
reader/options.h:
reader/verbs.h:
