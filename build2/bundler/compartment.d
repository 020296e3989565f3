build2/bundler/compartment.o: bundler/compartment.c bundler/compartment.h \
 bundler/openers.h bundler/write.h bundler/tree.h common/format.h \
 common/header.h common/kdf.h bundler/scan.h bundler/budget.h \
 bundler/cancel.h bundler/failure.h bundler/minisign.h bundler/options.h \
 bundler/argument.h bundler/report.h bundler/signer.h bundler/spill.h \
 bundler/stage.h common/diag.h common/status.h
bundler/compartment.h:
bundler/openers.h:
bundler/write.h:
bundler/tree.h:
common/format.h:
common/header.h:
common/kdf.h:
bundler/scan.h:
bundler/budget.h:
bundler/cancel.h:
bundler/failure.h:
bundler/minisign.h:
bundler/options.h:
bundler/argument.h:
bundler/report.h:
bundler/signer.h:
bundler/spill.h:
bundler/stage.h:
common/diag.h:
common/status.h:
