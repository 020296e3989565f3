#include "fusefs/inherited.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

/* What lies beyond nobody has by chance. */
enum { NUMBERS = 1024 };

static bool noted[NUMBERS];

void inherited_note(void)
{
	for (int fd = STDERR_FILENO + 1; fd < NUMBERS; fd++)
		noted[fd] = fcntl(fd, F_GETFD) >= 0;
}

void inherited_close(void)
{
	for (int fd = STDERR_FILENO + 1; fd < NUMBERS; fd++)
		if (noted[fd])
			close(fd);
}
