build2/fusefs/mountpoint.o: fusefs/mountpoint.c fusefs/mountpoint.h \
 common/diag.h fusefs/ops.h common/bundle.h common/format.h \
 common/header.h common/kdf.h common/pages.h fusefs/fuse.h \
 /usr/include/fuse3/fuse_lowlevel.h /usr/include/fuse3/fuse_common.h \
 /usr/include/fuse3/libfuse_config.h /usr/include/fuse3/fuse_opt.h \
 /usr/include/fuse3/fuse_log.h
fusefs/mountpoint.h:
common/diag.h:
fusefs/ops.h:
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
