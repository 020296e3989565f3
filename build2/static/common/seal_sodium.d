build2/static/common/seal_sodium.o: common/seal_sodium.c common/bytes.h \
 common/seal.h common/format.h common/status.h
common/bytes.h:
common/seal.h:
common/format.h:
common/status.h:
