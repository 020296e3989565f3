#include "tests/unit/unit.h"

#include <sodium.h>

#include "bundler/field.h"

enum { ROUNDS = 1000 };

static const uint64_t yes = UINT64_MAX;

static void from_hex(struct field *out, const char *hex)
{
	uint8_t bytes[32];
	size_t len = 0;

	assert_int_equal(sodium_hex2bin(bytes, 32, hex, strlen(hex), NULL, &len, NULL), 0);
	assert_int_equal(len, 32);
	field_load(out, bytes);
}

static void assert_hex(const struct field *a, const char *hex)
{
	uint8_t bytes[32];
	char text[65];

	field_store(bytes, a);
	sodium_bin2hex(text, sizeof text, bytes, 32);
	assert_string_equal(text, hex);
}

/* Computed with Python's integers: a, b, a + b, a - b, a * b. */
static const char *const vector[][5] = {
	{"4e1195df020de59e0d65a33a4279f1183e7ae4e5d980e309f8b55adff2e61c3e",
         "c02c0b965e023abee808f2b548d8d5193a8b5229be6f3121a6f16e2d41a44933",
         "0e3ea075610f1f5df66d95f08a51c7327805370f98f0142b9ea7c90c348b6671",
         "8ee48949a40aabe0245cb184f9a01bff03ef91bc1b11b2e851c4ebb1b142d30a",
         "4d9be6d826069aba97748fdff0a8ad46f02c212fb1d505b62f564471cddfda7d"},
	{"f55ff16f66f43360266b95db6f8fec01d76031054306ae4a4b380598f6cfd114",
         "7dc96f776c8423e57a2785489a3f9c43fb6e756876d6ad9a9cac4aa4e72ec113",
         "722961e7d2785745a1921a240acf8845d2cfa66db9dc5be5e7e44f3cdefe9228",
         "789681f8f96f107bab431093d54f50bedbf1bb9ccc2f00b0ae8bbaf30ea11001",
         "0f7219139f428cf2fe6face11aef2f297e0c6816da75435df1dcf4184d95036e"},
	{"2c3a4249d77070058649dbd822dcaf7957586fce428cfb2ca88b94741eda8b07",
         "4814d92093ac8a0f4a2163ab87dee509ba306a58f5888be0edcb2fcd0712020b",
         "744e1b6a6a1dfb14d06a3e84aaba95831189d9263815870d9657c44126ec8d12",
         "d125692844c4e5f53b28782d9bfdc96f9d2705764d03704cbabf64a716c8897c",
         "6bdf709693a3075712e2d745ed36c4ac788a04e1fd41f130ff35a8828db35f0c"},
};

static void arithmetic_is_that_of_integers(void **state)
{
	struct field a, b, out;

	(void)state;
	for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
		from_hex(&a, vector[i][0]);
		from_hex(&b, vector[i][1]);
		field_add(&out, &a, &b);
		assert_hex(&out, vector[i][2]);
		field_sub(&out, &a, &b);
		assert_hex(&out, vector[i][3]);
		field_mul(&out, &a, &b);
		assert_hex(&out, vector[i][4]);
	}
}

#define ZEROS "000000000000000000000000000000"
#define ONES "ffffffffffffffffffffffffffffff"

/* What is loaded, and the one representation of it. */
static const char *const edge[][2] = {
	{"00" ZEROS ZEROS "00", "00" ZEROS ZEROS "00"}, /* 0 */
	{"00" ZEROS ZEROS "80", "00" ZEROS ZEROS "00"}, /* the top bit */
	{"01" ZEROS ZEROS "00", "01" ZEROS ZEROS "00"}, /* 1 */
	{"ec" ONES ONES "7f", "ec" ONES ONES "7f"},     /* p - 1 */
	{"ed" ONES ONES "7f", "00" ZEROS ZEROS "00"},   /* p */
	{"ee" ONES ONES "7f", "01" ZEROS ZEROS "00"},   /* p + 1 */
	{"ff" ONES ONES "7f", "12" ZEROS ZEROS "00"},   /* 2^255 - 1 */
	{"ff" ONES ONES "ff", "12" ZEROS ZEROS "00"},   /* 2^256 - 1 */
	{"00" ZEROS ZEROS "40", "00" ZEROS ZEROS "40"}, /* 2^254 */
};
enum { EDGES = sizeof edge / sizeof edge[0] };

static void edges_have_one_representation(void **state)
{
	struct field a;

	(void)state;
	for (size_t i = 0; i < EDGES; i++) {
		from_hex(&a, edge[i][0]);
		assert_hex(&a, edge[i][1]);
		assert_int_equal(field_parity(&a), !memcmp(edge[i][1], "01", 2));
	}
}

/* The sum of a and b is what they were, whatever p was added on the way. */
static void edges_stay_within_their_limbs(void **state)
{
	struct field a, b, sum, difference, product, square;

	(void)state;
	for (size_t i = 0; i < EDGES; i++)
		for (size_t j = 0; j < EDGES; j++) {
			from_hex(&a, edge[i][0]);
			from_hex(&b, edge[j][0]);
			for (int k = 0; k < 20; k++) {
				field_add(&sum, &a, &b);
				field_sub(&difference, &a, &b);
				for (int limb = 0; limb < 5; limb++)
					assert_true((sum.limb[limb] | difference.limb[limb]) >>
					                    52 ==
					            0);
				/* (a + b)(a - b) = a^2 - b^2 */
				field_mul(&product, &sum, &difference);
				field_square(&square, &a);
				field_square(&sum, &b);
				field_sub(&square, &square, &sum);
				assert_true(field_equal(&product, &square) == yes);
				field_sub(&a, &b, &a);
				field_add(&b, &b, &difference);
			}
		}
}

static void draw(struct field *a)
{
	uint8_t bytes[32];

	randombytes_buf(bytes, sizeof bytes);
	field_load(a, bytes);
}

static void roots_are_found_where_there_are_any(void **state)
{
	const struct field zero = {0}, one = {{1}}, two = {{2}};
	struct field a, den, num, root, check;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		draw(&a);
		draw(&den);
		field_square(&num, &a);
		field_mul(&num, &num, &den);
		assert_true(field_sqrt_ratio(&root, &num, &den) == yes);
		field_square(&root, &root);
		field_mul(&check, &root, &den);
		assert_true(field_equal(&check, &num) == yes);
		field_mul(&num, &num, &two); /* 2 is no square */
		assert_true(field_sqrt_ratio(&root, &num, &den) == 0);
	}
	assert_true(field_sqrt_ratio(&root, &zero, &one) == yes);
	assert_true(field_equal(&root, &zero) == yes);
}

static void masks_choose(void **state)
{
	const struct field one = {{1}}, two = {{2}};
	struct field a = one, b = two;

	(void)state;
	assert_true(field_mask(0) == 0 && field_mask(1) == yes && field_mask(2) == 0);
	field_select(&a, &b, 0);
	assert_true(field_equal(&a, &one) == yes && field_equal(&a, &two) == 0);
	field_swap(&a, &b, 0);
	assert_true(field_equal(&a, &one) == yes && field_equal(&b, &two) == yes);
	field_swap(&a, &b, yes);
	assert_true(field_equal(&a, &two) == yes && field_equal(&b, &one) == yes);
	field_select(&a, &b, yes);
	assert_true(field_equal(&a, &one) == yes);
}

static int prepare(void **state)
{
	(void)state;
	return sodium_init() < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic_is_that_of_integers),
		cmocka_unit_test(edges_have_one_representation),
		cmocka_unit_test(edges_stay_within_their_limbs),
		cmocka_unit_test(roots_are_found_where_there_are_any),
		cmocka_unit_test(masks_choose),
	};

	return cmocka_run_group_tests_name("field", tests, prepare, NULL);
}
