build2/static/reader/glob.o: reader/glob.c reader/glob.h common/path.h
reader/glob.h:
common/path.h:
