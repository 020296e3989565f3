build2/static/common/landlock.o: common/landlock.c common/landlock.h
common/landlock.h:
