/* What glibc has and musl has not, for archives that were built with
 * _FORTIFY_SOURCE against glibc. */
#include <stdlib.h>
#include <string.h>

void __explicit_bzero_chk(void *p, size_t len, size_t room);

void __explicit_bzero_chk(void *p, size_t len, size_t room)
{
	if (len > room)
		abort();
	explicit_bzero(p, len);
}
