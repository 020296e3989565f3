#include "fusefs/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/securebits.h>

#include "common/diag.h"
#include "common/status.h"
#include "fusefs/inherited.h"
#include "fusefs/options.h"
#include "fusefs/sandbox.h"
#include "fusefs/supervisor.h"

/* Where the mount goes if the user does not care; nobody else sees it. */
static const char default_directory[] = "/tmp/files";

enum { COVERED_MAX = 20, KEPT_MAX = 16 };

static int fail(const char *what)
{
	diag_error(what, "%s", strerror(errno));
	return EXIT_FAILED;
}

/* Namespaces may be switched off, or give no rights, and old kernels lack calls. */
static int refuse_session(void)
{
	diag_error(NULL,
	           "a private session is not to be had on this system (%s); see DIAGNOSTICS in "
	           "satchel-mount(1), or use satchel-read cat",
	           strerror(errno));
	return EXIT_FAILED;
}

/* --- namespaces ------------------------------------------------------------------- */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;

	if (fd < 0)
		return false;
	do
		put = write(fd, text, strlen(text)); /* the kernel takes it as a whole, or not */
	while (put < 0 && errno == EINTR);
	close(fd);
	return put == (ssize_t)strlen(text);
}

/* In the namespace everybody is who he was. */
static bool map_ids(uid_t uid, gid_t gid)
{
	char users[64], groups[64];

	snprintf(users, sizeof users, "%lu %lu 1", (unsigned long)uid, (unsigned long)uid);
	snprintf(groups, sizeof groups, "%lu %lu 1", (unsigned long)gid, (unsigned long)gid);
	return write_file("/proc/self/uid_map", users) &&
	       write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/gid_map", groups);
}

/* The network ends at this machine; on it, a program may still serve itself. */
static void raise_loopback(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	ioctl(fd, SIOCSIFFLAGS, &loopback);
	close(fd);
}

static int enter_namespaces(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) ||
	    !map_ids(uid, gid) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return refuse_session();
	raise_loopback();
	return 0;
}

/* --- the program ---------------------------------------------------------------------- */

/* What would lead to services outside, which keep what they are told. */
static void clean_environment(void)
{
	setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "disabled:", 1);
	setenv("GIO_USE_VFS", "local", 1);
	setenv("GSETTINGS_BACKEND", "memory", 1);
	unsetenv("SESSION_MANAGER");
	unsetenv("SSH_AUTH_SOCK");
	unsetenv("GPG_AGENT_INFO");
}

/* The namespace's root may mount and unmount; the program may not. */
static void drop_rights(void)
{
	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Behind that descriptor is nothing but a terminal, another device of characters, or a pipe: what
 * was opened outside can be opened again by way of it, and written, as outside. */
static void leave_file(int fd, int flags)
{
	struct stat st;
	int null;

	if (fstat(fd, &st) || S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))
		return;
	null = open("/dev/null", flags | O_CLOEXEC);
	if (null < 0 || dup2(null, fd) < 0)
		close(fd);
	close(null);
}

/* Started from a menu, what a program prints goes to the journal, through a
 * socket, or into ~/.xsession-errors: to a disk.  Nor does it find another way there:
 * descriptors that this process was given. */
static void leave_logs(void)
{
	leave_file(STDOUT_FILENO, O_WRONLY);
	leave_file(STDERR_FILENO, O_WRONLY);
	close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

/* No core file of a viewer.  A limit of 0 keeps the kernel from writing one, but
 * not from feeding a program that collects them; 1 keeps it from both: core(5).
 * Where 1 is more than the user may have, the dump is at least without memory. */
static void leave_no_core(void)
{
	const struct rlimit one = {1, 1}, none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &one))
		setrlimit(RLIMIT_CORE, &none);
	write_file("/proc/self/coredump_filter", "0");
}

static void exec_program(const char *directory, char **argv)
{
	int code, errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	supervisor_allow_stops();
	leave_logs();
	clean_environment();
	leave_no_core();
	drop_rights();
	sandbox_typing();
	if (chdir(directory) == 0)
		execvp(argv[0], argv);
	code = errno == ENOENT ? 127 : 126;
	dup2(errors, STDERR_FILENO);
	diag_error(argv[0], "%s", strerror(errno));
	_exit(code);
}

/* Process 1 of the program's world: when it ends, all others are killed. */
static int be_first(const char *directory, char **argv)
{
	pid_t child, gone;
	int status;

	/* Where this is refused (in a container) the old one, with wrong numbers,
	 * stays. */
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	child = fork();
	if (child == 0)
		exec_program(directory, argv);
	if (child < 0)
		return fail(argv[0]);
	do
		gone = wait(&status);
	while (gone != child && (gone > 0 || errno == EINTR));
	return gone == child ? supervisor_exit_code(status) : 1;
}

/* A fork into process ids of its own.  Not unshare(2): afterwards this process
 * could not start threads. */
static pid_t fork_first(void)
{
	const unsigned long flags = CLONE_NEWPID | SIGCHLD;

#ifdef __s390x__ /* where the stack comes first */
	return (pid_t)syscall(SYS_clone, NULL, flags, NULL, NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
#endif
}

/* Nothing is said where the other end is gone: what went wrong was said there. */
static bool may_begin(int fd, const char *program)
{
	char begin;
	ssize_t got;

	do
		got = read(fd, &begin, 1);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		fail(program);
	return got == 1;
}

/* Where the session has its files.  The current directory may lie under a cover soon, and with
 * it what is named from there. */
static int find_directory(struct run *run, const char *directory)
{
	size_t len;

	run->directory = directory ? directory : default_directory;
	if (run->directory[0] == '/')
		return 0;
	if (!getcwd(run->place, sizeof run->place))
		return fail(directory);
	len = strlen(run->place);
	if ((size_t)snprintf(run->place + len, sizeof run->place - len, "/%s", directory) >=
	    sizeof run->place - len) {
		errno = ENAMETOOLONG;
		return fail(directory);
	}
	run->directory = run->place;
	return 0;
}

int run_prepare(struct run *run, const struct options *options)
{
	int go[2], code = find_directory(run, options->directory);

	if (code == 0)
		code = enter_namespaces();
	if (code)
		return code;
	if (pipe2(go, O_CLOEXEC))
		return fail(options->program[0]);
	run->program = fork_first();
	if (run->program == 0) {
		close(go[1]);
		inherited_close();
		leave_file(STDIN_FILENO, O_RDONLY); /* it may be what gave the passphrase */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!may_begin(go[0], options->program[0]))
			_exit(1);
		_exit(be_first(run->directory, options->program));
	}
	close(go[0]);
	run->go_fd = go[1];
	return run->program < 0 ? fail(options->program[0]) : 0;
}

void run_begin(struct run *run)
{
	ssize_t put;

	do
		put = write(run->go_fd, "g", 1);
	while (put < 0 && errno == EINTR);
	close(run->go_fd);
}

void run_kill(const struct run *run)
{
	kill(run->program, SIGKILL);
}

/* --- what it finds there ----------------------------------------------------------------- */

/* A file or directory that stays visible in a place that is covered. */
struct kept {
	char path[PATH_MAX];
	int fd;
	bool is_directory;
};

struct places {
	unsigned covered_count, kept_count;
	char covered[COVERED_MAX][PATH_MAX];
	struct kept kept[KEPT_MAX];
	char home[PATH_MAX]; /* may lie in another one */
};

static bool is_below(const char *path, const char *directory)
{
	size_t len = strlen(directory);

	return !strncmp(path, directory, len) && (path[len] == '/' || path[len] == '\0');
}

static bool is_covered(const struct places *p, const char *path)
{
	for (unsigned i = 0; i < p->covered_count; i++)
		if (is_below(path, p->covered[i]))
			return true;
	return false;
}

static void cover_also(struct places *p, const char *path)
{
	char *to = p->covered[p->covered_count];
	struct stat st;

	if (path && p->covered_count < COVERED_MAX && realpath(path, to) && strcmp(to, "/") &&
	    !is_covered(p, to) && !stat(to, &st) && S_ISDIR(st.st_mode))
		p->covered_count++;
}

static void list_covered(struct places *p)
{
	const char *home = getenv("HOME");

	static const char *const variables[] = {"XDG_RUNTIME_DIR", "XDG_CACHE_HOME",
	                                        "XDG_CONFIG_HOME", "XDG_DATA_HOME",
	                                        "XDG_STATE_HOME",  "TMPDIR"};
	/* Behind the sockets are services that write: logs, print jobs; or that ask for names
	 * in the network, which tells everybody there what is being looked at. */
	static const char *const always[] = {
		"/tmp",      "/var/tmp",     "/dev/shm",          "/run/dbus",
		"/run/cups", "/run/systemd", "/run/avahi-daemon", "/run/nscd"};
	char run_user[64];

	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		cover_also(p, always[i]);
	if (home && realpath(home, p->home))
		cover_also(p, home);
	else
		*p->home = '\0'; /* it is filled in as far as there is something */
	snprintf(run_user, sizeof run_user, "/run/user/%lu", (unsigned long)getuid());
	cover_also(p, run_user);
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		cover_also(p, getenv(variables[i]));
}

static void keep(struct places *p, const char *path)
{
	struct kept *k = &p->kept[p->kept_count];
	struct stat st;

	if (p->kept_count == KEPT_MAX || !realpath(path, k->path) || !is_covered(p, k->path))
		return;
	k->fd = open(k->path, O_PATH | O_CLOEXEC);
	if (k->fd < 0 || fstat(k->fd, &st))
		return;
	k->is_directory = S_ISDIR(st.st_mode);
	p->kept_count++;
}

static void keep_in(struct places *p, const char *directory, const char *name)
{
	char path[PATH_MAX];

	if (!directory || !name)
		return;
	if (name[0] == '/')
		keep(p, name);
	else if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path)
		keep(p, path);
}

/* The file that execvp(3) would find. */
static void keep_program(struct places *p, const char *program)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];

	if (strchr(program, '/')) {
		keep(p, program);
		return;
	}
	while (path && *path) {
		size_t len = strcspn(path, ":");

		if (len + strlen(program) + 2 <= sizeof file) {
			sprintf(file, "%.*s/%s", (int)len, path, program);
			if (!access(file, X_OK)) {
				keep(p, file);
				return;
			}
		}
		path += len + (path[len] == ':');
	}
}

/* Screen and sound are reached through sockets that lie there. */
static void list_kept(struct places *p, const char *program)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *wayland = getenv("WAYLAND_DISPLAY");
	const char *authority = getenv("XAUTHORITY");

	keep(p, "/tmp/.X11-unix");
	keep_in(p, runtime, wayland ? wayland : "wayland-0");
	keep_in(p, runtime, "pipewire-0");
	keep_in(p, runtime, "pulse");
	keep_in(p, getenv("HOME"), authority ? authority : ".Xauthority");
	keep_program(p, program);
}

/* ramfs and not tmpfs: what is in it is never swapped. */
static int cover(const char *path)
{
	const char *mode =
		strcmp(path, "/tmp") && strcmp(path, "/var/tmp") && strcmp(path, "/dev/shm")
			? "mode=0700"
			: "mode=1777";

	return mount("none", path, "ramfs", MS_NOSUID | MS_NODEV, mode) ? fail(path) : 0;
}

/* The directories above path, as far as they lie in what is covered. */
static void make_parents(const struct places *p, char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (is_covered(p, path))
			mkdir(path, 0700);
		*slash = '/';
	}
}

static void show_again(const struct places *p, struct kept *k)
{
	char from[64];
	int fd;

	make_parents(p, k->path);
	if (k->is_directory) {
		mkdir(k->path, 0700);
	} else {
		fd = open(k->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
	}
	snprintf(from, sizeof from, "/proc/self/fd/%d", k->fd);
	if (mount(from, k->path, NULL, MS_BIND, NULL))
		diag_warn(k->path, "%s", strerror(errno));
	close(k->fd);
}

static int make_directory(const struct places *p, const char *directory)
{
	char path[PATH_MAX];
	struct stat st;

	if (stat(directory, &st) == 0)
		return S_ISDIR(st.st_mode) ? 0 : (errno = ENOTDIR, fail(directory));
	if (strlen(directory) < sizeof path) {
		strcpy(path, directory);
		make_parents(p, path);
	}
	return mkdir(directory, 0700) ? fail(directory) : 0;
}

static int arrange(struct places *p, const struct run *run, const char *program)
{
	struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
	int code = 0;

	list_covered(p);
	list_kept(p, program);
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only))
		return refuse_session();
	for (unsigned i = 0; i < p->covered_count && code == 0; i++)
		code = cover(p->covered[i]);
	mount("/dev/null", "/dev/log", NULL, MS_BIND, NULL); /* if that is a socket of its own */
	for (unsigned i = 0; i < p->kept_count && code == 0; i++)
		show_again(p, &p->kept[i]);
	if (code == 0 && *p->home)
		code = make_directory(p, p->home);
	return code ? code : make_directory(p, run->directory);
}

int run_cover(const struct run *run, const struct options *options)
{
	struct places *p = calloc(1, sizeof *p);
	int code;

	if (!p)
		return fail(NULL);
	code = arrange(p, run, options->program[0]);
	free(p);
	return code;
}
