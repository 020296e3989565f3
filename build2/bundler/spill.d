build2/bundler/spill.o: bundler/spill.c bundler/spill.h common/arena.h \
 common/bytes.h common/format.h common/seal.h common/source.h \
 common/status.h
bundler/spill.h:
common/arena.h:
common/bytes.h:
common/format.h:
common/seal.h:
common/source.h:
common/status.h:
