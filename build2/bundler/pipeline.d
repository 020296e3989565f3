build2/bundler/pipeline.o: bundler/pipeline.c bundler/pipeline.h \
 common/status.h
bundler/pipeline.h:
common/status.h:
