build2/reader/place.o: reader/place.c reader/place.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 common/arena.h common/bytes.h common/diag.h common/outfile.h \
 common/path.h common/status.h reader/session.h reader/options.h \
 common/publisher.h
reader/place.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/arena.h:
common/bytes.h:
common/diag.h:
common/outfile.h:
common/path.h:
common/status.h:
reader/session.h:
reader/options.h:
common/publisher.h:
