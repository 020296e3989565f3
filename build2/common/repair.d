build2/common/repair.o: common/repair.c common/repair.h common/format.h \
 common/arena.h common/gf.h common/pages.h common/status.h
common/repair.h:
common/format.h:
common/arena.h:
common/gf.h:
common/pages.h:
common/status.h:
