build2/reader/ranges.o: reader/ranges.c reader/ranges.h common/bytes.h
reader/ranges.h:
common/bytes.h:
