build2/static/common/cache.o: common/cache.c common/cache.h \
 common/arena.h common/format.h common/status.h
common/cache.h:
common/arena.h:
common/format.h:
common/status.h:
