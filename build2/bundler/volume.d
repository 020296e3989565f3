build2/bundler/volume.o: bundler/volume.c bundler/lane.h common/format.h \
 common/seal.h bundler/stage.h bundler/tree.h bundler/writing.h \
 bundler/check.h bundler/headers.h bundler/uniform.h common/header.h \
 common/kdf.h bundler/volumes.h bundler/layout.h bundler/write.h \
 common/bytes.h common/status.h
bundler/lane.h:
common/format.h:
common/seal.h:
bundler/stage.h:
bundler/tree.h:
bundler/writing.h:
bundler/check.h:
bundler/headers.h:
bundler/uniform.h:
common/header.h:
common/kdf.h:
bundler/volumes.h:
bundler/layout.h:
bundler/write.h:
common/bytes.h:
common/status.h:
