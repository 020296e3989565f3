build2/static/common/identity.o: common/identity.c common/identity.h \
 common/kdf.h common/status.h
common/identity.h:
common/kdf.h:
common/status.h:
