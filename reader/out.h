/* Standard output.  What goes through here may be plaintext: it is gathered in
 * the arena and leaves by write(2), nothing else ever holds it. */
#ifndef READER_OUT_H
#define READER_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct out {
	uint8_t *buf; /* arena */
	size_t used, room;
	int error;   /* errno of the first write that failed, or 0 */
	bool escape; /* a terminal: names must not drive it */
};

/* The longest path, every byte of it escaped, and its end. */
#define OUT_ROOM ((size_t)128 << 10)

/* room: at least OUT_ROOM.  STATUS_NOMEM. */
int out_init(struct out *out, struct arena *arena, size_t room);

void out_text(struct out *out, const char *text);
void out_bytes(struct out *out, const void *bytes, size_t len);

/* As printf; for numbers and short words. */
void out_format(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A name or path, escaped on a terminal. */
void out_name(struct out *out, const char *name, size_t len);

/* The same, escaped wherever it goes. */
void out_escaped(struct out *out, const char *name, size_t len);

/* A string in JSON, quotes and all, in ASCII; what is not UTF-8 becomes U+FFFD. */
void out_json(struct out *out, const char *text, size_t len);

/* "key": and the string; where it is not UTF-8, "key_b64" with its bytes too. */
void out_json_name(struct out *out, const char *key, const char *text, size_t len);

/* Room for len bytes (at most that of out_init), to be filled by the caller;
 * and how many of them it filled. */
uint8_t *out_reserve(struct out *out, size_t len);
void out_take(struct out *out, size_t len);

/* Once a write has failed the rest is thrown away. */
void out_flush(struct out *out);

/* Flush.  Returns the exit code: 0; 141 where nobody reads any more, silently;
 * 1, reported. */
int out_finish(struct out *out);

#endif
