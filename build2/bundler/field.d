build2/bundler/field.o: bundler/field.c bundler/field.h common/bytes.h
bundler/field.h:
common/bytes.h:
