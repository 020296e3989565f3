#include "bundler/argument.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bundler/recipient.h"
#include "bundler/volumes.h"
#include "common/drive.h"
#include "common/format.h"
#include "common/kdf.h"
#include "common/path.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char argument_no_memory[] = "not enough memory";

const char *argument_set(void *field, const char *argument)
{
	(void)argument;
	*(bool *)field = true;
	return NULL;
}

/* The default, said aloud. */
const char *argument_clear(void *field, const char *argument)
{
	(void)argument;
	*(bool *)field = false;
	return NULL;
}

const char *argument_text(void *field, const char *argument)
{
	*(const char **)field = argument;
	return argument[0] ? NULL : "empty";
}

const char *argument_list(void *field, const char *argument)
{
	struct text_list *list = field;
	const char **text = realloc(list->text, (list->count + (size_t)1) * sizeof *text);

	if (!text)
		return argument_no_memory;
	list->text = text;
	list->text[list->count++] = argument;
	return argument[0] ? NULL : "empty";
}

const char *argument_exclude(void *field, const char *argument)
{
	const char *wrong = argument_list(field, argument);

	if (wrong)
		return wrong;
	return argument[0] == '/' || argument[strlen(argument) - 1] == '/'
	               ? "no path in a bundle has a slash at either end"
	               : NULL;
}

static const char *take_place(struct place_list *list, const char *file, int fd)
{
	struct passphrase_place *place =
		realloc(list->place, (list->count + (size_t)1) * sizeof *place);

	if (!place)
		return argument_no_memory;
	list->place = place;
	list->place[list->count++] = (struct passphrase_place){file, fd};
	return NULL;
}

const char *argument_passphrase_file(void *field, const char *argument)
{
	return argument[0] ? take_place(field, argument, -1) : "empty";
}

const char *argument_recipient(void *field, const char *argument)
{
	uint8_t key[RECIPIENT_BYTES];
	const char *wrong = argument_list(field, argument);

	if (wrong)
		return wrong;
	return recipient_parse(key, argument) ? "not a recipient such as age1..., or mistyped"
	                                      : NULL;
}

/* Digits and nothing else before *end. */
static bool read_number(const char *text, const char **end, uint64_t *number)
{
	char *stop;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &stop, 10);
	*end = stop;
	return errno == 0;
}

bool argument_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	const char *end;

	return read_number(text, &end, number) && !*end && *number >= least && *number <= most;
}

const char *argument_passphrase_fd(void *field, const char *argument)
{
	uint64_t fd;

	if (!argument_number(argument, 0, INT32_MAX, &fd))
		return "not the number of a descriptor";
	return take_place(field, NULL, (int)fd);
}

static bool read_bytes(const char *text, uint64_t *bytes)
{
	static const struct {
		const char *suffix;
		uint64_t unit;
	} row[] = {
		{"", 1},
		{"K", UINT64_C(1) << 10},
		{"M", UINT64_C(1) << 20},
		{"G", UINT64_C(1) << 30},
		{"T", UINT64_C(1) << 40},
		{"KB", UINT64_C(1000)},
		{"MB", UINT64_C(1000000)},
		{"GB", UINT64_C(1000000000)},
		{"TB", UINT64_C(1000000000000)},
	};
	const char *suffix;
	uint64_t number;

	if (!read_number(text, &suffix, &number))
		return false;
	for (size_t i = 0; i < COUNT(row); i++)
		if (!strcasecmp(suffix, row[i].suffix)) {
			*bytes = number * row[i].unit;
			return number <= UINT64_MAX / row[i].unit;
		}
	return false;
}

const char *argument_size(void *field, const char *argument)
{
	struct size_wish *size = field;
	struct format_geometry geometry;

	if (!strncmp(argument, "fill:", strlen("fill:"))) {
		size->kind = SIZE_FILL;
		size->directory = argument + strlen("fill:");
		return size->directory[0] ? NULL : "fill: needs a directory";
	}
	size->kind = SIZE_EXACT;
	if (!read_bytes(argument, &size->bytes))
		return "not a size such as 3900M, 4GB or fill:DIRECTORY";
	return format_geometry_make(&geometry, size->bytes)
	               ? "a bundle has from 80K (81,920 bytes) to 32T"
	               : NULL;
}

/* A disc has sectors of 2,048 bytes, and its file system takes some: ISO 9660 and UDF
 * together half a megabyte and something for the directory. */
#define DISC(sectors) (UINT64_C(2048) * (sectors) - (UINT64_C(2) << 20))

const char *argument_volume_size(void *field, const char *argument)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} row[] = {
		{"fat32", DRIVE_FAT_LONGEST},
		{"dvd", DISC(2295104)}, /* DVD+R; DVD-R has more */
		{"cd", DISC(359844)},   /* 80 minutes, as discs have them and not as they say */
	};
	uint64_t *bytes = field;

	for (size_t i = 0; i < COUNT(row); i++)
		if (!strcasecmp(argument, row[i].name)) {
			*bytes = row[i].bytes;
			return NULL;
		}
	if (!read_bytes(argument, bytes))
		return "not fat32, dvd, cd, or a size such as 3900M";
	return *bytes < VOLUMES_SHORTEST || *bytes > FORMAT_MAX_FILE
	               ? "a volume has from 256K to 32T"
	               : NULL;
}

const char *argument_memory(void *field, const char *argument)
{
	uint64_t bytes;

	if (!read_bytes(argument, &bytes))
		return "not a number of bytes such as 512M";
	*(uint64_t *)field = bytes;
	return bytes < ARGUMENT_MEMORY_MIN || bytes > SIZE_MAX / 2 ? "at least 64M" : NULL;
}

const char *argument_profile(void *field, const char *argument)
{
	*(enum kdf_profile *)field = strcmp(argument, "low") ? KDF_STANDARD : KDF_LOW;
	return strcmp(argument, "low") && strcmp(argument, "standard") ? "standard or low" : NULL;
}

const char *argument_metadata(void *field, const char *argument)
{
	*(bool *)field = !strcmp(argument, "full");
	return strcmp(argument, "full") && strcmp(argument, "private") ? "private or full" : NULL;
}

const char *argument_parity(void *field, const char *argument)
{
	uint64_t number;

	if (!argument_number(argument, 0, FORMAT_MAX_PARITY, &number) || number == 1 ||
	    (number & (number - 1)))
		return "0, 2, 4, 8 or 16";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

const char *argument_level(void *field, const char *argument)
{
	uint64_t number = 0;

	if (!argument_number(argument, 1, ARGUMENT_LEVEL_MAX, &number))
		return "not a number from 1 to 19";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

const char *argument_jobs(void *field, const char *argument)
{
	uint64_t number = 0;

	if (!argument_number(argument, 1, ARGUMENT_JOBS_MAX, &number))
		return "not a number from 1 to 256";
	*(unsigned *)field = (unsigned)number;
	return NULL;
}

const char *argument_edition(void *field, const char *argument)
{
	return argument_number(argument, 1, UINT64_MAX, field) ? NULL : "not a number from 1 on";
}

static const char *take_words(void *field, const char *argument, size_t most)
{
	*(const char **)field = argument;
	if (!path_is_utf8(argument, strlen(argument)))
		return "not UTF-8";
	return strlen(argument) > most ? "too long" : NULL;
}

const char *argument_label(void *field, const char *argument)
{
	return take_words(field, argument, FORMAT_LABEL);
}

const char *argument_series(void *field, const char *argument)
{
	return take_words(field, argument, FORMAT_SERIES);
}
