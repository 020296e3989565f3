build2/bundler/failure.o: bundler/failure.c bundler/failure.h \
 common/diag.h common/status.h
bundler/failure.h:
common/diag.h:
common/status.h:
