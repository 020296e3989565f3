build2/bundler/report.o: bundler/report.c bundler/report.h \
 bundler/failure.h bundler/volumes.h bundler/layout.h common/format.h \
 common/diag.h
bundler/report.h:
bundler/failure.h:
bundler/volumes.h:
bundler/layout.h:
common/format.h:
common/diag.h:
