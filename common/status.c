#include "common/status.h"

const char *status_text(int status)
{
	switch ((enum status)status) {
	case STATUS_OK: return "done";
	case STATUS_IO: return "input or output failed";
	case STATUS_NOMEM: return "not enough memory";
	case STATUS_UNLOCKED: return "memory cannot be locked; raise its limit (ulimit -l)";
	case STATUS_NOKEY:
		return "no key fits: wrong passphrase, not a bundle, or not for this key";
	case STATUS_KDFMEM:
		return "not enough memory to stretch the passphrase; close other programs";
	case STATUS_VERSION: return "written by a later version; get a newer program";
	case STATUS_DAMAGED: return "damaged beyond repair";
	case STATUS_ALTERED: return "altered since the publisher signed it";
	case STATUS_INVALID: return "invalid: no correct program wrote this";
	case STATUS_VOLUME: return "lies in a volume that was not given";
	case STATUS_NOENT: return "no such file or directory in the bundle";
	case STATUS_NOTDIR: return "not a directory";
	case STATUS_ISDIR: return "is a directory";
	case STATUS_TOOBIG: return "larger than allowed";
	case STATUS_EXISTS: return "exists already";
	case STATUS_CHANGED: return "changed while it was being packed";
	case STATUS_PASSPHRASE:
		return "not a usable passphrase: empty, not UTF-8, or unknown characters";
	case STATUS_KEYFILE: return "not a usable key file or identity";
	case STATUS_UNSIGNED: return "not signed, and a publisher was required";
	case STATUS_PUBLISHER: return "signed by another publisher than the one required";
	case STATUS_CANCELLED: return "stopped on request";
	}
	return "unknown failure";
}

int status_exit_code(int status)
{
	switch ((enum status)status) {
	case STATUS_OK: return EXIT_DONE;
	case STATUS_DAMAGED:
	case STATUS_ALTERED:
	case STATUS_INVALID: return EXIT_LOST;
	case STATUS_VERSION:
	case STATUS_VOLUME: return EXIT_ABSENT;
	case STATUS_NOKEY: return EXIT_NOKEY;
	default: return EXIT_FAILED;
	}
}
