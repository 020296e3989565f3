build2/bundler/classify.o: bundler/classify.c bundler/classify.h \
 common/bytes.h common/path.h
bundler/classify.h:
common/bytes.h:
common/path.h:
