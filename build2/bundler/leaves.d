build2/bundler/leaves.o: bundler/leaves.c bundler/leaves.h \
 bundler/cancel.h bundler/segments.h common/bytes.h common/format.h \
 bundler/spill.h bundler/staged.h bundler/frames.h bundler/stage.h \
 bundler/tree.h common/progress.h common/seal.h common/status.h
bundler/leaves.h:
bundler/cancel.h:
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/spill.h:
bundler/staged.h:
bundler/frames.h:
bundler/stage.h:
bundler/tree.h:
common/progress.h:
common/seal.h:
common/status.h:
