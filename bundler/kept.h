/* Contents that cannot be read twice, in a spill: what an archive gives is in it
 * end to end, behind a file with holes a map of its data. */
#ifndef BUNDLER_KEPT_H
#define BUNDLER_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spill;

/* Data of a file with holes. */
struct kept_run {
	uint64_t off, len;
	uint64_t at; /* in the spill */
};

/* One that is being put in. */
struct kept_writer {
	struct spill *spill;
	uint64_t end; /* of the data so far, in the file */
	struct kept_run *run;
	size_t count, room;
};

/* One that is being read.  All of it is copied freely. */
struct kept_file {
	struct spill *spill;
	uint64_t at; /* of the runs; without holes there is one, in hand */
	uint64_t run_count;
	uint64_t run_no;     /* of run; UINT64_MAX: none is in hand */
	struct kept_run run; /* read last */
};

/* Nothing else may be appended to the spill between begin and end. */
void kept_begin(struct kept_writer *writer, struct spill *spill);

/* len bytes at off, which is not before the end of what was added last; less than
 * ORIGIN_HOLE missing bytes become zeros.  STATUS_INVALID: it is before that;
 * STATUS_IO (spill), STATUS_NOMEM, STATUS_TOOBIG (holes). */
int kept_add(struct kept_writer *writer, uint64_t off, const void *bytes, size_t len);

/* That was a file of size bytes.  *at: where it is.  Status as above. */
int kept_end(struct kept_writer *writer, uint64_t size, uint64_t *at);
void kept_fini(struct kept_writer *writer);

/* STATUS_IO, STATUS_DAMAGED (spill), for these three. */
int kept_open(struct kept_file *file, struct spill *spill, uint64_t at);
int kept_read(struct kept_file *file, void *buf, size_t len, uint64_t off);

/* The next data at or behind off, as origin_next_data. */
int kept_next_data(struct kept_file *file, uint64_t size, uint64_t off, uint64_t *begin,
                   uint64_t *end);

#endif
