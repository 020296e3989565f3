build2/static/reader/pool.o: reader/pool.c reader/pool.h reader/session.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h reader/options.h common/publisher.h
reader/pool.h:
reader/session.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
reader/options.h:
common/publisher.h:
