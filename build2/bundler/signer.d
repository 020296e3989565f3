build2/bundler/signer.o: bundler/signer.c bundler/signer.h \
 bundler/failure.h bundler/minisign.h common/format.h common/arena.h \
 common/passphrase.h common/kdf.h common/status.h
bundler/signer.h:
bundler/failure.h:
bundler/minisign.h:
common/format.h:
common/arena.h:
common/passphrase.h:
common/kdf.h:
common/status.h:
