build2/reader/repair.o: reader/repair.c common/bytes.h common/diag.h \
 common/pages.h common/format.h common/progress.h common/source.h \
 common/status.h reader/examine.h reader/ranges.h reader/losses.h \
 reader/out.h reader/walk.h common/bundle.h common/header.h common/kdf.h \
 reader/renew.h reader/session.h reader/options.h common/publisher.h \
 reader/verbs.h reader/verdict.h
common/bytes.h:
common/diag.h:
common/pages.h:
common/format.h:
common/progress.h:
common/source.h:
common/status.h:
reader/examine.h:
reader/ranges.h:
reader/losses.h:
reader/out.h:
reader/walk.h:
common/bundle.h:
common/header.h:
common/kdf.h:
reader/renew.h:
reader/session.h:
reader/options.h:
common/publisher.h:
reader/verbs.h:
reader/verdict.h:
