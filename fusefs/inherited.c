#include "fusefs/inherited.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* What lies beyond nobody has by chance, and few may have. */
enum { NUMBERS = 65536 };

static bool noted[NUMBERS];

void inherited_note(void)
{
	long most = sysconf(_SC_OPEN_MAX);

	for (int fd = STDERR_FILENO + 1; fd < NUMBERS && (most < 0 || fd < most); fd++)
		noted[fd] = fcntl(fd, F_GETFD) >= 0;
}

void inherited_close(void)
{
	for (int fd = STDERR_FILENO + 1; fd < NUMBERS; fd++)
		if (noted[fd])
			close(fd);
}
