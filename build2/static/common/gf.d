build2/static/common/gf.o: common/gf.c common/gf.h
common/gf.h:
