build2/common/format.o: common/format.c common/format.h common/bytes.h \
 common/path.h common/status.h
common/format.h:
common/bytes.h:
common/path.h:
common/status.h:
