/* The door to libarchive: what an archive holds, read once, in its order, and never
 * unpacked to disk. */
#ifndef BUNDLER_ARCHIVE_H
#define BUNDLER_ARCHIVE_H

struct members;
struct scan_options;
struct scan_report;
struct spill;

/* Take in what archive number no of the options holds: names into members, contents
 * and targets of links into kept.  What cannot be taken is named, on standard error,
 * and counted.
 * A failure has been said, but for those of kept (STATUS_IO) and STATUS_CANCELLED,
 * STATUS_NOMEM, STATUS_TOOBIG (more than a bundle can hold).
 * STATUS_DAMAGED: damaged, cut short, encrypted, or no archive; STATUS_CHANGED:
 * somebody wrote to it; STATUS_EXISTS: a name at the top is in another archive, too;
 * STATUS_NOENT: it cannot be read. */
int archive_take(struct members *members, struct spill *kept, const struct scan_options *options,
                 unsigned no, struct scan_report *report);

/* As it is called in messages. */
const char *archive_name(const char *file);

#endif
