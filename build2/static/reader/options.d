build2/static/reader/options.o: reader/options.c reader/options.h \
 common/format.h common/header.h common/kdf.h common/publisher.h \
 common/diag.h
reader/options.h:
common/format.h:
common/header.h:
common/kdf.h:
common/publisher.h:
common/diag.h:
