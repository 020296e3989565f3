build2/bundler/uniform.o: bundler/uniform.c bundler/uniform.h \
 bundler/field.h common/status.h
bundler/uniform.h:
bundler/field.h:
common/status.h:
