/* One argument of an option, or one value in a recipe, into its field.  Each
 * returns what is wrong with it, or NULL; text is borrowed.  satchel-pack(1),
 * "Options". */
#ifndef BUNDLER_ARGUMENT_H
#define BUNDLER_ARGUMENT_H

#include <stdbool.h>
#include <stdint.h>

/* More of the same; the array is for the owner to free. */
struct text_list {
	const char **text;
	unsigned count;
};

/* A passphrase is what a file or a descriptor has. */
struct passphrase_place {
	const char *file; /* NULL: fd */
	int fd;
};

struct place_list {
	struct passphrase_place *place;
	unsigned count;
};

/* How long the bundle is to be. */
struct size_wish {
	enum { SIZE_PADDED, SIZE_EXACT, SIZE_FILL } kind;
	uint64_t bytes;
	const char *directory;
};

enum { ARGUMENT_JOBS_MAX = 256, ARGUMENT_LEVEL_MAX = 19 };

#define ARGUMENT_MEMORY_MIN (UINT64_C(64) << 20)

/* What each returns for want of memory, which is nobody's wrong use. */
extern const char argument_no_memory[];

/* The type of field stands beside each. */
const char *argument_set(void *field, const char *argument);             /* bool */
const char *argument_clear(void *field, const char *argument);           /* bool */
const char *argument_text(void *field, const char *argument);            /* const char * */
const char *argument_list(void *field, const char *argument);            /* struct text_list */
const char *argument_exclude(void *field, const char *argument);         /* struct text_list */
const char *argument_recipient(void *field, const char *argument);       /* struct text_list */
const char *argument_passphrase_file(void *field, const char *argument); /* struct place_list */
const char *argument_passphrase_fd(void *field, const char *argument);   /* struct place_list */
const char *argument_size(void *field, const char *argument);            /* struct size_wish */
const char *argument_volume_size(void *field, const char *argument);     /* uint64_t */
const char *argument_memory(void *field, const char *argument);          /* uint64_t */
const char *argument_profile(void *field, const char *argument);         /* enum kdf_profile */
const char *argument_metadata(void *field, const char *argument);        /* bool: full */
const char *argument_parity(void *field, const char *argument);          /* unsigned */
const char *argument_level(void *field, const char *argument);           /* unsigned */
const char *argument_jobs(void *field, const char *argument);            /* unsigned */
const char *argument_edition(void *field, const char *argument);         /* uint64_t */
const char *argument_label(void *field, const char *argument);           /* const char * */
const char *argument_series(void *field, const char *argument);          /* const char * */

/* A decimal number from least to most, and nothing else. */
bool argument_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

#endif
