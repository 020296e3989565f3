/* What the reader may still do while it takes apart what somebody else has written:
 * no program, no process, no network, and of files what the verb needs.  Landlock,
 * and a filter of system calls written by hand (common/denied.h): libseccomp is not in a
 * small static program. */
#ifndef READER_SANDBOX_H
#define READER_SANDBOX_H

/* Before the first byte of a bundle is read: files may be read, for there may be
 * further volumes, but written only in the directory that place is, or is in (NULL:
 * nowhere).  Says so if the kernel lacks a part. */
void sandbox_begin(const char *place);

/* When everything is open: no file by name any more, but in that directory.  Once more
 * when place has been made: in it, and no longer beside it. */
void sandbox_close(const char *place);

#endif
