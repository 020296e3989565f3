#include "bundler/cancel.h"

#include <stdatomic.h>

static atomic_bool asked;

void cancel_ask(void)
{
	atomic_store(&asked, true);
}

bool cancel_asked(void)
{
	return atomic_load(&asked);
}
