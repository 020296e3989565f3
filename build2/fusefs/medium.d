build2/fusefs/medium.o: fusefs/medium.c fusefs/medium.h common/source.h \
 common/status.h
fusefs/medium.h:
common/source.h:
common/status.h:
