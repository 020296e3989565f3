build2/bundler/scan.o: bundler/scan.c bundler/scan.h bundler/attributes.h \
 bundler/inodes.h bundler/spill.h bundler/tree.h common/format.h \
 common/bytes.h common/diag.h common/path.h common/status.h
bundler/scan.h:
bundler/attributes.h:
bundler/inodes.h:
bundler/spill.h:
bundler/tree.h:
common/format.h:
common/bytes.h:
common/diag.h:
common/path.h:
common/status.h:
