#include "common/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/status.h"

enum {
	ATTEMPTS = 3,
	TTY_LINE = 4096, /* a terminal's longest line */
	SIGNAL_COUNT = 6,
	LOOK_MS = 100,
};

static const int signals[SIGNAL_COUNT] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1};

/* Numbers of the signals that came, from the handler to the prompt.  A pipe,
 * because the handler may run in any thread. */
static int caught[2] = {-1, -1};

struct prompt {
	int fd;
	bool hushed;
	struct termios mode;
	sigset_t mask;
	struct sigaction action[SIGNAL_COUNT];
};

static void on_signal(int no)
{
	int saved = errno;
	unsigned char byte = (unsigned char)no;
	ssize_t rc = write(caught[1], &byte, 1);

	(void)rc;
	errno = saved;
}

static void catch_signals(struct prompt *p)
{
	struct sigaction note = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		sigaction(signals[i], &note, &p->action[i]);
		/* What the program ignores stays ignored (nohup). */
		if (p->action[i].sa_handler == SIG_IGN)
			sigaction(signals[i], &p->action[i], NULL);
		sigaddset(&set, signals[i]);
	}
	pthread_sigmask(SIG_UNBLOCK, &set, &p->mask);
}

static void release_signals(const struct prompt *p)
{
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		sigaction(signals[i], &p->action[i], NULL);
	pthread_sigmask(SIG_SETMASK, &p->mask, NULL);
}

static int set_mode(int fd, int when, const struct termios *mode)
{
	int rc;

	do
		rc = tcsetattr(fd, when, mode);
	while (rc && errno == EINTR);
	return rc;
}

static int hush(struct prompt *p)
{
	struct termios mode;

	p->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (p->fd < 0 || tcgetattr(p->fd, &p->mode) || pipe2(caught, O_CLOEXEC | O_NONBLOCK))
		return STATUS_IO;
	catch_signals(p);
	p->hushed = true;
	mode = p->mode;
	mode.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	mode.c_lflag |= ICANON | ISIG;
	mode.c_iflag |= ICRNL;
	return set_mode(p->fd, TCSAFLUSH, &mode) ? STATUS_IO : STATUS_OK;
}

/* Everything as it was, then let the signals that came do what they do.
 * Returns one of them, a stop only if nothing else came, 0 if none did. */
static int unhush(struct prompt *p)
{
	unsigned char no;
	int which = 0, saved = errno;

	if (p->hushed) {
		set_mode(p->fd, TCSADRAIN, &p->mode);
		release_signals(p);
		while (read(caught[0], &no, 1) == 1) {
			which = which && no == SIGTSTP ? which : no;
			kill(getpid(), no);
		}
		close(caught[0]);
		close(caught[1]);
	}
	if (p->fd >= 0)
		close(p->fd);
	errno = saved;
	return which;
}

static int say(int fd, const char *text)
{
	return write(fd, text, strlen(text)) < 0 ? STATUS_IO : STATUS_OK;
}

/* Raw bytes -> passphrase: the rules that a prompt and a file share. */
static int take(struct passphrase *out, const char *raw, size_t len)
{
	int status;

	while (len && (raw[len - 1] == '\n' || raw[len - 1] == '\r'))
		len--;
	status = kdf_passphrase_normalize(raw, len, out->text, &out->len);
	if (status)
		return status;
	if (memchr(out->text, '\n', out->len) || memchr(out->text, '\r', out->len))
		return STATUS_PASSPHRASE;
	return STATUS_OK;
}

/* The same for what is not ours to change. */
static int take_raw(struct passphrase *out, const char *raw, size_t len)
{
	while (len && (raw[len - 1] == '\n' || raw[len - 1] == '\r'))
		len--;
	if (len > sizeof out->text)
		return STATUS_TOOBIG;
	memcpy(out->text, raw, len);
	out->len = len;
	return STATUS_OK;
}

typedef int taker(struct passphrase *out, const char *raw, size_t len);

static int read_answer(const struct prompt *p, struct passphrase *out, taker *take_answer)
{
	struct pollfd ready[2] = {{.fd = p->fd, .events = POLLIN},
	                          {.fd = caught[0], .events = POLLIN}};
	char line[TTY_LINE];
	ssize_t got;
	int status = STATUS_IO;

	while (poll(ready, 2, -1) < 0)
		if (errno != EINTR)
			return STATUS_IO;
	if (ready[1].revents)
		return STATUS_CANCELLED;
	got = read(p->fd, line, sizeof line);
	if (got >= 0)
		status = take_answer(out, line, (size_t)got);
	explicit_bzero(line, sizeof line);
	return status;
}

static int ask_once(struct passphrase *out, const char *prompt, taker *take_answer)
{
	int status, signal_no;

	do {
		struct prompt p = {.fd = -1};

		status = hush(&p);
		if (status == STATUS_OK)
			status = say(p.fd, prompt);
		if (status == STATUS_OK) {
			status = read_answer(&p, out, take_answer);
			say(p.fd, "\n");
		}
		signal_no = unhush(&p);
	} while (signal_no == SIGTSTP);
	return signal_no ? STATUS_CANCELLED : status;
}

static void say_they_differ(void)
{
	int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return;
	say(fd, "they differ\n");
	close(fd);
}

/* No timing to hide: both come from the same hand. */
static bool same(const struct passphrase *a, const struct passphrase *b)
{
	return a->len == b->len && !memcmp(a->text, b->text, a->len);
}

int passphrase_ask(struct passphrase *out, const char *prompt, bool confirm)
{
	struct passphrase again;
	int status = STATUS_PASSPHRASE;

	for (int i = 0; i < ATTEMPTS; i++) {
		status = ask_once(out, prompt, take);
		if (status || !confirm)
			break;
		status = ask_once(&again, "once more: ", take);
		if (status == STATUS_OK && same(out, &again))
			break;
		if (status == STATUS_IO || status == STATUS_CANCELLED)
			break;
		say_they_differ();
		status = STATUS_PASSPHRASE;
	}
	explicit_bzero(&again, sizeof again);
	if (status)
		explicit_bzero(out, sizeof *out);
	return status;
}

int passphrase_ask_raw(struct passphrase *out, const char *prompt)
{
	int status = ask_once(out, prompt, take_raw);

	if (status)
		explicit_bzero(out, sizeof *out);
	return status;
}

/* Has a signal come that is blocked?  Where none is, it has done what it does. */
static bool signal_waits(void)
{
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < SIGNAL_COUNT; i++)
		if (signals[i] != SIGTSTP && sigismember(&pending, signals[i]) == 1)
			return true;
	return false;
}

/* Until there is something, which may be the end.  False: a signal has come. */
static bool wait_for_bytes(int fd)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};

	while (poll(&input, 1, LOOK_MS) <= 0)
		if (signal_waits())
			return false;
	return true;
}

int passphrase_read_fd(struct passphrase *out, int fd)
{
	char raw[2 * KDF_PASSPHRASE_MAX];
	size_t len = 0;
	ssize_t got;
	int status = STATUS_IO;

	do {
		if (!wait_for_bytes(fd)) {
			got = -1;
			status = STATUS_CANCELLED;
			break;
		}
		got = read(fd, raw + len, sizeof raw - len);
		if (got > 0)
			len += (size_t)got;
	} while ((got > 0 && len < sizeof raw) || (got < 0 && errno == EINTR));
	if (got >= 0)
		status = len < sizeof raw ? take(out, raw, len) : STATUS_TOOBIG;
	explicit_bzero(raw, sizeof raw);
	if (status)
		explicit_bzero(out, sizeof *out);
	return status;
}

int passphrase_read_file(struct passphrase *out, const char *path)
{
	int fd, status;

	if (!strcmp(path, "-"))
		return passphrase_read_fd(out, STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		explicit_bzero(out, sizeof *out);
		return STATUS_IO;
	}
	status = passphrase_read_fd(out, fd);
	close(fd);
	return status;
}
