build2/reader/legacy.o: reader/legacy.c
