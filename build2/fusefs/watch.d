build2/fusefs/watch.o: fusefs/watch.c fusefs/watch.h common/status.h \
 fusefs/bus.h fusefs/medium.h fusefs/ops.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 fusefs/fuse.h /usr/include/fuse3/fuse_lowlevel.h \
 /usr/include/fuse3/fuse_common.h /usr/include/fuse3/libfuse_config.h \
 /usr/include/fuse3/fuse_opt.h /usr/include/fuse3/fuse_log.h \
 fusefs/supervisor.h
fusefs/watch.h:
common/status.h:
fusefs/bus.h:
fusefs/medium.h:
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
fusefs/supervisor.h:
