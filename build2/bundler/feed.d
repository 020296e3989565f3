build2/bundler/feed.o: bundler/feed.c bundler/origin.h bundler/segments.h \
 common/bytes.h common/format.h bundler/spill.h bundler/staged.h \
 bundler/frames.h bundler/stage.h bundler/tree.h common/seal.h \
 common/status.h
bundler/origin.h:
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/spill.h:
bundler/staged.h:
bundler/frames.h:
bundler/stage.h:
bundler/tree.h:
common/seal.h:
common/status.h:
