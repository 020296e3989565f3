#include "fusefs/publisher.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/status.h"

enum { KEY_ID = 2, KEY = 10, FILE_MAX = 2048 };

static bool decode(struct publisher *publisher, const char *text, size_t len)
{
	uint8_t bytes[PUBLISHER_BYTES];
	size_t got;

	if (sodium_base642bin(bytes, sizeof bytes, text, len, NULL, &got, NULL,
	                      sodium_base64_VARIANT_ORIGINAL) ||
	    got != sizeof bytes || memcmp(bytes, "Ed", 2))
		return false;
	memcpy(publisher->bytes, bytes, sizeof bytes);
	return true;
}

static int read_file(struct publisher *publisher, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[FILE_MAX + 1];
	const char *line = text;
	ssize_t got;

	if (fd < 0)
		return STATUS_IO;
	got = read(fd, text, FILE_MAX);
	close(fd);
	if (got < 0)
		return STATUS_IO;
	text[got] = '\0';
	for (int i = 0; i < 2 && line; i++) {
		size_t len = strcspn(line, "\r\n");

		if (decode(publisher, line, len))
			return STATUS_OK;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return STATUS_KEYFILE;
}

int publisher_parse(struct publisher *publisher, const char *text)
{
	return decode(publisher, text, strlen(text)) ? STATUS_OK : read_file(publisher, text);
}

int publisher_check(const struct publisher *publisher, const struct format_content *content)
{
	if (!content->is_signed)
		return STATUS_UNSIGNED;
	if (memcmp(publisher->bytes + KEY_ID, content->key_id, sizeof content->key_id) ||
	    memcmp(publisher->bytes + KEY, content->publisher, sizeof content->publisher))
		return STATUS_PUBLISHER;
	return STATUS_OK;
}

void publisher_print(char text[static PUBLISHER_TEXT], const struct format_content *content)
{
	uint8_t bytes[PUBLISHER_BYTES] = "Ed";

	memcpy(bytes + KEY_ID, content->key_id, sizeof content->key_id);
	memcpy(bytes + KEY, content->publisher, sizeof content->publisher);
	sodium_bin2base64(text, PUBLISHER_TEXT, bytes, sizeof bytes,
	                  sodium_base64_VARIANT_ORIGINAL);
}
