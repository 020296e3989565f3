build2/fusefs/main.o: fusefs/main.c common/arena.h common/diag.h \
 common/pages.h common/format.h common/seal_heap.h common/status.h \
 fusefs/access.h common/bundle.h common/header.h common/kdf.h \
 fusefs/loop.h fusefs/fuse.h /usr/include/fuse3/fuse_lowlevel.h \
 /usr/include/fuse3/fuse_common.h /usr/include/fuse3/libfuse_config.h \
 /usr/include/fuse3/fuse_opt.h /usr/include/fuse3/fuse_log.h \
 fusefs/mountpoint.h fusefs/notes.h fusefs/ops.h fusefs/options.h \
 common/publisher.h fusefs/run.h fusefs/sandbox.h fusefs/streams.h \
 fusefs/supervisor.h fusefs/watch.h
common/arena.h:
common/diag.h:
common/pages.h:
common/format.h:
common/seal_heap.h:
common/status.h:
fusefs/access.h:
common/bundle.h:
common/header.h:
common/kdf.h:
fusefs/loop.h:
fusefs/fuse.h:
/usr/include/fuse3/fuse_lowlevel.h:
/usr/include/fuse3/fuse_common.h:
/usr/include/fuse3/libfuse_config.h:
/usr/include/fuse3/fuse_opt.h:
/usr/include/fuse3/fuse_log.h:
fusefs/mountpoint.h:
fusefs/notes.h:
fusefs/ops.h:
fusefs/options.h:
common/publisher.h:
fusefs/run.h:
fusefs/sandbox.h:
fusefs/streams.h:
fusefs/supervisor.h:
fusefs/watch.h:
