/* For what is put before syscall(2): the words behind its number, as many as there can be. */
#ifndef PRELOAD_WORDS_H
#define PRELOAD_WORDS_H

#include <stdarg.h>

#define TAKE_WORDS(word, number)                        \
	do {                                            \
		va_list more;                           \
                                                        \
		va_start(more, number);                 \
		for (int i = 0; i < 6; i++)             \
			(word)[i] = va_arg(more, long); \
		va_end(more);                           \
	} while (0)

#endif
