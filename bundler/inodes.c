#include "bundler/inodes.h"

#include <stdlib.h>
#include <string.h>

#include "common/status.h"

enum { FIRST_ROOM = 256 }; /* a power of two, as all that follow */

static size_t hash(dev_t dev, ino_t ino)
{
	uint64_t h = ((uint64_t)ino ^ (uint64_t)dev << 32) * UINT64_C(0x9e3779b97f4a7c15);

	return (size_t)(h ^ h >> 29);
}

/* Where it is, or where it would go. */
static struct inode *find(const struct inodes *inodes, dev_t dev, ino_t ino)
{
	for (size_t i = hash(dev, ino);; i++) {
		struct inode *at = &inodes->place[i & (inodes->room - 1)];

		if (!at->number || (at->dev == dev && at->ino == ino))
			return at;
	}
}

static int grow(struct inodes *inodes)
{
	struct inodes larger = {.count = inodes->count};

	larger.room = inodes->room ? 2 * inodes->room : FIRST_ROOM;
	larger.place = calloc(larger.room, sizeof *larger.place);
	if (!larger.place)
		return STATUS_NOMEM;
	for (size_t i = 0; i < inodes->room; i++)
		if (inodes->place[i].number)
			*find(&larger, inodes->place[i].dev, inodes->place[i].ino) =
				inodes->place[i];
	free(inodes->place);
	*inodes = larger;
	return STATUS_OK;
}

int inodes_note(struct inodes *inodes, dev_t dev, ino_t ino, uint32_t number, uint32_t *first)
{
	struct inode *at;

	if (inodes->count >= inodes->room / 2 && grow(inodes))
		return STATUS_NOMEM;
	at = find(inodes, dev, ino);
	if (!at->number) {
		*at = (struct inode){dev, ino, number};
		inodes->count++;
	}
	*first = at->number;
	return STATUS_OK;
}

void inodes_fini(struct inodes *inodes)
{
	free(inodes->place);
	memset(inodes, 0, sizeof *inodes);
}
