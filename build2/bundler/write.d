build2/bundler/write.o: bundler/write.c bundler/write.h bundler/tree.h \
 common/format.h common/header.h common/kdf.h bundler/volumes.h \
 bundler/layout.h bundler/writing.h bundler/check.h bundler/headers.h \
 bundler/uniform.h common/arena.h common/outfile.h common/passphrase.h \
 common/progress.h common/status.h
bundler/write.h:
bundler/tree.h:
common/format.h:
common/header.h:
common/kdf.h:
bundler/volumes.h:
bundler/layout.h:
bundler/writing.h:
bundler/check.h:
bundler/headers.h:
bundler/uniform.h:
common/arena.h:
common/outfile.h:
common/passphrase.h:
common/progress.h:
common/status.h:
