build2/reader/extract.o: reader/extract.c common/arena.h common/bytes.h \
 common/diag.h common/progress.h common/status.h reader/out.h \
 reader/place.h common/bundle.h common/format.h common/header.h \
 common/kdf.h common/pages.h reader/pool.h reader/session.h \
 reader/options.h common/publisher.h reader/verbs.h reader/walk.h
common/arena.h:
common/bytes.h:
common/diag.h:
common/progress.h:
common/status.h:
reader/out.h:
reader/place.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
reader/pool.h:
reader/session.h:
reader/options.h:
common/publisher.h:
reader/verbs.h:
reader/walk.h:
