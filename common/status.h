/* The closed list of outcomes.  Functions in common/ return STATUS_OK (0) or
 * one of the negative values; they never print and never exit.  The program
 * that knows which file it was about reports once, through diag.h. */
#ifndef COMMON_STATUS_H
#define COMMON_STATUS_H

enum status {
	STATUS_OK = 0,
	STATUS_IO = -1,          /* the system call failed: errno says how */
	STATUS_NOMEM = -2,       /* memory cannot be had */
	STATUS_UNLOCKED = -3,    /* memory cannot be locked */
	STATUS_NOKEY = -4,       /* no key fits, or it is not a bundle */
	STATUS_KDFMEM = -5,      /* not enough memory to stretch the passphrase */
	STATUS_VERSION = -6,     /* a later format */
	STATUS_DAMAGED = -7,     /* bytes that do not authenticate, beyond repair */
	STATUS_ALTERED = -8,     /* authentic to the key, not to the publisher's signature */
	STATUS_INVALID = -9,     /* authentic, but breaks a rule of bundle(5) */
	STATUS_VOLUME = -10,     /* it lies in a volume that is not here */
	STATUS_NOENT = -11,      /* no such entry */
	STATUS_NOTDIR = -12,     /* a directory was needed */
	STATUS_ISDIR = -13,      /* a file was needed */
	STATUS_TOOBIG = -14,     /* past a limit of the format or of the memory */
	STATUS_EXISTS = -15,     /* the output exists already */
	STATUS_CHANGED = -16,    /* a source changed while it was being packed */
	STATUS_PASSPHRASE = -17, /* empty, not UTF-8, or unassigned code points */
	STATUS_KEYFILE = -18,    /* not a usable key file or identity */
	STATUS_UNSIGNED = -19,   /* a publisher was required, the bundle has none */
	STATUS_PUBLISHER = -20,  /* signed by somebody else */
	STATUS_CANCELLED = -21,  /* asked to stop */
};

/* What happened, in lower case, without a full stop; never NULL.  For
 * STATUS_IO use strerror(errno) instead. */
const char *status_text(int status);

/* "EXIT STATUS" of the three manuals. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_PARTLY = 3,   /* not everything was taken, or could be set */
	EXIT_LOST = 4,     /* beyond repair, altered, invalid */
	EXIT_REPAIRED = 5, /* damaged, and nothing is lost */
	EXIT_ABSENT = 10,  /* a volume or the bundle is not here; the medium is gone */
	EXIT_NOKEY = 12,
	EXIT_UNFIT = 13, /* the drive is to blame */
	EXIT_IDLE = 20,  /* satchel-mount ended because of ... */
	EXIT_SLEEP = 21,
	EXIT_LOCK = 22,
};

/* That of a status.  STATUS_IO gives EXIT_FAILED; a program that could not
 * open the bundle itself says EXIT_ABSENT. */
int status_exit_code(int status);

#endif
