/* The EFF's large word list, made into a table when the program is built. */
#ifndef BUNDLER_WORDS_H
#define BUNDLER_WORDS_H

#define WORDS_COUNT 7776 /* 6^5: a word is worth 12.9 bits */
#define WORDS_LONGEST 9

extern const char words[WORDS_COUNT][WORDS_LONGEST + 1];

#endif
