/* What archives hold: names, and the files that they lead to - until scan.c makes
 * a tree of them.  Archives give names in any order, again and again, and before
 * the directories that they are in.
 * 32 bytes and the name for each name, 72 for each file, 16 to find them. */
#ifndef BUNDLER_MEMBERS_H
#define BUNDLER_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct members;
struct scan_options;

/* A file, directory or symbolic link, whatever names it has. */
struct member_file {
	uint64_t size;
	uint64_t at; /* of content or target in what is kept of archives; kept.h */
	uint64_t attributes_at;
	int64_t mtime;
	uint32_t mtime_nsec;
	uint32_t attributes_len;
	uint32_t uid, gid;
	uint32_t names;
	uint16_t mode;
	uint8_t kind;  /* enum format_kind, no hard link */
	bool invented; /* a directory that no archive mentions */
};

/* A name.  Number 0 is the root. */
struct member {
	uint64_t name_off;
	uint32_t parent;
	uint32_t next;    /* of the same directory; 0: none */
	uint32_t child;   /* the first; 0: none */
	uint32_t file;    /* MEMBERS_NONE: nothing has the name, or no longer */
	uint32_t archive; /* number of the one that it is from */
	uint8_t name_len;
	bool excluded; /* with all that is in it */
};

#define MEMBERS_NONE UINT32_MAX

/* options: of which names are excluded; borrowed.  STATUS_NOMEM. */
int members_new(struct members **members, const struct scan_options *options);
void members_free(struct members *members);

/* Borrowed until something is added. */
struct member *members_get(const struct members *members, uint32_t number);
struct member_file *members_file(const struct members *members, uint32_t number);
const char *members_name(const struct members *members, uint32_t number);

/* Why no member can have such a path, NULL if one can; clean: it, without slashes
 * at its ends, doubled ones and parts that are ".". */
const char *members_clean(const char *path, char *clean, size_t size);

/* The name at the clean path; 0: there is none ("" is the root's).  Nothing is
 * added. */
uint32_t members_find(const struct members *members, const char *clean);

/* The same; it and the directories before it are added where they are missing.
 * *why: NULL, or what on the way is no directory, and then nothing is added.
 * STATUS_NOMEM, STATUS_TOOBIG (too many). */
int members_add(struct members *members, const char *clean, uint32_t archive, uint32_t *number,
                const char **why);

/* Give the name to a new file, or to one that has a name.  What had it before loses
 * it.  STATUS_NOMEM, STATUS_TOOBIG. */
int members_set(struct members *members, uint32_t number, const struct member_file *file);
void members_link(struct members *members, uint32_t number, uint32_t file);

#endif
