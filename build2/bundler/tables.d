build2/bundler/tables.o: bundler/tables.c bundler/tables.h \
 bundler/cancel.h bundler/indexer.h common/format.h bundler/segments.h \
 common/bytes.h bundler/spill.h bundler/staged.h bundler/frames.h \
 bundler/stage.h bundler/tree.h common/status.h
bundler/tables.h:
bundler/cancel.h:
bundler/indexer.h:
common/format.h:
bundler/segments.h:
common/bytes.h:
bundler/spill.h:
bundler/staged.h:
bundler/frames.h:
bundler/stage.h:
bundler/tree.h:
common/status.h:
