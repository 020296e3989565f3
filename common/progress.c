#include "common/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/amount.h"
#include "common/clock.h"
#include "common/diag.h"
#include "common/status.h"

enum {
	TICK_MS = 250,
	WINDOW_MS = 4000,
	SAMPLES = WINDOW_MS / TICK_MS,
	LINE_MS = 5000,
	JSON_MS = 1000,
	SETTLE_MS = 1000, /* no time left is told before */
	LINE_SIZE = 512,
	DEFAULT_COLUMNS = 80,
	SHORTEST_BAR = 10,
	STEP = 1000, /* a step counts as so many bytes, for rates below one a second */
};

#define CLEAR_LINE "\r\033[K"

enum form { FORM_BAR, FORM_LINE, FORM_JSON };

struct sample {
	uint64_t ms, bytes;
};

struct progress {
	enum progress_mode mode;
	enum form form;
	pthread_mutex_t lock; /* all below but the atomics */
	atomic_uint_least64_t done;
	atomic_uint_least64_t due; /* when the next update looks closer */
	const char *phase;         /* NULL between phases */
	uint64_t total;
	bool steps; /* are what is counted */
	struct sample start;
	struct sample sample[SAMPLES]; /* the last ones, in a ring */
	size_t sample_count;
	uint64_t shown_at;
	bool shown;      /* anything of this phase yet */
	bool bar_stands; /* on the terminal's line */
};

/* Whose bar steps aside for messages. */
static struct progress *on_terminal;

/* Nobody may be there to read it, and callers are about to say why something else failed. */
static void write_all(int fd, const char *text, size_t len)
{
	int saved = errno;

	while (len) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno != EINTR)
			break;
		text += put > 0 ? put : 0;
		len -= put > 0 ? (size_t)put : 0;
	}
	errno = saved;
}

static void add_sample(struct progress *p, struct sample now)
{
	p->sample[p->sample_count++ % SAMPLES] = now;
}

/* The oldest sample within the window, or else the youngest before it. */
static struct sample window_start(const struct progress *p, uint64_t now)
{
	size_t kept = p->sample_count < SAMPLES ? p->sample_count : SAMPLES;
	struct sample found = p->start;

	for (size_t i = p->sample_count - kept; i < p->sample_count; i++) {
		found = p->sample[i % SAMPLES];
		if (found.ms + WINDOW_MS >= now)
			break;
	}
	return found;
}

/* Bytes per second, 0 if there is none. */
static uint64_t rate_since(struct sample since, struct sample now)
{
	if (now.ms <= since.ms || now.bytes <= since.bytes)
		return 0;
	return (now.bytes - since.bytes) * 1000 / (now.ms - since.ms);
}

static unsigned percent(const struct progress *p, uint64_t done)
{
	if (done >= p->total)
		return 100;
	return (unsigned)(p->total > UINT64_MAX / 100 ? done / (p->total / 100)
	                                              : done * 100 / p->total);
}

/* -1: nobody knows. */
static int64_t seconds_left(const struct progress *p, struct sample now, uint64_t rate)
{
	if (p->total && now.bytes >= p->total)
		return 0;
	if (!p->total || !rate || now.ms - p->start.ms < SETTLE_MS)
		return -1;
	return (int64_t)((p->total - now.bytes) / rate);
}

static void format_count(char out[static AMOUNT_ROOM], const struct progress *p, uint64_t count)
{
	if (p->steps)
		snprintf(out, AMOUNT_ROOM, "%" PRIu64, count / STEP);
	else
		amount_of_bytes(out, count);
}

static void format_seconds(char out[static 32], uint64_t s)
{
	if (s < 3600)
		snprintf(out, 32, "%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		snprintf(out, 32, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60),
		         (unsigned)(s % 60));
}

/* "1.2 GB of 3.4 GB, 23.1 MB/s, 1:23 left", as much of it as is known; at the
 * end the rate of the whole phase and ", in 2:05". */
static void format_state(char *out, size_t size, const struct progress *p, struct sample now,
                         bool ended)
{
	uint64_t rate = rate_since(ended ? p->start : window_start(p, now.ms), now);
	int64_t left = seconds_left(p, now, rate);
	char done[AMOUNT_ROOM], total[AMOUNT_ROOM], speed[AMOUNT_ROOM], time[32];
	size_t used;

	format_count(done, p, now.bytes);
	format_count(total, p, p->total);
	amount_of_bytes(speed, rate);
	used = (size_t)snprintf(out, size, "%s%s%s", done, p->total ? " of " : "",
	                        p->total ? total : "");
	if (rate && !p->steps)
		used += (size_t)snprintf(out + used, size - used, ", %s/s", speed);
	if (!ended && left < 0)
		return;
	format_seconds(time, ended ? (now.ms - p->start.ms) / 1000 : (uint64_t)left);
	snprintf(out + used, size - used, ended ? ", in %s" : ", %s left", time);
}

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0)
		return DEFAULT_COLUMNS;
	return size.ws_col < LINE_SIZE / 2 ? size.ws_col : LINE_SIZE / 2;
}

/* "[====>     ] " of len characters at out, nothing where that is too short. */
static size_t format_bar(char *out, size_t len, unsigned per_cent)
{
	size_t inner, full;

	if (len < SHORTEST_BAR)
		return 0;
	inner = len - strlen("[] ");
	full = inner * per_cent / 100;
	out[0] = '[';
	memset(out + 1, ' ', inner);
	memset(out + 1, '=', full);
	if (full < inner)
		out[1 + full] = '>';
	memcpy(out + 1 + inner, "] ", 2);
	return len;
}

/* The last column stays free: some terminals wrap there. */
static void show_bar(struct progress *p, struct sample now, bool ended)
{
	char state[LINE_SIZE / 2], line[LINE_SIZE] = CLEAR_LINE;
	size_t start = strlen(CLEAR_LINE), used = start, width = columns() - 1;

	format_state(state, sizeof state, p, now, ended);
	used += (size_t)snprintf(line + used, 64, "%.32s ", p->phase);
	if (p->total) {
		unsigned done = percent(p, now.bytes);
		size_t taken = used - start + strlen("100% ") + strlen(state);

		used += (size_t)snprintf(line + used, 8, "%3u%% ", done);
		used += format_bar(line + used, width > taken ? width - taken : 0, done);
	}
	used += (size_t)snprintf(line + used, sizeof line - used, "%s", state);
	if (used > start + width)
		used = start + width;
	if (ended)
		line[used++] = '\n';
	write_all(STDERR_FILENO, line, used);
	p->bar_stands = !ended;
}

static void show_line(const struct progress *p, struct sample now, bool ended)
{
	char state[LINE_SIZE / 2];

	format_state(state, sizeof state, p, now, ended);
	if (p->total)
		diag_note("%s %u%%, %s", p->phase, percent(p, now.bytes), state);
	else
		diag_note("%s %s", p->phase, state);
}

static void show_json(const struct progress *p, struct sample now)
{
	uint64_t rate = rate_since(window_start(p, now.ms), now);
	int64_t left = seconds_left(p, now, rate);
	uint64_t unit = p->steps ? STEP : 1;
	char total[24] = "null", seconds[24] = "null", line[LINE_SIZE];
	int len;

	if (p->total)
		snprintf(total, sizeof total, "%" PRIu64, p->total / unit);
	if (left >= 0)
		snprintf(seconds, sizeof seconds, "%" PRId64, left);
	len = snprintf(line, sizeof line,
	               "{\"type\":\"progress\",\"phase\":\"%s\",\"%s\":%" PRIu64
	               ",\"total\":%s,\"seconds_left\":%s}\n",
	               p->phase, p->steps ? "steps" : "bytes", now.bytes / unit, total, seconds);
	write_all(STDOUT_FILENO, line, (size_t)len);
}

static void show(struct progress *p, struct sample now, bool ended)
{
	switch (p->form) {
	case FORM_BAR: show_bar(p, now, ended); break;
	case FORM_LINE: show_line(p, now, ended); break;
	case FORM_JSON: show_json(p, now); break;
	}
	p->shown = true;
	p->shown_at = now.ms;
}

static struct sample current(const struct progress *p)
{
	return (struct sample){.ms = (uint64_t)clock_ms(), .bytes = atomic_load(&p->done)};
}

/* Holds the lock from before a message until behind it. */
static void step_aside(bool before)
{
	struct progress *p = on_terminal;

	if (before) {
		pthread_mutex_lock(&p->lock);
		if (p->bar_stands)
			write_all(STDERR_FILENO, CLEAR_LINE, strlen(CLEAR_LINE));
		return;
	}
	if (p->bar_stands)
		show_bar(p, current(p), false);
	pthread_mutex_unlock(&p->lock);
}

static bool can_draw(void)
{
	const char *term = getenv("TERM");

	return isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
}

int progress_new(struct progress **progress, enum progress_mode mode)
{
	struct progress *p = calloc(1, sizeof *p);

	if (!p)
		return STATUS_NOMEM;
	pthread_mutex_init(&p->lock, NULL);
	p->mode = mode;
	p->form = mode == PROGRESS_JSON ? FORM_JSON : can_draw() ? FORM_BAR : FORM_LINE;
	atomic_init(&p->done, 0);
	atomic_init(&p->due, UINT64_MAX);
	if (mode == PROGRESS_TEXT && p->form == FORM_BAR) {
		on_terminal = p;
		diag_set_hook(step_aside);
	}
	*progress = p;
	return STATUS_OK;
}

static void start(struct progress *p, const char *phase, uint64_t total, bool steps)
{
	if (p->mode == PROGRESS_SILENT)
		return;
	pthread_mutex_lock(&p->lock);
	p->phase = phase;
	p->total = total;
	p->steps = steps;
	p->sample_count = 0;
	p->shown = false;
	atomic_store(&p->done, 0);
	p->start = current(p);
	p->shown_at = p->start.ms;
	add_sample(p, p->start);
	atomic_store(&p->due, p->start.ms + TICK_MS);
	pthread_mutex_unlock(&p->lock);
}

void progress_start(struct progress *p, const char *phase, uint64_t total)
{
	start(p, phase, total, false);
}

void progress_start_steps(struct progress *p, const char *phase, uint64_t total)
{
	start(p, phase, total * STEP, true);
}

static void tick(struct progress *p, struct sample now)
{
	static const uint64_t every[] = {
		[FORM_BAR] = TICK_MS, [FORM_LINE] = LINE_MS, [FORM_JSON] = JSON_MS};

	if (now.ms - p->shown_at >= every[p->form])
		show(p, now, false);
	add_sample(p, now);
	atomic_store(&p->due, now.ms + TICK_MS);
}

void progress_update(struct progress *p, uint64_t bytes_done)
{
	struct sample now = {.bytes = bytes_done};

	if (p->mode == PROGRESS_SILENT)
		return;
	atomic_store_explicit(&p->done, bytes_done, memory_order_relaxed);
	now.ms = (uint64_t)clock_ms();
	if (now.ms < atomic_load_explicit(&p->due, memory_order_relaxed))
		return;
	/* Whoever holds it is drawing: nothing is lost. */
	if (pthread_mutex_trylock(&p->lock))
		return;
	if (p->phase && now.ms >= atomic_load(&p->due))
		tick(p, now);
	pthread_mutex_unlock(&p->lock);
}

void progress_step(struct progress *p)
{
	progress_update(p, atomic_load(&p->done) + STEP);
}

void progress_finish(struct progress *p)
{
	if (p->mode == PROGRESS_SILENT)
		return;
	pthread_mutex_lock(&p->lock);
	if (p->phase && (p->shown || p->form == FORM_JSON))
		show(p, current(p), true);
	p->phase = NULL;
	p->bar_stands = false;
	atomic_store(&p->due, UINT64_MAX);
	pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_finish(p);
	if (on_terminal == p) {
		diag_set_hook(NULL);
		on_terminal = NULL;
	}
	pthread_mutex_destroy(&p->lock);
	free(p);
}
