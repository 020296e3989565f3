build2/bundler/drive.o: bundler/drive.c bundler/drive.h bundler/layout.h \
 common/format.h common/bytes.h common/status.h
bundler/drive.h:
bundler/layout.h:
common/format.h:
common/bytes.h:
common/status.h:
