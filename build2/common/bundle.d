build2/common/bundle.o: common/bundle.c common/bundle.h common/format.h \
 common/header.h common/kdf.h common/pages.h common/arena.h \
 common/bytes.h common/cache.h common/index.h common/path.h \
 common/repair.h common/seal.h common/source.h common/squeeze.h \
 common/status.h
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/arena.h:
common/bytes.h:
common/cache.h:
common/index.h:
common/path.h:
common/repair.h:
common/seal.h:
common/source.h:
common/squeeze.h:
common/status.h:
