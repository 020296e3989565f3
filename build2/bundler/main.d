build2/bundler/main.o: bundler/main.c bundler/budget.h bundler/cancel.h \
 bundler/compartment.h bundler/openers.h bundler/write.h bundler/tree.h \
 common/format.h common/header.h common/kdf.h bundler/scan.h \
 bundler/drive.h bundler/failure.h bundler/layout.h bundler/options.h \
 bundler/argument.h bundler/outputs.h bundler/report.h bundler/sandbox.h \
 bundler/stage.h bundler/volumes.h common/arena.h common/bytes.h \
 common/diag.h common/outfile.h common/progress.h common/seal_heap.h \
 common/status.h
bundler/budget.h:
bundler/cancel.h:
bundler/compartment.h:
bundler/openers.h:
bundler/write.h:
bundler/tree.h:
common/format.h:
common/header.h:
common/kdf.h:
bundler/scan.h:
bundler/drive.h:
bundler/failure.h:
bundler/layout.h:
bundler/options.h:
bundler/argument.h:
bundler/outputs.h:
bundler/report.h:
bundler/sandbox.h:
bundler/stage.h:
bundler/volumes.h:
common/arena.h:
common/bytes.h:
common/diag.h:
common/outfile.h:
common/progress.h:
common/seal_heap.h:
common/status.h:
