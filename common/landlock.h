/* Where a process may still read and write once it knows what it is about: hostile
 * bytes that take it over find no other file.  Outside thing: Landlock, by system
 * call.  landlock(7). */
#ifndef COMMON_LANDLOCK_H
#define COMMON_LANDLOCK_H

#include <stdbool.h>

/* A directory and all below it. */
struct landlock_place {
	const char *path;
	bool write; /* make, write, rename and remove files, too */
};

/* For this thread and those that it starts; no new privileges, no program, and where
 * the kernel knows how no network and, unless signals, none to other processes.  What
 * is open stays open.  A place that is not there gives nothing.  Again and again: what
 * is left is what all allow.  False: the kernel has no Landlock, and nothing is changed
 * but the privileges. */
bool landlock_restrict(const struct landlock_place *place, unsigned count, bool signals);

#endif
