build2/bundler/indexer.o: bundler/indexer.c bundler/indexer.h \
 common/format.h bundler/spill.h common/seal.h common/squeeze.h \
 common/status.h
bundler/indexer.h:
common/format.h:
bundler/spill.h:
common/seal.h:
common/squeeze.h:
common/status.h:
