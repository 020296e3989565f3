build2/bundler/verify.o: bundler/verify.c bundler/cancel.h \
 bundler/writing.h bundler/check.h bundler/headers.h bundler/uniform.h \
 common/header.h common/format.h common/kdf.h bundler/volumes.h \
 bundler/layout.h bundler/write.h bundler/tree.h common/outfile.h \
 common/progress.h common/status.h
bundler/cancel.h:
bundler/writing.h:
bundler/check.h:
bundler/headers.h:
bundler/uniform.h:
common/header.h:
common/format.h:
common/kdf.h:
bundler/volumes.h:
bundler/layout.h:
bundler/write.h:
bundler/tree.h:
common/outfile.h:
common/progress.h:
common/status.h:
