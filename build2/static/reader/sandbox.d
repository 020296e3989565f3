build2/static/reader/sandbox.o: reader/sandbox.c reader/sandbox.h \
 common/landlock.h
reader/sandbox.h:
common/landlock.h:
