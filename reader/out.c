#include "reader/out.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/path.h"
#include "common/status.h"

int out_init(struct out *out, struct arena *arena, size_t room)
{
	*out = (struct out){.room = room, .escape = isatty(STDOUT_FILENO)};
	out->buf = arena_alloc(arena, room);
	return out->buf ? STATUS_OK : STATUS_NOMEM;
}

void out_flush(struct out *out)
{
	size_t done = 0;

	while (done < out->used && !out->error) {
		ssize_t put = write(STDOUT_FILENO, out->buf + done, out->used - done);

		if (put > 0)
			done += (size_t)put;
		else if (put < 0 && errno != EINTR)
			out->error = errno;
	}
	out->used = 0;
}

uint8_t *out_reserve(struct out *out, size_t len)
{
	if (out->room - out->used < len)
		out_flush(out);
	return out->buf + out->used;
}

void out_take(struct out *out, size_t len)
{
	out->used += len;
}

void out_bytes(struct out *out, const void *bytes, size_t len)
{
	if (len > out->room)
		len = out->room; /* a path never is */
	memcpy(out_reserve(out, len), bytes, len);
	out->used += len;
}

void out_text(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_format(struct out *out, const char *format, ...)
{
	enum { LONGEST = 1024 };
	char *at = (char *)out_reserve(out, LONGEST);
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(at, LONGEST, format, args);
	va_end(args);
	if (len > 0)
		out->used += len < LONGEST ? (size_t)len : LONGEST - 1;
}

void out_escaped(struct out *out, const char *name, size_t len)
{
	size_t room = 4 * len + 1;

	out->used += diag_escape((char *)out_reserve(out, room), room, name, len);
}

void out_name(struct out *out, const char *name, size_t len)
{
	if (out->escape)
		out_escaped(out, name, len);
	else
		out_bytes(out, name, len);
}

/* The code point at text and its length; 0xfffd, 1 where there is none. */
static size_t code_point(const char *text, size_t len, uint32_t *point)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	*point = 0xfffd;
	if (n > len || !path_is_utf8(text, n))
		return 1;
	*point = n == 1 ? p[0] : p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*point = *point << 6 | (p[i] & 0x3f);
	return n;
}

static void json_point(struct out *out, uint32_t point)
{
	if (point == '"' || point == '\\')
		out_format(out, "\\%c", (char)point);
	else if (point >= 0x20 && point < 0x7f)
		out_bytes(out, &(char){(char)point}, 1);
	else if (point < 0x10000)
		out_format(out, "\\u%04x", point);
	else
		out_format(out, "\\u%04x\\u%04x", 0xd800 + ((point - 0x10000) >> 10),
		           0xdc00 + ((point - 0x10000) & 0x3ff));
}

void out_json(struct out *out, const char *text, size_t len)
{
	uint32_t point;

	out_text(out, "\"");
	for (size_t i = 0; i < len;) {
		i += code_point(text + i, len - i, &point);
		json_point(out, point);
	}
	out_text(out, "\"");
}

static void json_base64(struct out *out, const char *bytes, size_t len)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	size_t room = sodium_base64_encoded_len(len, variant);

	sodium_bin2base64((char *)out_reserve(out, room), room, (const uint8_t *)bytes, len,
	                  variant);
	out->used += room - 1;
}

void out_json_name(struct out *out, const char *key, const char *text, size_t len)
{
	out_format(out, "\"%s\": ", key);
	out_json(out, text, len);
	if (path_is_utf8(text, len))
		return;
	out_format(out, ", \"%s_b64\": \"", key);
	json_base64(out, text, len);
	out_text(out, "\"");
}

int out_finish(struct out *out)
{
	out_flush(out);
	if (out->error == 0)
		return 0;
	if (out->error == EPIPE)
		return 128 + SIGPIPE;
	errno = out->error;
	return diag_status("standard output", STATUS_IO);
}
