build2/common/outfile.o: common/outfile.c common/outfile.h common/bytes.h \
 common/source.h common/status.h
common/outfile.h:
common/bytes.h:
common/source.h:
common/status.h:
