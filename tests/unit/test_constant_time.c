/* Does what is secret decide where the program goes, or what it looks at?  Under
 * valgrind secrets are marked as undefined: a jump or an address that depends on
 * one is an error.  What becomes public on the way is said here, where it does.
 * tests/cli/51-constant-time.sh runs this, and the controls as well. */
#include "tests/unit/unit.h"

#if __has_include(<valgrind/memcheck.h>)

#include <sodium.h>
#include <valgrind/memcheck.h>

/* With what is static in them. */
#include "bundler/uniform.c"
#include "common/header.c"

#define IDENTITY_PUBLIC(p, len) VALGRIND_MAKE_MEM_DEFINED(p, len)
#include "common/identity.c"

#include "bundler/minisign.h"

enum { ROUNDS = 20 };

static void make_secret(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void make_public(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

static void draw_secret(void *p, size_t len)
{
	randombytes_buf(p, len);
	make_secret(p, len);
}

/* Has valgrind found anything so far? */
static int no_error(void **state)
{
	(void)state;
	return VALGRIND_COUNT_ERRORS ? -1 : 0;
}

static void field_arithmetic(void **state)
{
	uint8_t one[32], two[32];
	struct field a, b, c;
	uint64_t mask;
	unsigned parity;

	(void)state;
	draw_secret(one, sizeof one);
	draw_secret(two, sizeof two);
	field_load(&a, one);
	field_load(&b, two);
	field_add(&c, &a, &b);
	field_sub(&c, &c, &b);
	mask = field_equal(&a, &c);
	field_mul(&c, &a, &b);
	field_square(&b, &c);
	field_swap(&a, &b, mask);
	field_select(&c, &a, mask);
	mask &= field_sqrt_ratio(&c, &a, &b) | 1;
	parity = field_parity(&c);
	field_store(one, &c);
	make_public(one, sizeof one);
	make_public(&mask, sizeof mask);
	make_public(&parity, sizeof parity);
	assert_true(mask & 1);
	assert_int_equal(parity, one[0] & 1);
}

/* Whether a point has a representative at all is public: if not, it is dropped. */
static void inverse_map(void **state)
{
	uint8_t q[32], r[32];
	unsigned branch, parity, found = 0;
	uint64_t exists;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		crypto_core_ed25519_random(q);
		branch = i & 1;
		parity = i >> 1 & 1;
		make_secret(q, sizeof q);
		make_secret(&branch, sizeof branch);
		make_secret(&parity, sizeof parity);
		exists = invert_map(r, q, branch, parity);
		make_public(&exists, sizeof exists);
		make_public(r, sizeof r);
		assert_true(exists == 0 || ((r[0] ^ i >> 1) & 1) == 0);
		found += exists & 1;
	}
	assert_in_range(found, 1, ROUNDS - 1);
}

static void scalar_and_small_order(void **state)
{
	uint8_t scalar[32], k[32], point[32];
	unsigned number = 4;

	(void)state;
	draw_secret(scalar, sizeof scalar);
	eighth(k, scalar);
	make_secret(&number, sizeof number);
	pick_small_order(point, number);
	make_public(point, sizeof point);
	assert_memory_equal(point, small_order[4], sizeof point);
}

/* The number of the slot that fits is public: its owner goes on with it.  The
 * header is public as it is. */
static void slot_scan(void **state)
{
	static uint8_t header[FORMAT_HEADER];
	struct header_secrets secrets;
	uint8_t kek[KDF_KEYBYTES], other[KDF_KEYBYTES], contents[FORMAT_SLOT_CONTENTS];
	int found;

	(void)state;
	for (unsigned kinds = 1; kinds <= HEADER_SIBLING; kinds++) {
		unsigned index = kinds * 31 / HEADER_SIBLING;

		draw_secret(&secrets, sizeof secrets);
		draw_secret(other, sizeof other);
		draw_secret(contents, sizeof contents);
		secrets.kinds = kinds;
		randombytes_buf(header, sizeof header);
		header_kek(kek, header, &secrets);
		header_seal_slot(header + FORMAT_SLOT_OFFSET + index * FORMAT_SLOT, header, index,
		                 kek, contents);
		make_public(header, sizeof header);
		found = find_slot(header, kek);
		make_public(&found, sizeof found);
		assert_int_equal(found, index);
		slot_crypt(contents, header + FORMAT_SLOT_OFFSET + index * FORMAT_SLOT, index, kek);
		found = find_slot(header, other);
		make_public(&found, sizeof found);
		assert_int_equal(found, -1);
	}
}

/* Where the prefix is right, nothing but whether all of it is in order shows. */
static void reading_an_identity(void **state)
{
	/* BIP 173 of 32 zero bytes, and a slip in it. */
	char text[] = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ8H00W3";
	size_t len = sizeof text - 1, front = strlen("AGE-SECRET-KEY-1");
	uint8_t key[KDF_KEYBYTES];
	int status;

	(void)state;
	for (int slip = 0; slip < 3; slip++) {
		if (slip)
			text[front + 7] = slip == 1 ? 'P' : '!';
		make_secret(text + front, len - front);
		status = identity_decode(key, text, len, IDENTITY_PREFIX);
		make_public(&status, sizeof status);
		make_public(text, sizeof text);
		assert_int_equal(status, slip ? STATUS_KEYFILE : STATUS_OK);
	}
}

static void signing(void **state)
{
	static struct minisign_secret key;
	uint8_t content[FORMAT_CONTENT_PART] = {1}, signature[FORMAT_SIGNATURE];

	(void)state;
	crypto_sign_keypair(key.public_key, key.secret_key);
	make_secret(key.secret_key, 32); /* the seed; the other half is the public key */
	minisign_sign_root(signature, content, &key);
	make_public(signature, sizeof signature);
	assert_false(sodium_is_zero(signature, sizeof signature));
}

/* What must be caught: each does with a secret what is not to be done. */
static int control(const char *what)
{
	static volatile uint8_t table[256] = {1};
	volatile unsigned sum = 0;
	uint8_t one[32] = {0}, two[32] = {0};

	make_secret(one, sizeof one);
	if (!strcmp(what, "branch")) {
		if (one[0] & 1)
			sum++;
	} else if (!strcmp(what, "table")) {
		sum += table[one[0]];
	} else if (!strcmp(what, "memcmp")) {
		if (memcmp(one, two, sizeof one))
			sum++;
	} else if (strcmp(what, "nothing")) {
		return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, NULL, no_error)
	const struct CMUnitTest tests[] = {
		TEST(field_arithmetic), TEST(inverse_map), TEST(scalar_and_small_order),
		TEST(slot_scan),        TEST(signing),     TEST(reading_an_identity),
	};

	if (!RUNNING_ON_VALGRIND) {
		puts("1..0 # SKIP only valgrind can tell");
		return 0;
	}
	if (sodium_init() < 0)
		return 1;
	if (argc > 1)
		return control(argv[1]);
	return cmocka_run_group_tests_name("constant time", tests, NULL, NULL);
}

#else

int main(void)
{
	puts("1..0 # SKIP built without valgrind/memcheck.h");
	return 0;
}

#endif
