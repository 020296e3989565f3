build2/bundler/twins.o: bundler/twins.c bundler/twins.h bundler/origin.h \
 bundler/tree.h common/format.h common/bytes.h common/status.h
bundler/twins.h:
bundler/origin.h:
bundler/tree.h:
common/format.h:
common/bytes.h:
common/status.h:
