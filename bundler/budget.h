/* How --memory is divided: satchel-pack(1), "Files".  What stays of a stage, and
 * what staging or writing take besides, are within it together.  Not counted: some
 * 100 bytes for each entry, and what Argon2id takes for a moment. */
#ifndef BUNDLER_BUDGET_H
#define BUNDLER_BUDGET_H

#include <stddef.h>
#include <stdint.h>

struct options;

struct budget {
	unsigned workers; /* as many of --jobs as there is memory for, 1 at least */
	unsigned group;   /* of payloads that are added to parity at a time, as parity_new */
	size_t links;     /* for each compartment: bytes of links and attributes that stay */
	size_t archives;  /* for each compartment: bytes of archives that stay; 0: none has any */
	size_t stage;     /* for each compartment: bytes of its stage that stay */
};

/* The least --memory for so many compartments. */
uint64_t budget_least(unsigned compartment_count, unsigned parity);

/* memory: budget_least, or more. */
struct budget budget_divide(const struct options *options);

#endif
