build2/common/publisher.o: common/publisher.c common/publisher.h \
 common/format.h common/bytes.h common/diag.h common/status.h
common/publisher.h:
common/format.h:
common/bytes.h:
common/diag.h:
common/status.h:
