build2/bundler/lane.o: bundler/lane.c bundler/lane.h common/format.h \
 common/seal.h bundler/parity.h bundler/stage.h bundler/tree.h \
 common/bytes.h common/status.h
bundler/lane.h:
common/format.h:
common/seal.h:
bundler/parity.h:
bundler/stage.h:
bundler/tree.h:
common/bytes.h:
common/status.h:
