build2/bundler/frames.o: bundler/frames.c bundler/frames.h \
 bundler/segments.h common/bytes.h common/format.h bundler/pipeline.h \
 bundler/spill.h common/squeeze.h common/status.h
bundler/frames.h:
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/pipeline.h:
bundler/spill.h:
common/squeeze.h:
common/status.h:
