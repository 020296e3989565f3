build2/common/passphrase.o: common/passphrase.c common/passphrase.h \
 common/kdf.h common/status.h
common/passphrase.h:
common/kdf.h:
common/status.h:
