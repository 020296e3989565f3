#include "fusefs/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "common/clock.h"
#include "common/diag.h"
#include "common/status.h"
#include "common/swap.h"
#include "fusefs/bus.h"
#include "fusefs/group.h"
#include "fusefs/inherited.h"
#include "fusefs/mountpoint.h"
#include "fusefs/options.h"

/* What the serving process tells its supervisor, a byte at a time; and what it is told. */
enum { SAY_LISTEN = 'h', SAY_READY = 'r', SAY_DETACH = 'd' };
enum {
	SAY_LISTENING = 'H',
	SAY_GONE = 'g',
	SAY_SLEEP = 's',
	SAY_LOCK = 'l',
	SAY_DETACHED = 'D',
};

struct watchman {
	pid_t child;
	int child_fd; /* to the serving process */
	int signal_fd;
	int mounts_fd; /* the list of mounts, once ours stands there; -1: it does not */
	int front_fd;  /* to the process that waits in front; -1: none */
	const char *directory;
	struct mountpoint mount;
	struct bus *bus; /* NULL: it was not asked for, or there is none */
	bool is_asked;   /* to listen, and has not said that it does */
};

void supervisor_signals(sigset_t *set)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		sigaddset(set, ends[i]);
}

static void set_stops(void (*handler)(int))
{
	signal(SIGTSTP, handler);
	signal(SIGTTIN, handler);
	signal(SIGTTOU, handler);
}

void supervisor_ignore_stops(void)
{
	set_stops(SIG_IGN);
}

void supervisor_allow_stops(void)
{
	set_stops(SIG_DFL);
}

static bool say(int fd, char what)
{
	ssize_t put;

	do
		put = write(fd, &what, 1);
	while (put < 0 && errno == EINTR);
	return put == 1;
}

/* Standard input and output to nowhere.  Returns a descriptor that leads there, or -1. */
static int leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") || null < 0)
		return null;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	return null;
}

static void leave_all(void)
{
	int null = leave_terminal();

	dup2(null, STDERR_FILENO);
	close(null);
}

/* --- the serving process ---------------------------------------------------------- */

void supervisor_leave_terminal(struct supervisor *supervisor)
{
	int null;

	if (!supervisor->background)
		return;
	null = leave_terminal();
	if (isatty(STDERR_FILENO))
		close(null);
	else
		supervisor->null_fd = null;
}

void supervisor_ready(struct supervisor *supervisor)
{
	if (supervisor->null_fd >= 0) {
		dup3(supervisor->null_fd, STDERR_FILENO, 0);
		close(supervisor->null_fd);
	}
	say(supervisor->fd, SAY_READY);
}

/* What it says next; 0: nothing for so long, -1: it is gone. */
static int next_word(const struct supervisor *supervisor, int64_t milliseconds)
{
	struct pollfd ready = {.fd = supervisor->fd, .events = POLLIN};
	char word;
	ssize_t got;

	if (milliseconds < 0 || poll(&ready, 1, (int)milliseconds) <= 0)
		return 0;
	got = read(supervisor->fd, &word, 1);
	if (got < 0 && errno == EINTR)
		return 0;
	return got == 1 ? word : -1;
}

/* What else it says is for later. */
void supervisor_listen(struct supervisor *supervisor, unsigned milliseconds)
{
	int64_t deadline = clock_ms() + milliseconds;
	int word;

	say(supervisor->fd, SAY_LISTEN);
	do {
		word = next_word(supervisor, deadline - clock_ms());
		if (word && word != SAY_LISTENING)
			supervisor->word = word;
	} while (word > 0 && word != SAY_LISTENING);
}

enum supervisor_news supervisor_hear(struct supervisor *supervisor)
{
	int word = supervisor->word;

	supervisor->word = 0;
	switch (word ? word : next_word(supervisor, 0)) {
	case -1:
	case SAY_GONE: return SUPERVISOR_GONE;
	case SAY_SLEEP: return SUPERVISOR_SLEEP;
	case SAY_LOCK: return SUPERVISOR_LOCK;
	default: return SUPERVISOR_NOTHING;
	}
}

/* Whatever else it has to say first. */
void supervisor_detach(struct supervisor *supervisor, unsigned milliseconds)
{
	int64_t deadline = clock_ms() + milliseconds;
	int word;

	say(supervisor->fd, SAY_DETACH);
	do
		word = next_word(supervisor, deadline - clock_ms());
	while (word > 0 && word != SAY_DETACHED);
}

/* Threads still use what there is: nothing is freed, but what nothing leads to any
 * more is a leak.  (From namespaces of its own LeakSanitizer cannot look.) */
static void leave(const struct options *options, int code)
{
#ifdef __SANITIZE_ADDRESS__
	if (!options->program)
		__lsan_do_leak_check();
#endif
	(void)options;
	_exit(code);
}

static int start_serving(const struct options *options, const struct group *group, int fd,
                         pid_t parent, int (*serve)(const struct options *, struct supervisor *))
{
	struct supervisor supervisor = {
		.fd = fd, .null_fd = -1, .background = !options->foreground};

	/* Without its supervisor nobody would take the mount away. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		return EXIT_FAILED;
	group_enter(group);
	return serve(options, &supervisor);
}

/* --- the supervisor ------------------------------------------------------------------ */

int supervisor_exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* False: it is there no more. */
static bool tell_front(struct watchman *w, int code)
{
	bool told;

	if (w->front_fd < 0)
		return true;
	told = say(w->front_fd, (char)code);
	close(w->front_fd);
	w->front_fd = -1;
	return told;
}

static void hear_child(struct watchman *w)
{
	char what;

	ssize_t got = read(w->child_fd, &what, 1);

	if (got < 0 && errno == EINTR)
		return;
	if (got != 1) {
		close(w->child_fd);
		w->child_fd = -1; /* its end follows */
		return;
	}
	if (what == SAY_LISTEN && !w->bus) {
		w->bus = bus_open();
		w->is_asked = true;
	} else if (what == SAY_READY) {
		supervisor_ignore_stops();
		if (w->directory && mountpoint_find(&w->mount, w->directory))
			w->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
		if (w->front_fd >= 0)
			leave_all();
		if (!tell_front(w, 0)) /* who asked for it does not know of it */
			kill(w->child, SIGTERM);
	} else if (what == SAY_DETACH) {
		mountpoint_detach(&w->mount);
		say(w->child_fd, SAY_DETACHED);
	}
}

/* Taken away lazily, or while another namespace has a copy, it lives on where nobody sees it:
 * the kernel says nothing to who serves it. */
static void hear_mounts(struct watchman *w)
{
	if (mountpoint_is_there(&w->mount))
		return;
	close(w->mounts_fd);
	w->mounts_fd = -1;
	say(w->child_fd, SAY_GONE);
}

static void hear_bus(struct watchman *w)
{
	switch (bus_hear(w->bus)) {
	case BUS_SLEEP: say(w->child_fd, SAY_SLEEP); break;
	case BUS_LOCK: say(w->child_fd, SAY_LOCK); break;
	case BUS_NOTHING: break;
	}
	if (w->is_asked && bus_is_settled(w->bus)) {
		w->is_asked = false;
		say(w->child_fd, SAY_LISTENING);
	}
}

/* True: the child has ended; *code. */
static bool hear_signal(struct watchman *w, int *code)
{
	struct signalfd_siginfo info;
	int status;

	if (read(w->signal_fd, &info, sizeof info) != sizeof info)
		return false;
	if (info.ssi_signo != SIGCHLD) {
		kill(w->child, (int)info.ssi_signo);
		return false;
	}
	if (waitpid(w->child, &status, WNOHANG) != w->child)
		return false;
	*code = supervisor_exit_code(status);
	return true;
}

static int watch(struct watchman *w)
{
	int code = EXIT_FAILED;

	for (;;) {
		struct pollfd ready[4] = {
			{.fd = w->signal_fd, .events = POLLIN},
			{.fd = w->child_fd, .events = POLLIN},
			{.fd = w->mounts_fd, .events = POLLPRI},
		};

		if (poll(ready, 4, bus_wait(w->bus, &ready[3])) < 0)
			continue;
		if (ready[1].revents)
			hear_child(w);
		if (ready[2].revents && w->child_fd >= 0)
			hear_mounts(w);
		if (w->child_fd >= 0)
			hear_bus(w);
		if (ready[0].revents && hear_signal(w, &code))
			break;
	}
	/* What it still said before it died. */
	while (w->child_fd >= 0)
		hear_child(w);
	mountpoint_detach(&w->mount);
	/* And where it could not be looked up: it is dead now, and nobody's. */
	if (w->directory)
		mountpoint_clear_stale(*w->mount.path ? w->mount.path : w->directory);
	tell_front(w, code);
	bus_close(w->bus);
	return code;
}

static int supervise(const struct options *options, const char *directory, int front_fd,
                     int (*serve)(const struct options *, struct supervisor *))
{
	struct watchman w = {.front_fd = front_fd, .directory = directory, .mounts_fd = -1};
	struct group group = {0};
	int code = EXIT_FAILED;
	pid_t self = getpid();
	sigset_t blocked;
	int pair[2];

	supervisor_signals(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		diag_error(NULL, "%s", strerror(errno));
		return EXIT_FAILED;
	}
	/* What a program shows is in its memory. */
	if (options->program && swap_is_exposed())
		group_make(&group);
	w.child = fork();
	if (w.child == 0) {
		close(pair[0]);
		if (front_fd >= 0)
			close(front_fd);
		leave(options, start_serving(options, &group, pair[1], self, serve));
	}
	close(pair[1]);
	inherited_close();
	w.child_fd = pair[0];
	w.signal_fd = signalfd(-1, &blocked, SFD_CLOEXEC);
	if (w.child < 0 || w.signal_fd < 0)
		diag_error(NULL, "%s", strerror(errno));
	else
		code = watch(&w);
	group_remove(&group);
	return code;
}

/* The process that the user started waits for a byte: the exit code.  Where it fails, there is
 * no mount when it returns. */
static int wait_in_front(pid_t supervisor, int fd)
{
	unsigned char code = EXIT_FAILED;
	ssize_t got;

	do
		got = read(fd, &code, 1);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		diag_error(NULL, "%s", strerror(errno));
		kill(supervisor, SIGTERM);
		waitpid(supervisor, NULL, 0);
	}
	return got == 1 ? code : EXIT_FAILED;
}

int supervisor_run(const struct options *options, const char *directory,
                   int (*serve)(const struct options *, struct supervisor *))
{
	int ready[2];
	pid_t child;

	if (options->foreground)
		return supervise(options, directory, -1, serve);
	if (pipe2(ready, O_CLOEXEC) || (child = fork()) < 0) {
		diag_error(NULL, "%s", strerror(errno));
		return EXIT_FAILED;
	}
	if (child == 0) {
		close(ready[0]);
		return supervise(options, directory, ready[1], serve);
	}
	close(ready[1]);
	return wait_in_front(child, ready[0]);
}
