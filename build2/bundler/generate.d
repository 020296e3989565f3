build2/bundler/generate.o: bundler/generate.c bundler/generate.h \
 common/passphrase.h common/kdf.h bundler/words.h
bundler/generate.h:
common/passphrase.h:
common/kdf.h:
bundler/words.h:
