#include "fusefs/bus.h"

#include <poll.h>
#include <stddef.h>

#ifdef HAVE_LIBSYSTEMD

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"

static const char service[] = "org.freedesktop.login1";
static const char manager_path[] = "/org/freedesktop/login1";
static const char manager[] = "org.freedesktop.login1.Manager";
static const char session[] = "org.freedesktop.login1.Session";
static const char properties[] = "org.freedesktop.DBus.Properties";
static const char changes[] = "type='signal',sender='org.freedesktop.login1',"
			      "interface='org.freedesktop.DBus.Properties',"
			      "member='PropertiesChanged',arg0='org.freedesktop.login1.Session'";

/* How long logind may take to say whose screen that is. */
enum { OWNER_USEC = 300000 };

struct bus {
	sd_bus *bus;      /* NULL: it broke */
	unsigned awaited; /* answers to what was asked for at first */
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

/* Whose session was locked.  If it cannot be told, it is one of this user. */
static int on_owner(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	struct bus *b = context;
	uint32_t uid = getuid();

	(void)error;
	if (!sd_bus_message_is_method_error(answer, NULL) &&
	    sd_bus_message_enter_container(answer, 'v', "(uo)") >= 0)
		sd_bus_message_read(answer, "(uo)", &uid, NULL);
	if (uid == getuid())
		b->news = BUS_LOCK;
	return 0;
}

/* The answer is not waited for: nothing else would be noticed meanwhile. */
static int on_lock(sd_bus_message *message, void *context, sd_bus_error *error)
{
	struct bus *b = context;

	(void)error;
	if (sd_bus_call_method_async(b->bus, NULL, service, sd_bus_message_get_path(message),
	                             properties, "Get", on_owner, b, "ss", session, "User") < 0)
		b->news = BUS_LOCK;
	return 0;
}

/* Of what has changed, is one that there is a lock now? */
static bool tells_of_lock(sd_bus_message *message)
{
	const char *name;
	int locked = 0;

	if (sd_bus_message_skip(message, "s") < 0 ||
	    sd_bus_message_enter_container(message, 'a', "{sv}") < 0)
		return false;
	while (!locked && sd_bus_message_enter_container(message, 'e', "sv") > 0) {
		if (sd_bus_message_read(message, "s", &name) < 0)
			return false;
		if (strcmp(name, "LockedHint"))
			sd_bus_message_skip(message, "v");
		else
			sd_bus_message_read(message, "v", "b", &locked);
		if (sd_bus_message_exit_container(message) < 0)
			return false;
	}
	return locked;
}

/* logind asks for a lock by a signal; who locks by himself, as a desktop does at a key,
 * tells it afterwards. */
static int on_change(sd_bus_message *message, void *context, sd_bus_error *error)
{
	return tells_of_lock(message) ? on_lock(message, context, error) : 0;
}

static int on_added(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	struct bus *b = context;

	(void)answer;
	(void)error;
	b->awaited--;
	return 0;
}

/* A lower limit than "as long as this takes" is logind's to set. */
static int on_delay(sd_bus_message *answer, void *context, sd_bus_error *error)
{
	struct bus *b = context;
	int fd;

	(void)error;
	if (!sd_bus_message_is_method_error(answer, NULL) &&
	    sd_bus_message_read(answer, "h", &fd) >= 0)
		b->delay_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	b->awaited--;
	return 0;
}

/* False: the bus is of no use. */
static bool ask(struct bus *b)
{
	b->awaited = 4;
	return sd_bus_match_signal_async(b->bus, NULL, service, manager_path, manager,
	                                 "PrepareForSleep", on_sleep, on_added, b) >= 0 &&
	       sd_bus_match_signal_async(b->bus, NULL, service, NULL, session, "Lock", on_lock,
	                                 on_added, b) >= 0 &&
	       sd_bus_add_match_async(b->bus, NULL, changes, on_change, on_added, b) >= 0 &&
	       sd_bus_call_method_async(b->bus, NULL, service, manager_path, manager, "Inhibit",
	                                on_delay, b, "ssss", "sleep", "satchel-mount", "ending",
	                                "delay") >= 0 &&
	       sd_bus_set_method_call_timeout(b->bus, OWNER_USEC) >= 0;
}

struct bus *bus_open(void)
{
	struct bus *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->delay_fd = -1;
	if (sd_bus_open_system(&b->bus) >= 0 && ask(b))
		return b;
	bus_close(b);
	return NULL;
}

/* It would be ready again at once; and sleep waits for nobody who does not hear of it. */
static void hang_up(struct bus *b)
{
	b->bus = sd_bus_close_unref(b->bus);
	if (b->delay_fd >= 0)
		close(b->delay_fd);
	b->delay_fd = -1;
}

void bus_close(struct bus *bus)
{
	if (bus)
		hang_up(bus);
	free(bus);
}

bool bus_is_settled(const struct bus *bus)
{
	return !bus || !bus->bus || !bus->awaited;
}

int bus_wait(const struct bus *bus, struct pollfd *ready)
{
	uint64_t now = (uint64_t)clock_ms(), until;
	int events;

	*ready = (struct pollfd){.fd = -1};
	if (!bus || !bus->bus)
		return -1;
	events = sd_bus_get_events(bus->bus);
	if (events >= 0)
		*ready = (struct pollfd){sd_bus_get_fd(bus->bus), (short)events, 0};
	if (sd_bus_get_timeout(bus->bus, &until) < 0 || until == UINT64_MAX)
		return -1;
	until = div_ceil(until, 1000);
	return until > now ? (int)min_u64(until - now, 60000) : 0;
}

enum bus_news bus_hear(struct bus *bus)
{
	enum bus_news news;
	int more = 1;

	if (!bus || !bus->bus)
		return BUS_NOTHING;
	while (!bus->news && more > 0)
		more = sd_bus_process(bus->bus, NULL);
	if (more < 0 || sd_bus_is_open(bus->bus) <= 0)
		hang_up(bus);
	news = bus->news;
	bus->news = BUS_NOTHING;
	return news;
}

#else

struct bus *bus_open(void)
{
	return NULL;
}

void bus_close(struct bus *bus)
{
	(void)bus;
}

bool bus_is_settled(const struct bus *bus)
{
	(void)bus;
	return true;
}

int bus_wait(const struct bus *bus, struct pollfd *ready)
{
	(void)bus;
	*ready = (struct pollfd){.fd = -1};
	return -1;
}

enum bus_news bus_hear(struct bus *bus)
{
	(void)bus;
	return BUS_NOTHING;
}

#endif
