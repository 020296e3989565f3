build2/reader/verdict.o: reader/verdict.c reader/verdict.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h common/bytes.h common/publisher.h common/status.h \
 reader/out.h reader/session.h reader/options.h
reader/verdict.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/bytes.h:
common/publisher.h:
common/status.h:
reader/out.h:
reader/session.h:
reader/options.h:
