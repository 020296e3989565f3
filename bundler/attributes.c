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
static int append(struct attributes *a, const char *name, size_t value_len, size_t *used)
{
	uint8_t len[VARINT], *out = a->set + VARINT + *used;
	size_t name_len = strlen(name), len_len = format_varint_encode(len, value_len);
	size_t more = NAME_BYTES + name_len + len_len + value_len;

	if (more > FORMAT_XATTRS - VARINT - *used)
		return STATUS_TOOBIG;
	*out++ = (uint8_t)name_len;
	memcpy(out, name, name_len);
	memcpy(out + name_len, len, len_len);
	memcpy(out + name_len + len_len, a->value, value_len);
	*used += more;
	return STATUS_OK;
}

int attributes_read(struct attributes *a, const char *path, bool follow, const uint8_t **set,
                    size_t *len)
{
	ssize_t listed = list(a, path, follow);
	size_t used = 0, count = 0, head;
	uint8_t varint[VARINT];

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
		if (append(a, a->sorted[i], (size_t)got, &used))
			return STATUS_TOOBIG;
		count++;
	}
	head = count ? format_varint_encode(varint, count) : 0;
	memcpy(a->set + VARINT - head, varint, head);
	*set = a->set + VARINT - head;
	*len = head + used;
	return STATUS_OK;
}
