/* What the reader may still do while it takes apart what somebody else has written:
 * no program, no process, no network, and of files what the verb needs.  Landlock,
 * and a filter of system calls written by hand: libseccomp is not in a small static
 * program. */
#ifndef READER_SANDBOX_H
#define READER_SANDBOX_H

/* Before the first byte of a bundle is read: files may be read, for there may be
 * further volumes, but written only in the directory that place is, or is in (NULL: nowhere). */
void sandbox_begin(const char *place);

/* When everything is open: no file at all, by name.  For verbs that write none. */
void sandbox_close(void);

#endif
