build2/bundler/cancel.o: bundler/cancel.c bundler/cancel.h
bundler/cancel.h:
