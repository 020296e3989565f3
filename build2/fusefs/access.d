build2/fusefs/access.o: fusefs/access.c fusefs/access.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 common/arena.h common/diag.h common/identity.h common/passphrase.h \
 common/publisher.h common/seal_heap.h common/source.h common/status.h \
 fusefs/options.h fusefs/swap.h
fusefs/access.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
common/arena.h:
common/diag.h:
common/identity.h:
common/passphrase.h:
common/publisher.h:
common/seal_heap.h:
common/source.h:
common/status.h:
fusefs/options.h:
fusefs/swap.h:
