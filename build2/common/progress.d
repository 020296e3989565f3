build2/common/progress.o: common/progress.c common/progress.h \
 common/diag.h common/status.h
common/progress.h:
common/diag.h:
common/status.h:
