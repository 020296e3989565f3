build2/bundler/recipe.o: bundler/recipe.c bundler/recipe.h \
 bundler/options.h bundler/argument.h common/format.h common/kdf.h
bundler/recipe.h:
bundler/options.h:
bundler/argument.h:
common/format.h:
common/kdf.h:
