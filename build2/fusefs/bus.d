build2/fusefs/bus.o: fusefs/bus.c fusefs/bus.h
fusefs/bus.h:
