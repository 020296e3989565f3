/* Swap that would keep what programs show: on a disk, and not encrypted. */
#ifndef COMMON_SWAP_H
#define COMMON_SWAP_H

#include <stdbool.h>

/* Is there any?  Where it cannot be told, yes. */
bool swap_is_exposed(void);

/* Is the block device that sysfs shows at directory encrypted, or RAM, or made of
 * such devices only? */
bool swap_device_is_safe(const char *directory);

#endif
