#include "bundler/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/format.h"
#include "common/path.h"
#include "common/status.h"

enum { FIRST_ITEMS = 64, FIRST_NAMES = 4096 };

void listing_clear(struct listing *listing)
{
	listing->count = listing->names_len = listing->too_long = 0;
}

void listing_fini(struct listing *listing)
{
	free(listing->item);
	free(listing->names);
}

/* Room for count more of size bytes behind the first used. */
static void *room_for(void *array, size_t *room, size_t used, size_t count, size_t size,
                      size_t first)
{
	size_t wanted = *room ? *room : first;
	void *larger;

	if (count <= *room - used)
		return array;
	while (wanted - used < count)
		wanted *= 2;
	larger = realloc(array, wanted * size);
	if (larger)
		*room = wanted;
	return larger;
}

int listing_add(struct listing *l, const char *name, size_t len, uint32_t base, bool given)
{
	void *item = room_for(l->item, &l->room, l->count, 1, sizeof *l->item, FIRST_ITEMS);
	void *names;

	if (!item)
		return STATUS_NOMEM;
	l->item = item;
	names = room_for(l->names, &l->names_room, l->names_len, len + 1, 1, FIRST_NAMES);
	if (!names)
		return STATUS_NOMEM;
	l->names = names;
	l->item[l->count++] = (struct item){
		.name_off = l->names_len, .base = base, .name_len = (uint8_t)len, .given = given};
	memcpy(l->names + l->names_len, name, len);
	l->names[l->names_len + len] = '\0';
	l->names_len += len + 1;
	return STATUS_OK;
}

static int compare_items(const void *a, const void *b, void *names)
{
	const struct item *x = a, *y = b;
	const char *text = names;

	return path_name_compare(text + x->name_off, x->name_len, text + y->name_off, y->name_len);
}

int listing_compare(const struct listing *l, size_t a, size_t b)
{
	return compare_items(&l->item[a], &l->item[b], l->names);
}

void listing_sort(struct listing *l)
{
	if (l->count)
		qsort_r(l->item, l->count, sizeof *l->item, compare_items, l->names);
}

static int add_read(struct listing *l, const char *name, uint32_t base)
{
	size_t len = strlen(name);

	if (path_name_ok(name, len))
		return listing_add(l, name, len, base, false);
	l->too_long += len > FORMAT_NAME;
	return STATUS_OK;
}

int listing_read(struct listing *l, DIR *dir, uint32_t base)
{
	const struct dirent *d;
	int status = STATUS_OK;

	while (status == STATUS_OK) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			return errno ? STATUS_IO : STATUS_OK;
		status = add_read(l, d->d_name, base);
	}
	return status;
}
