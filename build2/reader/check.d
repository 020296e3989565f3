build2/reader/check.o: reader/check.c reader/check.h common/arena.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h common/path.h common/status.h
reader/check.h:
common/arena.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/path.h:
common/status.h:
