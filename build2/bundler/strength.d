build2/bundler/strength.o: bundler/strength.c bundler/strength.h \
 common/passphrase.h common/kdf.h bundler/words.h
bundler/strength.h:
common/passphrase.h:
common/kdf.h:
bundler/words.h:
