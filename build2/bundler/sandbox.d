build2/bundler/sandbox.o: bundler/sandbox.c bundler/sandbox.h \
 bundler/options.h bundler/argument.h common/format.h common/kdf.h \
 common/landlock.h
bundler/sandbox.h:
bundler/options.h:
bundler/argument.h:
common/format.h:
common/kdf.h:
common/landlock.h:
