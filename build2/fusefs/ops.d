build2/fusefs/ops.o: fusefs/ops.c fusefs/ops.h common/bundle.h \
 common/format.h common/header.h common/kdf.h common/pages.h \
 fusefs/fuse.h /usr/include/fuse3/fuse_lowlevel.h \
 /usr/include/fuse3/fuse_common.h /usr/include/fuse3/libfuse_config.h \
 /usr/include/fuse3/fuse_opt.h /usr/include/fuse3/fuse_log.h \
 common/bytes.h common/diag.h common/status.h fusefs/loop.h \
 fusefs/access.h fusefs/notes.h fusefs/streams.h
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
common/bytes.h:
common/diag.h:
common/status.h:
fusefs/loop.h:
fusefs/access.h:
fusefs/notes.h:
fusefs/streams.h:
