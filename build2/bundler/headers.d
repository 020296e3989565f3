build2/bundler/headers.o: bundler/headers.c bundler/headers.h \
 bundler/uniform.h common/header.h common/format.h common/kdf.h \
 bundler/cancel.h bundler/write.h bundler/tree.h common/passphrase.h \
 common/progress.h common/status.h
bundler/headers.h:
bundler/uniform.h:
common/header.h:
common/format.h:
common/kdf.h:
bundler/cancel.h:
bundler/write.h:
bundler/tree.h:
common/passphrase.h:
common/progress.h:
common/status.h:
