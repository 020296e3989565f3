build2/bundler/intake.o: bundler/intake.c bundler/intake.h \
 bundler/cancel.h bundler/classify.h bundler/origin.h bundler/spill.h \
 bundler/staged.h bundler/frames.h bundler/segments.h common/bytes.h \
 common/format.h bundler/stage.h bundler/tree.h bundler/twins.h \
 common/diag.h common/progress.h common/squeeze.h common/status.h
bundler/intake.h:
bundler/cancel.h:
bundler/classify.h:
bundler/origin.h:
bundler/spill.h:
bundler/staged.h:
bundler/frames.h:
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/stage.h:
bundler/tree.h:
bundler/twins.h:
common/diag.h:
common/progress.h:
common/squeeze.h:
common/status.h:
