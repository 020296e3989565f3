build2/static/reader/legacy.o: reader/legacy.c
