build2/bundler/attributes.o: bundler/attributes.c bundler/attributes.h \
 common/format.h common/status.h
bundler/attributes.h:
common/format.h:
common/status.h:
