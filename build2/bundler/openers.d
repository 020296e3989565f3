build2/bundler/openers.o: bundler/openers.c bundler/openers.h \
 bundler/write.h bundler/tree.h common/format.h common/header.h \
 common/kdf.h bundler/failure.h bundler/generate.h common/passphrase.h \
 bundler/options.h bundler/argument.h bundler/recipient.h \
 bundler/strength.h common/arena.h common/diag.h common/status.h
bundler/openers.h:
bundler/write.h:
bundler/tree.h:
common/format.h:
common/header.h:
common/kdf.h:
bundler/failure.h:
bundler/generate.h:
common/passphrase.h:
bundler/options.h:
bundler/argument.h:
bundler/recipient.h:
bundler/strength.h:
common/arena.h:
common/diag.h:
common/status.h:
