build2/static/common/arena.o: common/arena.c common/arena.h \
 common/status.h
common/arena.h:
common/status.h:
