build2/reader/session.o: reader/session.c reader/session.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h reader/options.h common/publisher.h common/arena.h \
 common/bytes.h common/diag.h common/identity.h common/outfile.h \
 common/passphrase.h common/source.h common/status.h reader/sandbox.h
reader/session.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
reader/options.h:
common/publisher.h:
common/arena.h:
common/bytes.h:
common/diag.h:
common/identity.h:
common/outfile.h:
common/passphrase.h:
common/source.h:
common/status.h:
reader/sandbox.h:
