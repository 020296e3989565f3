build2/static/reader/verify.o: reader/verify.c common/diag.h \
 common/progress.h common/status.h reader/examine.h reader/ranges.h \
 reader/losses.h reader/out.h reader/walk.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 reader/session.h reader/options.h common/publisher.h reader/verbs.h \
 reader/verdict.h
common/diag.h:
common/progress.h:
common/status.h:
reader/examine.h:
reader/ranges.h:
reader/losses.h:
reader/out.h:
reader/walk.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
reader/session.h:
reader/options.h:
common/publisher.h:
reader/verbs.h:
reader/verdict.h:
