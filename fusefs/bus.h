/* What logind announces on the system bus: the machine is about to sleep, the
 * screen is being locked, or was.  Without a bus, without logind, or built without
 * libsystemd: silence. */
#ifndef FUSEFS_BUS_H
#define FUSEFS_BUS_H

#include <stdbool.h>

struct pollfd;

enum bus_news { BUS_NOTHING, BUS_SLEEP, BUS_LOCK };

struct bus;

/* Begin to connect, and to ask that sleep be delayed until bus_close; nothing is waited for.
 * NULL: there is nothing to hear. */
struct bus *bus_open(void);

/* Is everything heard from now on, or never anything? */
bool bus_is_settled(const struct bus *bus);

/* NULL is allowed, here and below. */
void bus_close(struct bus *bus);

/* What poll(2) is to wait for; returns for how many milliseconds at most, -1 for ever. */
int bus_wait(const struct bus *bus, struct pollfd *ready);

/* Take in what has come.  Each piece of news is told once. */
enum bus_news bus_hear(struct bus *bus);

#endif
