#include "bundler/attributes.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/format.h"
#include "common/status.h"

enum { VARINT = 10, NAME_BYTES = 1 };

struct attributes {
	char names[XATTR_LIST_MAX];
	const char *sorted[XATTR_LIST_MAX / 2]; /* a name and its NUL */
	uint8_t value[FORMAT_XATTR_VALUE];
	uint8_t set[VARINT + FORMAT_XATTRS]; /* the count, flush with what follows it */
};

int attributes_new(struct attributes **attributes)
{
	*attributes = malloc(sizeof **attributes);
	return *attributes ? STATUS_OK : STATUS_NOMEM;
}

void attributes_free(struct attributes *attributes)
{
	free(attributes);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* How many, -1 on failure. */
static ssize_t list(struct attributes *a, const char *path, bool follow)
{
	ssize_t len = (follow ? listxattr : llistxattr)(path, a->names, sizeof a->names);
	size_t count = 0;

	if (len < 0)
		return errno == ENOTSUP ? 0 : -1;
	for (const char *name = a->names; name < a->names + len; name += strlen(name) + 1)
		a->sorted[count++] = name;
	qsort(a->sorted, count, sizeof a->sorted[0], compare);
	return (ssize_t)count;
}

/* Append one to the set, *used bytes of which are taken. */
static int append(struct attributes *a, const struct attribute *one, size_t *used)
{
	uint8_t len[VARINT], *out = a->set + VARINT + *used;
	size_t name_len = strlen(one->name), len_len = format_varint_encode(len, one->len);
	size_t more = NAME_BYTES + name_len + len_len + one->len;

	if (!name_len || name_len > FORMAT_NAME || one->len > FORMAT_XATTR_VALUE ||
	    more > FORMAT_XATTRS - VARINT - *used)
		return STATUS_TOOBIG;
	*out++ = (uint8_t)name_len;
	memcpy(out, one->name, name_len);
	memcpy(out + name_len, len, len_len);
	if (one->len)
		memcpy(out + name_len + len_len, one->value, one->len);
	*used += more;
	return STATUS_OK;
}

/* Put the count before the set; an empty one has none. */
static void close_set(struct attributes *a, size_t count, size_t used, const uint8_t **set,
                      size_t *len)
{
	uint8_t varint[VARINT];
	size_t head = count ? format_varint_encode(varint, count) : 0;

	memcpy(a->set + VARINT - head, varint, head);
	*set = a->set + VARINT - head;
	*len = head + used;
}

int attributes_read(struct attributes *a, const char *path, bool follow, const uint8_t **set,
                    size_t *len)
{
	ssize_t listed = list(a, path, follow);
	size_t used = 0, count = 0;

	if (listed < 0)
		return errno == E2BIG ? STATUS_TOOBIG : STATUS_IO;
	for (size_t i = 0; i < (size_t)listed; i++) {
		ssize_t got = (follow ? getxattr : lgetxattr)(path, a->sorted[i], a->value,
		                                              sizeof a->value);

		/* Removed since it was listed, or listed but nobody's to read. */
		if (got < 0 && (errno == ENODATA || errno == ENOTSUP))
			continue;
		if (got < 0)
			return STATUS_IO;
		if (append(a, &(struct attribute){a->sorted[i], a->value, (size_t)got}, &used))
			return STATUS_TOOBIG;
		count++;
	}
	close_set(a, count, used, set, len);
	return STATUS_OK;
}

static int compare_attributes(const void *a, const void *b)
{
	const struct attribute *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int attributes_make(struct attributes *a, struct attribute *list, size_t count, const uint8_t **set,
                    size_t *len)
{
	size_t used = 0, taken = 0;

	if (count)
		qsort(list, count, sizeof *list, compare_attributes);
	for (size_t i = 0; i < count; i++) {
		if (i && !strcmp(list[i].name, list[i - 1].name))
			continue;
		if (append(a, &list[i], &used))
			return STATUS_TOOBIG;
		taken++;
	}
	close_set(a, taken, used, set, len);
	return STATUS_OK;
}
