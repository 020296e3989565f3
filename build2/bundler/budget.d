build2/bundler/budget.o: bundler/budget.c bundler/budget.h \
 bundler/frames.h bundler/segments.h common/bytes.h common/format.h \
 bundler/options.h bundler/argument.h common/kdf.h bundler/write.h \
 bundler/tree.h common/header.h common/squeeze.h
bundler/budget.h:
bundler/frames.h:
bundler/segments.h:
common/bytes.h:
common/format.h:
bundler/options.h:
bundler/argument.h:
common/kdf.h:
bundler/write.h:
bundler/tree.h:
common/header.h:
common/squeeze.h:
