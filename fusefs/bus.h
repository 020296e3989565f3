/* What logind announces on the system bus: the machine is about to sleep, the
 * screen is being locked, or was.  Without a bus, without logind, or built without
 * libsystemd: silence. */
#ifndef FUSEFS_BUS_H
#define FUSEFS_BUS_H

enum bus_news { BUS_NOTHING, BUS_SLEEP, BUS_LOCK };

struct bus;

/* Connect, and ask that sleep be delayed until this process is gone.  NULL:
 * there is nothing to hear. */
struct bus *bus_open(void);

/* For poll(2): the descriptor (-1 for NULL). */
int bus_fd(const struct bus *bus);

/* Take in what has come. */
enum bus_news bus_hear(struct bus *bus);

#endif
