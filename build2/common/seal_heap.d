build2/common/seal_heap.o: common/seal_heap.c common/seal_heap.h \
 common/arena.h common/seal.h common/format.h common/status.h
common/seal_heap.h:
common/arena.h:
common/seal.h:
common/format.h:
common/status.h:
