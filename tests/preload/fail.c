/* A disk that misbehaves, put before the C library (LD_PRELOAD) by scripts.
 *
 * SHIM_FILE    the end of the path of the file that it is about
 * SHIM_AT      the pread of it that is the first one to go wrong, from 1
 * SHIM_DO      eio       that read fails, and all that follow
 *              other     that read and all that follow give other bytes
 *              truncate  the file becomes shorter before that read
 *              unlink    the file is gone before it
 *              grow      the file becomes longer before it
 *              alter     it has another byte, and its old times again
 *              replace   another file has its name
 * SHIM_TO      what it happens to, beside that file, if not itself */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int count;

static int is_meant(int fd, char path[static 4096])
{
	const char *end = getenv("SHIM_FILE");
	char link[64];
	ssize_t len;

	if (!end)
		return 0;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, 4095);
	if (len < (ssize_t)strlen(end))
		return 0;
	path[len] = '\0';
	return !strcmp(path + len - strlen(end), end);
}

static void alter(const char *path)
{
	int fd = open(path, O_WRONLY);
	struct stat st;

	fstat(fd, &st);
	(void)!pwrite(fd, "?", 1, st.st_size - 1);
	futimens(fd, (struct timespec[]){st.st_atim, st.st_mtim});
	close(fd);
}

static void replace(const char *path)
{
	char other[4096 + 4];
	int fd;

	snprintf(other, sizeof other, "%s.new", path);
	fd = open(other, O_WRONLY | O_CREAT, 0644);
	(void)!write(fd, "another\n", 8);
	close(fd);
	(void)!rename(other, path);
}

static void look_elsewhere(char path[static 4096])
{
	char *name = strrchr(path, '/');

	if (!getenv("SHIM_TO") || !name)
		return;
	snprintf(name + 1, (size_t)(path + 4096 - name - 1), "%s", getenv("SHIM_TO"));
}

static void act(const char *what, char path[static 4096])
{
	struct stat st;

	look_elsewhere(path);
	if (!strcmp(what, "truncate"))
		(void)!truncate(path, 1000);
	if (!strcmp(what, "unlink"))
		unlink(path);
	if (!strcmp(what, "grow") && !stat(path, &st))
		(void)!truncate(path, st.st_size + 1);
	if (!strcmp(what, "alter"))
		alter(path);
	if (!strcmp(what, "replace"))
		replace(path);
}

/* The packer is confined: somebody outside does it for us. */
static int ask[2], answer[2];

__attribute__((constructor)) static void begin(void)
{
	char path[4096];

	if (!getenv("SHIM_DO") || pipe(ask) || pipe(answer) || fork())
		return;
	close(ask[1]);
	while (read(ask[0], path, sizeof path) == sizeof path) {
		act(getenv("SHIM_DO"), path);
		(void)!write(answer[1], path, 1);
	}
	_exit(0);
}

static void have_done(char path[static 4096])
{
	(void)!write(ask[1], path, 4096);
	(void)!read(answer[0], path, 1);
}

ssize_t pread64(int fd, void *buf, size_t len, off_t off);
ssize_t pread64(int fd, void *buf, size_t len, off_t off)
{
	ssize_t (*real)(int, void *, size_t, off_t) =
		(ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64");
	const char *what = getenv("SHIM_DO"), *at = getenv("SHIM_AT");
	char path[4096] = "";
	ssize_t got;

	if (!what || !at || !is_meant(fd, path) || ++count < atoi(at))
		return real(fd, buf, len, off);
	if (count == atoi(at))
		have_done(path);
	if (!strcmp(what, "eio")) {
		errno = EIO;
		return -1;
	}
	got = real(fd, buf, len, off);
	if (!strcmp(what, "other") && got > 0)
		((char *)buf)[got - 1] ^= 1;
	return got;
}
