build2/fusefs/streams.o: fusefs/streams.c fusefs/streams.h common/bytes.h \
 common/format.h common/status.h
fusefs/streams.h:
common/bytes.h:
common/format.h:
common/status.h:
