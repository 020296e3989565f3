build2/bundler/inodes.o: bundler/inodes.c bundler/inodes.h \
 common/status.h
bundler/inodes.h:
common/status.h:
