build2/fusefs/swap.o: fusefs/swap.c fusefs/swap.h
fusefs/swap.h:
