build2/fusefs/loop.o: fusefs/loop.c fusefs/loop.h fusefs/access.h \
 common/bundle.h common/format.h common/header.h common/kdf.h \
 common/pages.h fusefs/fuse.h /usr/include/fuse3/fuse_lowlevel.h \
 /usr/include/fuse3/fuse_common.h /usr/include/fuse3/libfuse_config.h \
 /usr/include/fuse3/fuse_opt.h /usr/include/fuse3/fuse_log.h \
 common/status.h
fusefs/loop.h:
fusefs/access.h:
common/bundle.h:
common/format.h:
common/header.h:
common/kdf.h:
common/pages.h:
fusefs/fuse.h:
/usr/include/fuse3/fuse_lowlevel.h:
/usr/include/fuse3/fuse_common.h:
/usr/include/fuse3/libfuse_config.h:
/usr/include/fuse3/fuse_opt.h:
/usr/include/fuse3/fuse_log.h:
common/status.h:
