build2/reader/sandbox.o: reader/sandbox.c reader/sandbox.h \
 common/landlock.h
reader/sandbox.h:
common/landlock.h:
