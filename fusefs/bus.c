#include "fusefs/bus.h"

#include <stddef.h>

#ifdef HAVE_LIBSYSTEMD

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

static const char service[] = "org.freedesktop.login1";
static const char manager_path[] = "/org/freedesktop/login1";
static const char manager[] = "org.freedesktop.login1.Manager";
static const char session[] = "org.freedesktop.login1.Session";

enum { ANSWER_USEC = 2000000 };

struct bus {
	sd_bus *bus;
	enum bus_news news;
	int delay_fd; /* sleep waits while it is open */
};

static int on_sleep(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct bus *b = context;
	int begins = 0;

	(void)error;
	if (sd_bus_message_read(message, "b", &begins) >= 0 && begins)
		b->news = BUS_SLEEP;
	return 0;
}

/* Is the session at path one of this user?  If it cannot be told, it is. */
static int is_ours(sd_bus *bus, const char *path)
{
	uint32_t uid = getuid();
	sd_bus_message *answer = NULL;

	if (sd_bus_get_property(bus, service, path, session, "User", NULL, &answer, "(uo)") >= 0)
		sd_bus_message_read(answer, "(uo)", &uid, NULL);
	sd_bus_message_unref(answer);
	return uid == getuid();
}

static int on_lock(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct bus *b = context;

	(void)error;
	if (is_ours(b->bus, sd_bus_message_get_path(message)))
		b->news = BUS_LOCK;
	return 0;
}

/* A lower limit than "as long as this takes" is logind's to set. */
static void ask_for_delay(struct bus *b)
{
	sd_bus_message *answer = NULL;
	int fd;

	if (sd_bus_call_method(b->bus, service, manager_path, manager, "Inhibit", NULL, &answer,
	                       "ssss", "sleep", "satchel-mount", "ending", "delay") >= 0 &&
	    sd_bus_message_read(answer, "h", &fd) >= 0)
		b->delay_fd = dup(fd);
	sd_bus_message_unref(answer);
}

struct bus *bus_open(void)
{
	struct bus *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->delay_fd = -1;
	if (sd_bus_open_system(&b->bus) < 0 ||
	    sd_bus_set_method_call_timeout(b->bus, ANSWER_USEC) < 0 ||
	    sd_bus_match_signal(b->bus, NULL, service, manager_path, manager, "PrepareForSleep",
	                        on_sleep, b) < 0 ||
	    sd_bus_match_signal(b->bus, NULL, service, NULL, session, "Lock", on_lock, b) < 0) {
		sd_bus_unref(b->bus);
		free(b);
		return NULL;
	}
	ask_for_delay(b);
	return b;
}

int bus_fd(const struct bus *bus)
{
	return bus ? sd_bus_get_fd(bus->bus) : -1;
}

enum bus_news bus_hear(struct bus *bus)
{
	while (bus && !bus->news && sd_bus_process(bus->bus, NULL) > 0)
		;
	return bus ? bus->news : BUS_NOTHING;
}

#else

struct bus *bus_open(void)
{
	return NULL;
}

int bus_fd(const struct bus *bus)
{
	(void)bus;
	return -1;
}

enum bus_news bus_hear(struct bus *bus)
{
	(void)bus;
	return BUS_NOTHING;
}

#endif
