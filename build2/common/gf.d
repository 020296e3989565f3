build2/common/gf.o: common/gf.c common/gf.h
common/gf.h:
