build2/static/reader/examine.o: reader/examine.c reader/examine.h \
 reader/ranges.h common/arena.h common/bytes.h common/diag.h \
 common/pages.h common/format.h common/progress.h common/status.h \
 reader/check.h reader/pool.h reader/session.h common/bundle.h \
 common/header.h common/kdf.h reader/options.h common/publisher.h \
 reader/verdict.h
reader/examine.h:
reader/ranges.h:
common/arena.h:
common/bytes.h:
common/diag.h:
common/pages.h:
common/format.h:
common/progress.h:
common/status.h:
reader/check.h:
reader/pool.h:
reader/session.h:
common/bundle.h:
common/header.h:
common/kdf.h:
reader/options.h:
common/publisher.h:
reader/verdict.h:
