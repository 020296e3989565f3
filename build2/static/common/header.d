build2/static/common/header.o: common/header.c common/header.h \
 common/format.h common/kdf.h common/passphrase.h common/source.h \
 common/status.h
common/header.h:
common/format.h:
common/kdf.h:
common/passphrase.h:
common/source.h:
common/status.h:
