build2/bundler/recipient.o: bundler/recipient.c bundler/recipient.h \
 bundler/field.h common/identity.h common/kdf.h common/status.h
bundler/recipient.h:
bundler/field.h:
common/identity.h:
common/kdf.h:
common/status.h:
