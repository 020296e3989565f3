#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/uniform.h"
#include "common/status.h"

enum { DRAWS = 2000, SIX_SIGMA = 134 };

/* Computed from bundle(5) with Python's integers; "" where there is no e. */
static const struct {
	const char *scalar;
	struct uniform_choice choice;
	const char *e;
} vector[] = {
	{"70c5ede18749a62527093015b19d04c051436281a714a8183098ab945d971550",
         {0, 0, 0, 0},
         "94fc409e024056e2f23391ba24de8131258b0ee30856c06e6650094232ae4008"},
	{"58261ce265f7fd26b6e05556cae3e0a21d4beaee3f1230a98328016373fa8256",
         {1, 0, 1, 0},
         "7d31e41f7f5ae84d8d90a2058176616cb495ba01d0343f164fce63670707a132"},
	{"005c9dcc0f50627ed876c4fb9ca96604ac14628fd6afe8e36fd4c31517ae2d63", {2, 1, 0, 0}, ""},
	{"5089c32997fbfd71259e13a655dff75d83c23a6f62810124af9fdb7d36e58079",
         {3, 1, 1, 0},
         "df6e6f56eb728daf09af1c329038706e7ea24006bee7b4482618ff10351c4e76"},
	{"58a1535f6da3cc4ccf800f9ff41edb1e2e3af72ac9e79211610e3d7c128f2c55",
         {4, 0, 0, 1},
         "964f44c063443d5f7e700808b50a038459fce31b702f640b3e142cd7095872b4"},
	{"784f2fed4e69a0fcb7e1be68ccf9f60354cb25ac4568f6652637a4f8f0123c69",
         {5, 0, 1, 1},
         "857a23994ce5ca9b9701200e07144b66fd107dfba8404012e91c316c1afcc38d"},
	{"98a5749abfda88f26d6b2b193f42c65b7081581c269b6e1c62ce977fb70be04a",
         {6, 1, 0, 1},
         "ea18d1fa7fe6735854840d8d0c2114a967074e0c82b217c8f18ce7b7d3636488"},
	{"78b248843448cd7fc0e35c5d7044c4d4910747cbdd5cda518ec9cb7a4b48755f",
         {7, 1, 1, 1},
         "77dc1ce662fb706f7e8181d479d5f22028657df62a84b4e401a94f0a6aa11ba1"},
	{"0000000000000000000000000000000000000000000000000000000000000040",
         {0, 0, 0, 0},
         "f6f3100e28e7e1bebec9d83c29fefbafad18b407887bcd49c3d6bb499832df2d"},
	{"f8ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
         {1, 0, 1, 0},
         "adf50bd6c94d8e2216bc9ea47ba1552e5acbe26cecb0c7e36c5fb15768c31738"},
};

static void from_hex(uint8_t out[static 32], const char *hex)
{
	size_t len = 0;

	assert_int_equal(sodium_hex2bin(out, 32, hex, strlen(hex), NULL, &len, NULL), 0);
	assert_int_equal(len, 32);
}

static void vectors_come_out(void **state)
{
	uint8_t scalar[32], e[32], expected[32];

	(void)state;
	for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
		bool exists = *vector[i].e;

		from_hex(scalar, vector[i].scalar);
		memset(e, 0x5a, sizeof e);
		memset(expected, 0x5a, sizeof expected);
		if (exists)
			from_hex(expected, vector[i].e);
		assert_int_equal(uniform_encode(e, scalar, &vector[i].choice), exists);
		assert_memory_equal(e, expected, sizeof e);
	}
}

/* All that one scalar can become: of each point of small order none, or two
 * branches of two roots of two signs, all different and each as it was asked for. */
static void four_numbers_lead_to_a_point(void **state)
{
	uint8_t scalar[32], e[64][32];
	unsigned count = 0;

	(void)state;
	from_hex(scalar, vector[0].scalar);
	for (unsigned torsion = 0; torsion < 8; torsion++) {
		unsigned before = count;

		for (unsigned i = 0; i < 8; i++) {
			struct uniform_choice choice = {torsion, i & 1, i >> 1 & 1, i >> 2};

			if (uniform_encode(e[count], scalar, &choice) != 1)
				continue;
			assert_int_equal(e[count][0] & 1, choice.parity);
			assert_int_equal(e[count][31] >> 7, choice.sign);
			count++;
		}
		assert_true(count == before || count == before + 8);
	}
	assert_true(count > 0);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			assert_memory_not_equal(e[i], e[j], 32);
}

/* What a reader does, as bundle(5) has it: with the identity and e alone. */
static void share_as_reader(uint8_t shared[static 32], const uint8_t identity[static 32],
                            const uint8_t e[static 32])
{
	uint8_t point[32], u[32];

	assert_int_equal(crypto_core_ed25519_from_uniform(point, e), 0);
	assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(u, point), 0);
	assert_int_equal(crypto_scalarmult(shared, identity, u), 0);
}

/* What all tests below look at. */
static uint8_t drawn_e[DRAWS][32], drawn_scalar[DRAWS][32];

static void both_sides_agree(void **state)
{
	uint8_t identity[32], recipient[32], ours[32], theirs[32];

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		randombytes_buf(identity, sizeof identity);
		crypto_scalarmult_base(recipient, identity);
		assert_int_equal(uniform_share(ours, drawn_scalar[i], recipient), STATUS_OK);
		share_as_reader(theirs, identity, drawn_e[i]);
		assert_memory_equal(ours, theirs, sizeof ours);
	}
}

/* The control: any other e than that is of no use, but for its sign. */
static void any_bit_but_the_sign_matters(void **state)
{
	uint8_t identity[32] = {1}, right[32], wrong[32], e[32];

	(void)state;
	share_as_reader(right, identity, drawn_e[0]);
	memcpy(e, drawn_e[0], sizeof e);
	for (int bit = 0; bit < 256; bit++) {
		e[bit / 8] ^= (uint8_t)(1 << bit % 8);
		share_as_reader(wrong, identity, e);
		assert_int_equal(!memcmp(right, wrong, sizeof right), bit == 255);
		e[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* The map takes e to the point of the scalar or to its negative, one as often as
 * the other. */
static void the_map_leads_to_the_scalar(void **state)
{
	uint8_t found[32], expected[32];
	int same = 0;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		const uint8_t *scalar = drawn_scalar[i];

		assert_int_equal(scalar[0] & 7, 0);
		assert_int_equal(scalar[31] >> 6, 1);
		assert_int_equal(crypto_core_ed25519_from_uniform(found, drawn_e[i]), 0);
		assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(expected, scalar), 0);
		same += found[31] >> 7 == expected[31] >> 7;
		found[31] &= 0x7f;
		expected[31] &= 0x7f;
		assert_memory_equal(found, expected, sizeof found);
	}
	assert_in_range(same, DRAWS / 2 - SIX_SIGMA, DRAWS / 2 + SIX_SIGMA);
}

/* Is each bit 1, and each bit like its neighbour, in half of all strings, give or
 * take 6 sigma? */
static bool balanced(uint8_t string[DRAWS][32])
{
	int ones[256] = {0}, equal[256] = {0};
	bool good = true;

	for (int i = 0; i < DRAWS; i++)
		for (int bit = 0; bit < 256; bit++) {
			int next = (bit + 1) % 256, b = string[i][bit / 8] >> bit % 8 & 1;

			ones[bit] += b;
			equal[bit] += b == (string[i][next / 8] >> next % 8 & 1);
		}
	for (int bit = 0; bit < 256; bit++)
		good = good && abs(ones[bit] - DRAWS / 2) <= SIX_SIGMA &&
		       abs(equal[bit] - DRAWS / 2) <= SIX_SIGMA;
	return good;
}

static void bits_are_balanced(void **state)
{
	static uint8_t plain[DRAWS][32];

	(void)state;
	assert_true(balanced(drawn_e));
	for (int i = 0; i < DRAWS; i++)
		crypto_scalarmult_base(plain[i], drawn_scalar[i]);
	assert_false(balanced(plain));
}

/* No other choice makes the same e.  Without all eight points of small order, or
 * both branches, the bits are as balanced as ever, and an inspector needs one
 * multiplication. */
static void every_choice_is_drawn(void **state)
{
	enum { FEW = 320 };
	int torsion[8] = {0}, branch[2] = {0};
	uint8_t again[32];

	(void)state;
	for (int i = 0; i < FEW; i++) {
		const uint8_t *e = drawn_e[i];
		int found = 0;

		for (unsigned n = 0; n < 16; n++) {
			struct uniform_choice choice = {n & 7, n >> 3, e[0] & 1, e[31] >> 7};

			if (uniform_encode(again, drawn_scalar[i], &choice) != 1 ||
			    memcmp(e, again, sizeof again))
				continue;
			torsion[choice.torsion]++;
			branch[choice.branch]++;
			found++;
		}
		assert_int_equal(found, 1);
	}
	/* 40 and 160 are expected; beyond these bounds once in ten million runs. */
	for (unsigned n = 0; n < 8; n++)
		assert_in_range(torsion[n], 10, 80);
	assert_in_range(branch[0], 160 - 54, 160 + 54);
}

/* Of a scalar that is not clamped s / 8 is not what the reader will find. */
static void what_does_not_check_is_refused(void **state)
{
	uint8_t scalar[32], e[32], untouched[32];
	struct uniform_choice choice = {0};
	int refused = 0;

	(void)state;
	memset(e, 0x5a, sizeof e);
	memset(untouched, 0x5a, sizeof untouched);
	for (int i = 0; i < 100; i++) {
		int status;

		memcpy(scalar, drawn_scalar[i], sizeof scalar);
		scalar[0] |= 1;
		status = uniform_encode(e, scalar, &choice);
		assert_true(status == 0 || status == STATUS_INVALID);
		refused += status != 0;
		assert_memory_equal(e, untouched, sizeof e);
	}
	assert_in_range(refused, 20, 80);
}

static void recipients_of_small_order_are_refused(void **state)
{
	static const char *const recipient[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const uint8_t wiped[32];
	uint8_t shared[32], point[32];
	const uint8_t *scalar = drawn_scalar[0];

	(void)state;
	for (size_t i = 0; i < sizeof recipient / sizeof recipient[0]; i++) {
		from_hex(point, recipient[i]);
		memset(shared, 0x5a, sizeof shared);
		assert_int_equal(uniform_share(shared, scalar, point), STATUS_KEYFILE);
		assert_memory_equal(shared, wiped, sizeof shared);
	}
	point[0] = 9;
	memset(point + 1, 0, 31);
	assert_int_equal(uniform_share(shared, scalar, point), STATUS_OK);
}

static int prepare(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	for (int i = 0; i < DRAWS; i++)
		if (uniform_ephemeral(drawn_e[i], drawn_scalar[i]))
			return -1;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_come_out),
		cmocka_unit_test(four_numbers_lead_to_a_point),
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(any_bit_but_the_sign_matters),
		cmocka_unit_test(the_map_leads_to_the_scalar),
		cmocka_unit_test(bits_are_balanced),
		cmocka_unit_test(every_choice_is_drawn),
		cmocka_unit_test(what_does_not_check_is_refused),
		cmocka_unit_test(recipients_of_small_order_are_refused),
	};

	return cmocka_run_group_tests_name("uniform", tests, prepare, NULL);
}
