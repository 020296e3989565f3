build2/static/common/index.o: common/index.c common/index.h \
 common/format.h common/arena.h common/bytes.h common/path.h \
 common/seal.h common/squeeze.h common/status.h
common/index.h:
common/format.h:
common/arena.h:
common/bytes.h:
common/path.h:
common/seal.h:
common/squeeze.h:
common/status.h:
