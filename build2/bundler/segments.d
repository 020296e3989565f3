build2/bundler/segments.o: bundler/segments.c bundler/segments.h \
 common/bytes.h common/format.h bundler/spill.h common/status.h
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/spill.h:
common/status.h:
