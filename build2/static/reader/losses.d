build2/static/reader/losses.o: reader/losses.c reader/losses.h \
 reader/out.h reader/ranges.h reader/walk.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 common/arena.h common/bytes.h common/diag.h common/status.h \
 reader/session.h reader/options.h common/publisher.h reader/verdict.h
reader/losses.h:
reader/out.h:
reader/ranges.h:
reader/walk.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/arena.h:
common/bytes.h:
common/diag.h:
common/status.h:
reader/session.h:
reader/options.h:
common/publisher.h:
reader/verdict.h:
