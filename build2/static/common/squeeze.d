build2/static/common/squeeze.o: common/squeeze.c common/squeeze.h \
 common/arena.h common/bytes.h common/format.h common/status.h
common/squeeze.h:
common/arena.h:
common/bytes.h:
common/format.h:
common/status.h:
