build2/common/path.o: common/path.c common/path.h
common/path.h:
