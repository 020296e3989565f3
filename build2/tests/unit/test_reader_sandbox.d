build2/tests/unit/test_reader_sandbox.o: tests/unit/test_reader_sandbox.c \
 reader/sandbox.h tests/unit/unit.h
reader/sandbox.h:
tests/unit/unit.h:
