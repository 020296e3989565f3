build2/common/seal_openssl.o: common/seal_openssl.c common/bytes.h \
 common/seal.h common/format.h common/status.h
common/bytes.h:
common/seal.h:
common/format.h:
common/status.h:
