#include "bundler/field.h"

#include <sodium.h>

#include "common/bytes.h"

__extension__ typedef unsigned __int128 uint128;

#define LIMB_MASK ((UINT64_C(1) << 51) - 1)

static const struct field zero;

/* 2^((p - 1) / 4), a square root of -1. */
static const struct field root_of_minus_one = {
	{0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};

/* What stands above 51 bits goes into the next limb, from the last one times 19
 * into the first.  Limbs of up to 2^60 come out below 2^51, the first below
 * 2^51 + 2^14. */
static void carry(struct field *a)
{
	uint64_t over = 0;

	for (int i = 0; i < 5; i++) {
		a->limb[i] += over;
		over = a->limb[i] >> 51;
		a->limb[i] &= LIMB_MASK;
	}
	a->limb[0] += 19 * over;
}

void field_load(struct field *out, const uint8_t in[static FIELD_BYTES])
{
	uint64_t a = load_le64(in), b = load_le64(in + 8), c = load_le64(in + 16),
		 d = load_le64(in + 24);

	out->limb[0] = a & LIMB_MASK;
	out->limb[1] = (a >> 51 | b << 13) & LIMB_MASK;
	out->limb[2] = (b >> 38 | c << 26) & LIMB_MASK;
	out->limb[3] = (c >> 25 | d << 39) & LIMB_MASK;
	out->limb[4] = d >> 12 & LIMB_MASK;
}

void field_store(uint8_t out[static FIELD_BYTES], const struct field *a)
{
	struct field t = *a;
	uint64_t over = 19;

	/* It is p or more exactly if 19 more carry out of the top. */
	for (int i = 0; i < 5; i++)
		over = (t.limb[i] + over) >> 51;
	t.limb[0] += 19 * over;
	for (int i = 0; i < 4; i++) {
		t.limb[i + 1] += t.limb[i] >> 51;
		t.limb[i] &= LIMB_MASK;
	}
	t.limb[4] &= LIMB_MASK;
	store_le64(out, t.limb[0] | t.limb[1] << 51);
	store_le64(out + 8, t.limb[1] >> 13 | t.limb[2] << 38);
	store_le64(out + 16, t.limb[2] >> 26 | t.limb[3] << 25);
	store_le64(out + 24, t.limb[3] >> 39 | t.limb[4] << 12);
}

void field_add(struct field *out, const struct field *a, const struct field *b)
{
	for (int i = 0; i < 5; i++)
		out->limb[i] = a->limb[i] + b->limb[i];
	carry(out);
}

void field_sub(struct field *out, const struct field *a, const struct field *b)
{
	/* 4p on top: each of its limbs is more than b can have. */
	out->limb[0] = a->limb[0] + 4 * (LIMB_MASK - 18) - b->limb[0];
	for (int i = 1; i < 5; i++)
		out->limb[i] = a->limb[i] + 4 * LIMB_MASK - b->limb[i];
	carry(out);
}

void field_mul(struct field *out, const struct field *a, const struct field *b)
{
	uint128 sum[5] = {0};
	uint64_t over = 0;

	/* Limb i times limb j has the weight of limb i + j, and of one five places
	 * below times 19.  A sum is below 77 * 2^104. */
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < 5; j++) {
			uint64_t factor = i + j < 5 ? b->limb[j] : 19 * b->limb[j];

			sum[(i + j) % 5] += (uint128)a->limb[i] * factor;
		}
	for (int i = 0; i < 5; i++) {
		sum[i] += over;
		out->limb[i] = (uint64_t)sum[i] & LIMB_MASK;
		over = (uint64_t)(sum[i] >> 51); /* below 2^60 */
	}
	sum[0] = (uint128)19 * over + out->limb[0];
	out->limb[0] = (uint64_t)sum[0] & LIMB_MASK;
	out->limb[1] += (uint64_t)(sum[0] >> 51);
}

void field_square(struct field *out, const struct field *a)
{
	field_mul(out, a, a);
}

uint64_t field_equal(const struct field *a, const struct field *b)
{
	uint8_t one[FIELD_BYTES], other[FIELD_BYTES];

	field_store(one, a);
	field_store(other, b);
	return field_mask(~(unsigned)sodium_memcmp(one, other, FIELD_BYTES)); /* of 0, or -1 */
}

unsigned field_parity(const struct field *a)
{
	uint8_t bytes[FIELD_BYTES];

	field_store(bytes, a);
	return bytes[0] & 1;
}

void field_select(struct field *out, const struct field *a, uint64_t mask)
{
	for (int i = 0; i < 5; i++)
		out->limb[i] ^= (out->limb[i] ^ a->limb[i]) & mask;
}

void field_swap(struct field *a, struct field *b, uint64_t mask)
{
	for (int i = 0; i < 5; i++) {
		uint64_t t = (a->limb[i] ^ b->limb[i]) & mask;

		a->limb[i] ^= t;
		b->limb[i] ^= t;
	}
}

/* a to the power of (p - 5) / 8 = 2^252 - 3, in binary 250 ones, a zero and a
 * one: slow but plain, a header needs a handful. */
static void root_power(struct field *out, const struct field *a)
{
	struct field t = *a;

	for (int i = 1; i < 250; i++) {
		field_square(&t, &t);
		field_mul(&t, &t, a);
	}
	field_square(&t, &t);
	field_square(&t, &t);
	field_mul(out, &t, a);
}

uint64_t field_sqrt_ratio(struct field *out, const struct field *num, const struct field *den)
{
	struct field den3, power, root, turned, check, negative;
	uint64_t is_root, is_turned;

	/* num den^3 (num den^7)^((p - 5) / 8) squares to num / den, times a fourth
	 * root of one: as p = 5 modulo 8, times 1 or -1 if num / den is a square. */
	field_square(&den3, den);
	field_mul(&den3, &den3, den);
	field_square(&power, &den3);
	field_mul(&power, &power, den);
	field_mul(&power, &power, num);
	root_power(&power, &power);
	field_mul(&root, num, &den3);
	field_mul(&root, &root, &power);

	field_square(&check, &root);
	field_mul(&check, &check, den);
	field_sub(&negative, &zero, num);
	is_root = field_equal(&check, num);
	is_turned = field_equal(&check, &negative);
	field_mul(&turned, &root, &root_of_minus_one);
	field_select(&root, &turned, is_turned);
	*out = root;
	return is_root | is_turned;
}
