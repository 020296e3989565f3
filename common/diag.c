#include "common/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/path.h"
#include "common/status.h"

/* A line of PIPE_BUF bytes stays in one piece in a log shared by many. */
enum { TEXT_SIZE = 2048, LINE_SIZE = PIPE_BUF };

/* What a message passes through; wiped behind it. */
struct scratch {
	char text[TEXT_SIZE];
	char line[LINE_SIZE];
};

static struct {
	pthread_mutex_t lock;
	const char *program;
	bool quiet, hides_names, is_last;
	atomic_bool silent;
	void (*hook)(bool before);
	struct scratch *scratch;
	struct scratch in_place_of_arena;
} diag = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.program = "satchel",
};

void diag_open_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		/* The lowest that is free is this one. */
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return;
}

void diag_init(const char *program)
{
	diag.program = program;
	diag_use(NULL);
}

void diag_use(struct arena *arena)
{
	diag.scratch = arena ? arena_alloc(arena, sizeof *diag.scratch) : NULL;
	if (!diag.scratch)
		diag.scratch = &diag.in_place_of_arena;
}

void diag_set_quiet(bool quiet)
{
	diag.quiet = quiet;
}

void diag_hide_names(void)
{
	diag.hides_names = true;
}

bool diag_gives_names(void)
{
	return !diag.hides_names;
}

const char *diag_name(const char *name)
{
	return diag.hides_names ? "(-v names it)" : name;
}

void diag_set_hook(void (*hook)(bool before))
{
	pthread_mutex_lock(&diag.lock);
	diag.hook = hook;
	pthread_mutex_unlock(&diag.lock);
}

/* Bytes of the valid sequence at text, 0 if there is none. */
static size_t sequence_len(const char *text, size_t len)
{
	for (size_t n = 1; n <= len && n <= 4; n++)
		if (path_is_utf8(text, n))
			return n;
	return 0;
}

/* Controls (C0, DEL, C1), line separators, and what turns the direction of the
 * text around it. */
static bool is_control(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	if (len == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (len != 3 || p[0] != 0xe2)
		return false;
	return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
	       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9);
}

static void put_hex(char out[static 4], uint8_t byte)
{
	const char *digits = "0123456789abcdef";

	out[0] = '\\';
	out[1] = 'x';
	out[2] = digits[byte >> 4];
	out[3] = digits[byte & 15];
}

size_t diag_escape(char *out, size_t size, const char *text, size_t len)
{
	size_t used = 0, take;

	if (size == 0)
		return 0;
	for (size_t i = 0; i < len; i += take) {
		size_t valid = sequence_len(text + i, len - i);
		bool plain = valid && !is_control(text + i, valid);
		size_t need = plain ? valid : 4;

		if (used + need >= size)
			break;
		take = plain ? valid : 1;
		if (plain)
			memcpy(out + used, text + i, valid);
		else
			put_hex(out + used, (uint8_t)text[i]);
		used += need;
	}
	out[used] = '\0';
	return used;
}

/* Append text, cut where the line is limit long, and ": " or "\n". */
static size_t append(char *line, size_t used, size_t limit, const char *text, const char *end)
{
	size_t end_len = strlen(end);

	used += diag_escape(line + used, limit - end_len - used, text, strlen(text));
	memcpy(line + used, end, end_len);
	return used + end_len;
}

static void write_line(const char *line, size_t len)
{
	int saved = errno;
	ssize_t rc;

	if (atomic_load(&diag.silent))
		return;
	if (diag.hook)
		diag.hook(true);
	do
		rc = write(STDERR_FILENO, line, len);
	while (rc < 0 && errno == EINTR);
	if (diag.hook && !diag.is_last)
		diag.hook(false);
	/* Nobody may be there to read it, and callers are about to say why something else failed. */
	errno = saved;
}

static void put(const char *file, const char *format, va_list args)
{
	struct scratch *s = diag.scratch ? diag.scratch : &diag.in_place_of_arena;
	size_t used = append(s->line, 0, LINE_SIZE, diag.program, ": ");

	vsnprintf(s->text, sizeof s->text, format, args);
	if (file)
		used = append(s->line, used, LINE_SIZE / 2, file, ": ");
	used = append(s->line, used, LINE_SIZE, s->text, "\n");
	write_line(s->line, used);
	explicit_bzero(s, sizeof *s);
}

void diag_error(const char *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&diag.lock);
	put(file, format, args);
	pthread_mutex_unlock(&diag.lock);
	va_end(args);
}

/* Others wait for the lock, for ever. */
void diag_last_error(const char *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&diag.lock);
	diag.is_last = true;
	put(file, format, args);
	diag_fall_silent();
	va_end(args);
}

void diag_warn(const char *file, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&diag.lock);
	if (!diag.quiet)
		put(file, format, args);
	pthread_mutex_unlock(&diag.lock);
	va_end(args);
}

void diag_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	pthread_mutex_lock(&diag.lock);
	if (!diag.quiet)
		put(NULL, format, args);
	pthread_mutex_unlock(&diag.lock);
	va_end(args);
}

int diag_status(const char *file, int status)
{
	diag_error(file, "%s", status == STATUS_IO ? strerror(errno) : status_text(status));
	return status_exit_code(status);
}

bool diag_can_tell(int milliseconds)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, milliseconds) > 0;
}

void diag_fall_silent(void)
{
	atomic_store(&diag.silent, true);
}
