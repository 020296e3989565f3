build2/bundler/stage.o: bundler/stage.c bundler/stage.h bundler/tree.h \
 common/format.h bundler/intake.h bundler/leaves.h bundler/minisign.h \
 bundler/segments.h common/bytes.h bundler/spill.h bundler/staged.h \
 bundler/frames.h bundler/tables.h common/status.h
bundler/stage.h:
bundler/tree.h:
common/format.h:
bundler/intake.h:
bundler/leaves.h:
bundler/minisign.h:
bundler/segments.h:
common/bytes.h:
bundler/spill.h:
bundler/staged.h:
bundler/frames.h:
bundler/tables.h:
common/status.h:
