build2/static/reader/walk.o: reader/walk.c reader/walk.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 common/arena.h common/diag.h common/status.h reader/glob.h \
 reader/session.h reader/options.h common/publisher.h
reader/walk.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/arena.h:
common/diag.h:
common/status.h:
reader/glob.h:
reader/session.h:
reader/options.h:
common/publisher.h:
