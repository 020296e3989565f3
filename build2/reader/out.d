build2/reader/out.o: reader/out.c reader/out.h common/arena.h \
 common/diag.h common/path.h common/status.h
reader/out.h:
common/arena.h:
common/diag.h:
common/path.h:
common/status.h:
