build2/common/source.o: common/source.c common/source.h common/bytes.h \
 common/status.h
common/source.h:
common/bytes.h:
common/status.h:
