build2/static/common/diag.o: common/diag.c common/diag.h common/arena.h \
 common/path.h common/status.h
common/diag.h:
common/arena.h:
common/path.h:
common/status.h:
