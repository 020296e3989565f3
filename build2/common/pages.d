build2/common/pages.o: common/pages.c common/pages.h common/format.h \
 common/arena.h common/bytes.h common/repair.h common/seal.h \
 common/source.h common/status.h
common/pages.h:
common/format.h:
common/arena.h:
common/bytes.h:
common/repair.h:
common/seal.h:
common/source.h:
common/status.h:
