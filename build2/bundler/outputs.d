build2/bundler/outputs.o: bundler/outputs.c bundler/outputs.h \
 bundler/scan.h bundler/drive.h bundler/failure.h bundler/options.h \
 bundler/argument.h common/format.h common/kdf.h bundler/report.h \
 bundler/volumes.h bundler/layout.h common/diag.h common/status.h
bundler/outputs.h:
bundler/scan.h:
bundler/drive.h:
bundler/failure.h:
bundler/options.h:
bundler/argument.h:
common/format.h:
common/kdf.h:
bundler/report.h:
bundler/volumes.h:
bundler/layout.h:
common/diag.h:
common/status.h:
