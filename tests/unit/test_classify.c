#include "tests/unit/unit.h"

#include <sodium.h>
#include <zstd.h>

#include "bundler/classify.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { SAMPLE = 4096, SAMPLES = 256, TOTAL = SAMPLE * SAMPLES };

static uint8_t data[TOTAL], other[TOTAL + TOTAL / 2];

/* How many of the samples look random. */
static unsigned random_samples(const uint8_t *bytes, size_t len)
{
	unsigned count = 0;

	for (size_t i = 0; i + SAMPLE <= len; i += SAMPLE)
		count += classify_looks_random(bytes + i, SAMPLE);
	return count;
}

/* Words of three to eight letters, the frequent ones more often. */
static void write_text(uint8_t *out, size_t len)
{
	static const char letters[] = "       eeeeeettttaaaooiinnsshhrrddlcumwfgypbvk";

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)letters[randombytes_uniform(sizeof letters - 1)];
}

static void random_bytes_always_look_random(void **state)
{
	static const size_t len[] = {1024, 2048, 4096, 65536, TOTAL};

	(void)state;
	for (size_t i = 0; i < COUNT(len); i++)
		for (unsigned round = 0; round < 64; round++) {
			randombytes_buf(data, len[i]);
			assert_true(classify_looks_random(data, len[i]));
		}
}

static void what_was_compressed_nearly_always_does(void **state)
{
	size_t len;

	(void)state;
	write_text(data, sizeof data);
	len = ZSTD_compress(other, sizeof other, data, sizeof data, 3);
	assert_false(ZSTD_isError(len));
	assert_true(random_samples(other, len) * 10 >= len / SAMPLE * 9);
}

static void text_and_base64_never_do(void **state)
{
	(void)state;
	write_text(data, sizeof data);
	assert_int_equal(random_samples(data, sizeof data), 0);
	randombytes_buf(data, sizeof data);
	sodium_bin2base64((char *)other, sizeof other, data, TOTAL / 2,
	                  sodium_base64_VARIANT_ORIGINAL);
	assert_int_equal(random_samples(other, TOTAL / 2), 0);
}

/* A sum of oscillators and noise: sound, as loud as it gets. */
static void write_pcm(uint8_t *out, size_t len, unsigned bytes)
{
	int32_t a = 1 << 28, b = 0, c = 1 << 27, d = 0;

	for (size_t i = 0; i + bytes <= len; i += bytes) {
		uint32_t sum;

		b += a / 64, a -= b / 64;
		d += c / 7, c -= d / 7;
		sum = (uint32_t)(a + b + c + (int32_t)(randombytes_random() >> 10));
		for (unsigned j = 0; j < bytes; j++)
			out[i + j] = (uint8_t)(sum >> (8 * (4 - bytes + j)));
	}
}

static void sound_does_not(void **state)
{
	(void)state;
	write_pcm(data, sizeof data, 2);
	assert_int_equal(random_samples(data, sizeof data), 0);
	write_pcm(data, sizeof data, 3);
	assert_int_equal(random_samples(data, sizeof data), 0);
}

static void little_and_uniform_samples_do_not(void **state)
{
	(void)state;
	randombytes_buf(data, SAMPLE);
	assert_false(classify_looks_random(data, 0));
	assert_false(classify_looks_random(data, 1023));
	memset(data, 7, SAMPLE);
	assert_false(classify_looks_random(data, SAMPLE));
	/* 128 values only: a bit of every byte can be saved. */
	randombytes_buf(data, SAMPLE);
	for (size_t i = 0; i < SAMPLE; i++)
		data[i] &= 0x7f;
	assert_false(classify_looks_random(data, SAMPLE));
}

struct row {
	const char *name, *head;
	size_t len;
	enum class_verdict verdict;
};

#define HEAD(bytes) bytes, sizeof(bytes) - 1

/* A head of 4 KiB: these bytes, and then what no text has. */
static enum class_verdict classify(const struct row *row)
{
	memset(data, 0x80, SAMPLE);
	memcpy(data, row->head, row->len);
	return classify_name_and_head(row->name, strlen(row->name), data, SAMPLE);
}

static void media_is_known_by_its_magic(void **state)
{
	static const struct row row[] = {
		{"x", HEAD("\xff\xd8\xff\xe0"), CLASS_STORE},
		{"x", HEAD("\x89PNG\r\n\x1a\n"), CLASS_STORE},
		{"x", HEAD("GIF89a"), CLASS_STORE},
		{"x", HEAD("RIFF\1\2\3\4WEBPVP8 "), CLASS_STORE},
		{"x", HEAD("RIFF\1\2\3\4AVI LIST"), CLASS_STORE},
		{"x", HEAD("RIFF\1\2\3\4WAVEfmt "), CLASS_UNSURE},
		{"film.txt", HEAD("\0\0\0\040ftypisom"), CLASS_STORE},
		{"x", HEAD("\0\0\0\030ftypavif"), CLASS_STORE},
		{"x", HEAD("\x1a\x45\xdf\xa3\x01"), CLASS_STORE},
		{"x", HEAD("OggS\0\2"), CLASS_STORE},
		{"x", HEAD("fLaC\0\0\0\x22"), CLASS_STORE},
		{"x", HEAD("ID3\4\0"), CLASS_STORE},
		{"x", HEAD("\x1f\x8b\x08\0"), CLASS_STORE},
		{"x", HEAD("\3757zXZ\0"), CLASS_STORE},
		{"x", HEAD("BZh9\x31\x41\x59\x26\x53\x59"), CLASS_STORE},
		{"x", HEAD("\x28\xb5\x2f\xfd"), CLASS_STORE},
		{"x", HEAD("7z\xbc\xaf\x27\x1c"), CLASS_STORE},
		{"x", HEAD("Rar!\x1a\7\1\0"), CLASS_STORE},
		{"x", HEAD("wOF2\0\1\0\0"), CLASS_STORE},
		{"x", HEAD("ZIM\4\6\0\1\0"), CLASS_STORE},
		{"x", HEAD("%PDF-1.7\n%\xe2\xe3\xcf\xd3"), CLASS_UNSURE},
		{"x", HEAD("SQLite format 3\0"), CLASS_COMPRESS},
		{"x", HEAD("\177ELF\2\1\1\0"), CLASS_COMPRESS},
		{"x", HEAD("\1\2\3\4"), CLASS_UNSURE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		if (classify(&row[i]) != row[i].verdict)
			fail_msg("row %zu: %s", i, row[i].head);
}

static void weak_magic_needs_the_extension(void **state)
{
	static const struct row row[] = {
		{"song.mp3", HEAD("\xff\xfb\x90\x64"), CLASS_STORE},
		{"SONG.MP3", HEAD("\xff\xfb\x90\x64"), CLASS_STORE},
		{"song.bin", HEAD("\xff\xfb\x90\x64"), CLASS_UNSURE},
		{"mp3", HEAD("\xff\xfb\x90\x64"), CLASS_UNSURE},
		{"song.mp3", HEAD("\1\2\3\4"), CLASS_UNSURE},
		{"song.aac", HEAD("\xff\xf1\x50\x80"), CLASS_STORE},
		{"x.lzma", HEAD("\x5d\0\0\x80"), CLASS_STORE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_int_equal(classify(&row[i]), row[i].verdict);
}

static void the_first_member_of_a_zip_decides(void **state)
{
	static const struct row row[] = {
		{"a.docx", HEAD("PK\3\4\x14\0\6\0\x08\0"), CLASS_STORE},
		{"a.zip", HEAD("PK\3\4\x14\0\6\0\0\0"), CLASS_UNSURE},
		{"a.epub", HEAD("PK\3\4\x14\0\0\0\0\0ttdd12341111222288\0\0mimetypeapplic"),
	         CLASS_STORE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_int_equal(classify(&row[i]), row[i].verdict);
}

static void transport_streams_have_their_sync_bytes(void **state)
{
	(void)state;
	for (size_t stamp = 0; stamp <= 4; stamp += 4) {
		memset(data, 0x80, SAMPLE);
		for (size_t i = stamp; i < SAMPLE; i += 188 + stamp)
			data[i] = 0x47;
		assert_int_equal(classify_name_and_head("x", 1, data, SAMPLE), CLASS_STORE);
		data[188 + 2 * stamp] = 0;
		assert_int_equal(classify_name_and_head("x", 1, data, SAMPLE), CLASS_UNSURE);
	}
}

static void text_compresses_whatever_it_begins_with(void **state)
{
	static const char korean[] = "\xec\x98\xa4\xeb\x8a\x98\xec\x9d\x80";

	(void)state;
	write_text(data, SAMPLE);
	assert_int_equal(classify_name_and_head("x", 1, data, SAMPLE), CLASS_COMPRESS);
	memcpy(data, "GIF8 is a magic number ", 23);
	assert_int_equal(classify_name_and_head("x", 1, data, SAMPLE), CLASS_COMPRESS);
	for (size_t cut = 4; cut < sizeof korean; cut++)
		assert_int_equal(classify_name_and_head("x", 1, (const uint8_t *)korean, cut),
		                 CLASS_COMPRESS);
	assert_int_equal(classify_name_and_head("x", 1, (const uint8_t *)"", 0), CLASS_UNSURE);
}

/* The shortest heads must not be read past their end: for the sanitizers. */
static void every_length_of_head_is_fine(void **state)
{
	(void)state;
	for (size_t len = 1; len < 64; len++) {
		uint8_t *head = malloc(len);

		assert_non_null(head);
		memset(head, 0x47, len);
		memcpy(head, "PK\3\4", len < 4 ? len : 4);
		classify_name_and_head("a.mp3", 5, head, len);
		free(head);
	}
}

static bool is_text(const char *head, size_t len)
{
	return classify_name_and_head("a", 1, (const uint8_t *)head, len) == CLASS_COMPRESS;
}

/* A block is looked at at once, and what is left byte by byte. */
static void one_byte_anywhere_makes_it_no_text(void **state)
{
	static const size_t len[] = {4, 63, 64, 65, 200};
	char head[200];

	(void)state;
	memset(head, 'a', sizeof(head));
	for (size_t i = 0; i < COUNT(len); i++)
		for (size_t at = 0; at + 3 < len[i]; at++) {
			for (int byte = 0; byte < 256; byte++) {
				bool text = (byte >= '\t' && byte <= '\r') ||
				            (byte >= ' ' && byte < 0x7f);

				head[at] = (char)byte;
				assert_int_equal(is_text(head, len[i]), text);
			}
			head[at] = 'a';
		}
}

static void utf8_is_text_wherever_it_lies(void **state)
{
	static const struct {
		char bytes[5];
		bool text;
	} word[] = {
		{"\xc3\xa9", true},      {"\xe2\x82\xac", true},      {"\xf0\x9f\x8e\xac", true},
		{"\xc3z", false},        {"\xc1\xa9", false},         {"\xe0\x9f\xbf", false},
		{"\xed\xa0\x80", false}, {"\xf4\x90\x80\x80", false},
	};
	char head[80];

	(void)state;
	for (size_t i = 0; i < COUNT(word); i++)
		for (size_t at = 0; at + 8 < sizeof(head); at++) {
			memset(head, 'a', sizeof(head));
			memcpy(head + at, word[i].bytes, strlen(word[i].bytes));
			assert_int_equal(is_text(head, sizeof(head)), word[i].text);
		}
	/* A character that is cut at the end. */
	memset(head, 'a', sizeof(head));
	for (size_t cut = 1; cut < 4; cut++) {
		memcpy(head + sizeof(head) - cut, "\xf0\x9f\x8e", cut);
		assert_true(is_text(head, sizeof(head)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_bytes_always_look_random),
		cmocka_unit_test(what_was_compressed_nearly_always_does),
		cmocka_unit_test(text_and_base64_never_do),
		cmocka_unit_test(sound_does_not),
		cmocka_unit_test(little_and_uniform_samples_do_not),
		cmocka_unit_test(media_is_known_by_its_magic),
		cmocka_unit_test(weak_magic_needs_the_extension),
		cmocka_unit_test(the_first_member_of_a_zip_decides),
		cmocka_unit_test(transport_streams_have_their_sync_bytes),
		cmocka_unit_test(text_compresses_whatever_it_begins_with),
		cmocka_unit_test(one_byte_anywhere_makes_it_no_text),
		cmocka_unit_test(utf8_is_text_wherever_it_lies),
		cmocka_unit_test(every_length_of_head_is_fine),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
