#include "common/kdf.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utf8proc.h>

#include "common/bytes.h"
#include "common/status.h"

/* What utf8proc knows and Unicode 14 does not: the additions of 15.0. */
static const struct {
	uint32_t first, last;
} unicode_15[] = {
	{0x0cf3, 0x0cf3},   {0x0ece, 0x0ece},   {0x10efd, 0x10eff}, {0x1123f, 0x11241},
	{0x11b00, 0x11b09}, {0x11f00, 0x11f10}, {0x11f12, 0x11f3a}, {0x11f3e, 0x11f59},
	{0x1342f, 0x1342f}, {0x13439, 0x13455}, {0x1b132, 0x1b132}, {0x1b155, 0x1b155},
	{0x1d2c0, 0x1d2d3}, {0x1df25, 0x1df2a}, {0x1e030, 0x1e06d}, {0x1e08f, 0x1e08f},
	{0x1e4d0, 0x1e4f9}, {0x1f6dc, 0x1f6dc}, {0x1f774, 0x1f776}, {0x1f77b, 0x1f77f},
	{0x1f7d9, 0x1f7d9}, {0x1fa75, 0x1fa77}, {0x1fa87, 0x1fa88}, {0x1faad, 0x1faaf},
	{0x1fabb, 0x1fabd}, {0x1fabf, 0x1fabf}, {0x1face, 0x1facf}, {0x1fada, 0x1fadb},
	{0x1fae8, 0x1fae8}, {0x1faf7, 0x1faf8}, {0x2b739, 0x2b739}, {0x31350, 0x323af},
};

/* No code point becomes more than four, and none is shorter than a byte; one
 * more for utf8proc's own end. */
enum { POINTS_MAX = 4 * KDF_PASSPHRASE_MAX + 1 };

static bool is_assigned(utf8proc_int32_t point)
{
	uint32_t p = (uint32_t)point;

	for (size_t i = 0; i < sizeof unicode_15 / sizeof unicode_15[0]; i++)
		if (p >= unicode_15[i].first && p <= unicode_15[i].last)
			return false;
	return utf8proc_category(point) != UTF8PROC_CATEGORY_CN;
}

/* Valid UTF-8 of code points that Unicode 14 assigns, without U+0000? */
static bool is_acceptable(const char *in, size_t len)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)in;
	size_t i = 0;

	while (i < len) {
		utf8proc_int32_t point;
		utf8proc_ssize_t left = (utf8proc_ssize_t)(len - i);
		utf8proc_ssize_t step = utf8proc_iterate(p + i, left, &point);

		if (step <= 0 || point == 0 || !is_assigned(point))
			return false;
		i += (size_t)step;
	}
	return true;
}

static bool is_trimmed(utf8proc_int32_t point)
{
	switch (point) {
	case '\t':
	case '\n':
	case '\r':
	case ' ':
	case 0xa0:
	case 0x3000: return true;
	default: return false;
	}
}

/* Count code points -> UTF-8. STATUS_PASSPHRASE: none; STATUS_TOOBIG. */
static int encode(const utf8proc_int32_t *point, size_t count, char out[static KDF_PASSPHRASE_MAX],
                  size_t *out_len)
{
	utf8proc_uint8_t bytes[4] = {0};
	size_t used = 0, i;

	for (i = 0; i < count; i++) {
		size_t len = (size_t)utf8proc_encode_char(point[i], bytes);

		if (used + len > KDF_PASSPHRASE_MAX)
			break;
		memcpy(out + used, bytes, len);
		used += len;
	}
	sodium_memzero(bytes, sizeof bytes);
	if (i < count)
		return STATUS_TOOBIG;
	if (count == 0)
		return STATUS_PASSPHRASE;
	*out_len = used;
	return STATUS_OK;
}

int kdf_passphrase_normalize(const char *in, size_t len, char out[static KDF_PASSPHRASE_MAX],
                             size_t *out_len)
{
	const utf8proc_option_t nfc = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_int32_t point[POINTS_MAX];
	utf8proc_ssize_t count = -1;
	size_t first = 0, end;
	int status = STATUS_TOOBIG;

	if (len > KDF_PASSPHRASE_MAX)
		goto out;
	status = STATUS_PASSPHRASE;
	if (!is_acceptable(in, len))
		goto out;
	count = utf8proc_decompose((const utf8proc_uint8_t *)in, (utf8proc_ssize_t)len, point,
	                           POINTS_MAX - 1, nfc);
	if (count < 0 || count >= POINTS_MAX)
		goto out;
	count = utf8proc_normalize_utf32(point, count, nfc);
	if (count < 0)
		goto out;
	end = (size_t)count;
	while (first < end && is_trimmed(point[first]))
		first++;
	while (end > first && is_trimmed(point[end - 1]))
		end--;
	status = encode(point + first, end - first, out, out_len);
out:
	sodium_memzero(point, sizeof point);
	if (status)
		sodium_memzero(out, KDF_PASSPHRASE_MAX);
	return status;
}

int kdf_stretch(const char *passphrase, size_t len, const uint8_t salt[static KDF_SALTBYTES],
                enum kdf_profile profile, uint8_t out[static KDF_KEYBYTES])
{
	size_t memory = (size_t)(profile == KDF_LOW ? 64 : 256) << 20;

	if (crypto_pwhash(out, KDF_KEYBYTES, passphrase, len, salt, 3, memory,
	                  crypto_pwhash_ALG_ARGON2ID13))
		return STATUS_KDFMEM;
	return STATUS_OK;
}

/* Hash fd up to its end, or to one byte more than a key file may have. */
static int hash_file(int fd, crypto_generichash_state *state, size_t *total)
{
	uint8_t buf[4096];
	ssize_t got;

	*total = 0;
	do {
		got = read(fd, buf, sizeof buf);
		if (got > 0) {
			crypto_generichash_update(state, buf, (size_t)got);
			*total += (size_t)got;
		}
	} while ((got > 0 && *total <= KDF_KEYFILE_MAX) || (got < 0 && errno == EINTR));
	sodium_memzero(buf, sizeof buf);
	return got < 0 ? STATUS_IO : STATUS_OK;
}

int kdf_key_file(const char *path, uint8_t out[static KDF_KEYBYTES])
{
	crypto_generichash_state state;
	struct stat st;
	size_t total = 0;
	int status = STATUS_IO;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	crypto_generichash_init(&state, NULL, 0, KDF_KEYBYTES);
	if (fd < 0 || fstat(fd, &st))
		goto out;
	status = S_ISREG(st.st_mode) ? hash_file(fd, &state, &total) : STATUS_KEYFILE;
	if (status == STATUS_OK && (total < KDF_KEYFILE_MIN || total > KDF_KEYFILE_MAX))
		status = STATUS_KEYFILE;
	if (status == STATUS_OK)
		crypto_generichash_final(&state, out, KDF_KEYBYTES);
out:
	sodium_memzero(&state, sizeof state);
	if (fd >= 0)
		close(fd);
	return status;
}

void kdf_derive(uint8_t out[static KDF_KEYBYTES], const uint8_t key[static KDF_KEYBYTES],
                const char *label, const void *data, size_t len)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, key, KDF_KEYBYTES, KDF_KEYBYTES);
	/* The label's own terminator is the NUL between. */
	crypto_generichash_update(&state, (const unsigned char *)label, strlen(label) + 1);
	crypto_generichash_update(&state, data, len);
	crypto_generichash_final(&state, out, KDF_KEYBYTES);
	sodium_memzero(&state, sizeof state);
	sodium_stackzero(KDF_STACK);
}

void kdf_page_key(uint8_t out[static KDF_KEYBYTES], const uint8_t ck[static KDF_KEYBYTES],
                  uint16_t volume_no)
{
	uint8_t number[2];

	store_le16(number, volume_no);
	kdf_derive(out, ck, "satchel page key 1", number, sizeof number);
}

void kdf_signed(uint8_t message[static KDF_SIGNED], const uint8_t *content_part, size_t len)
{
	static const char label[] = "satchel root 1"; /* with its NUL */

	_Static_assert(sizeof label + crypto_generichash_BYTES_MAX == KDF_SIGNED, "all of it");
	memcpy(message, label, sizeof label);
	crypto_generichash(message + sizeof label, crypto_generichash_BYTES_MAX, content_part, len,
	                   NULL, 0);
}
