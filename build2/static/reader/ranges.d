build2/static/reader/ranges.o: reader/ranges.c reader/ranges.h \
 common/bytes.h
reader/ranges.h:
common/bytes.h:
