build2/static/reader/renew.o: reader/renew.c reader/renew.h \
 reader/ranges.h common/bundle.h common/format.h common/header.h \
 common/kdf.h common/pages.h common/bytes.h common/diag.h \
 common/outfile.h common/progress.h common/source.h common/status.h \
 reader/session.h reader/options.h common/publisher.h reader/verdict.h
reader/renew.h:
reader/ranges.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/bytes.h:
common/diag.h:
common/outfile.h:
common/progress.h:
common/source.h:
common/status.h:
reader/session.h:
reader/options.h:
common/publisher.h:
reader/verdict.h:
