build2/common/kdf.o: common/kdf.c common/kdf.h common/status.h
common/kdf.h:
common/status.h:
