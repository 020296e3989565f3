build2/bundler/argument.o: bundler/argument.c bundler/argument.h \
 bundler/recipient.h bundler/volumes.h bundler/layout.h common/format.h \
 common/kdf.h common/path.h
bundler/argument.h:
bundler/recipient.h:
bundler/volumes.h:
bundler/layout.h:
common/format.h:
common/kdf.h:
common/path.h:
