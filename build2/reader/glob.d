build2/reader/glob.o: reader/glob.c reader/glob.h common/path.h
reader/glob.h:
common/path.h:
