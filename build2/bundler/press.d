build2/bundler/press.o: bundler/press.c bundler/cancel.h bundler/lane.h \
 common/format.h common/seal.h bundler/pipeline.h bundler/writing.h \
 bundler/check.h bundler/headers.h bundler/uniform.h common/header.h \
 common/kdf.h bundler/volumes.h bundler/layout.h bundler/write.h \
 bundler/tree.h common/bytes.h common/outfile.h common/progress.h \
 common/status.h
bundler/cancel.h:
bundler/lane.h:
common/format.h:
common/seal.h:
bundler/pipeline.h:
bundler/writing.h:
bundler/check.h:
bundler/headers.h:
bundler/uniform.h:
common/header.h:
common/kdf.h:
bundler/volumes.h:
bundler/layout.h:
bundler/write.h:
bundler/tree.h:
common/bytes.h:
common/outfile.h:
common/progress.h:
common/status.h:
