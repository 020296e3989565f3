build2/fusefs/sandbox.o: fusefs/sandbox.c fusefs/sandbox.h
fusefs/sandbox.h:
