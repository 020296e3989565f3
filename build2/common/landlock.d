build2/common/landlock.o: common/landlock.c common/landlock.h
common/landlock.h:
