build2/bundler/options.o: bundler/options.c bundler/options.h \
 bundler/argument.h common/format.h common/kdf.h bundler/recipe.h \
 bundler/volumes.h bundler/layout.h bundler/write.h bundler/tree.h \
 common/header.h
bundler/options.h:
bundler/argument.h:
common/format.h:
common/kdf.h:
bundler/recipe.h:
bundler/volumes.h:
bundler/layout.h:
bundler/write.h:
bundler/tree.h:
common/header.h:
