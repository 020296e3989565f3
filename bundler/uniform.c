#include "bundler/uniform.h"

#include <sodium.h>
#include <string.h>

#include "bundler/field.h"
#include "common/status.h"

/* Why e is uniform.
 *
 * s is clamped, so k = s / 8 is uniform among 2^251 .. 2^252 - 1, which is one
 * half of the numbers modulo the order of B, 2^252 + c with c < 2^125.  The other
 * half, but for some 2c, is their negatives.  T is uniform among the eight points
 * of small order.  So Q = kB + T or -Q, whichever has the lower x, is uniform
 * among all such pairs of the curve's points, up to a distance of 2^-126; and so
 * is the y that they share.  The sign of Q itself would tell the halves apart if
 * only one could take discrete logarithms; but X25519 never looks at it: -s and s
 * have the same u-coordinates.  So it is not used, and the sign in e is drawn.
 *
 * The map takes the number r in e to y, and picks the sign of x by the top bit.  A
 * y that it reaches at all it reaches from four r below p: r and p - r by one of
 * its branches, two others by the other one (invert_map says why).  Two bits choose
 * among the four, so r is as uniform as y, among all r that occur.
 *
 * These are all from 1 to p - 1; the 20 of 2^255 that are left out are 0, and p to
 * 2^255 - 1, which would stand for 0 to 18 once more.  Half of all y are reached:
 * drawing again doubles the distance, which is below 2^-125 in all. */

enum { POINTS = 8, DRAWS = 256, TOP_BIT = 0x80 };

/* Multiples of the second, which has order 8: y, and the lowest bit of x on top. */
static const uint8_t small_order[POINTS][32] = {
	{0x01},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	{[31] = 0x80},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85},
	{0x00},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa},
};

/* All are read, whichever it is. */
static void pick_small_order(uint8_t point[static 32], unsigned number)
{
	memset(point, 0, 32);
	for (unsigned i = 0; i < POINTS; i++) {
		uint64_t mask = field_mask(((i ^ number) - 1) >> 31);

		for (unsigned j = 0; j < 32; j++)
			point[j] |= small_order[i][j] & (uint8_t)mask;
	}
}

/* k = s / 8: three bits down, and below the order of B. */
static void eighth(uint8_t k[static 32], const uint8_t s[static 32])
{
	for (unsigned i = 0; i < 32; i++)
		k[i] = (uint8_t)(s[i] >> 3 | (i < 31 ? s[i + 1] << 5 : 0));
}

/* Q = (s / 8) B + T.  Not of small order, because k is neither 0 nor the order. */
static int make_point(uint8_t q[static 32], const uint8_t scalar[static 32], unsigned torsion)
{
	uint8_t k[32], t[32];
	int status = STATUS_INVALID;

	eighth(k, scalar);
	pick_small_order(t, torsion);
	if (crypto_scalarmult_ed25519_base_noclamp(q, k) == 0 &&
	    crypto_core_ed25519_add(q, q, t) == 0)
		status = STATUS_OK;
	sodium_memzero(k, sizeof k);
	sodium_memzero(t, sizeof t);
	return status;
}

/* The r of the given branch and parity that the map takes to the y of q; all ones
 * if there is one.
 * With u = (1 + y) / (1 - y), the branch where u = w = -A / (1 + 2 r^2) has
 *         r^2 = -(A + u) / 2u       = -(A (1 - y) + (1 + y)) / 2 (1 + y)
 * and the one where u = -A - w
 *         r^2 = -u / 2 (A + u)      = -(1 + y) / 2 (A (1 - y) + (1 + y)).
 * Their product is 1/4: both are squares or none is, and they are not the same, as
 * 1/2 and -1/2 are no squares.  The first branch wants w on the curve, and u is;
 * the second wants w off it: the curve's equation has in w = -A - u what it has in
 * u, times w / u, which is 2 times the first r^2, and 2 is no square.  Neither
 * 1 + y nor A + u is 0 for a point of the curve that is not of small order, -A
 * being no square. */
static uint64_t invert_map(uint8_t r[static 32], const uint8_t q[static 32], unsigned branch,
                           unsigned parity)
{
	static const struct field zero, one = {{1}}, a = {{486662}};
	struct field y, num, den, root, other;
	uint64_t exists;

	field_load(&y, q);
	field_add(&den, &one, &y);
	field_sub(&num, &one, &y);
	field_mul(&num, &num, &a);
	field_add(&num, &num, &den);
	field_swap(&num, &den, field_mask(branch));
	field_sub(&num, &zero, &num);
	field_add(&den, &den, &den);
	exists = field_sqrt_ratio(&root, &num, &den);
	field_sub(&other, &zero, &root);
	field_select(&root, &other, field_mask(field_parity(&root) ^ parity));
	field_store(r, &root);
	return exists;
}

/* Does the reader find sB in e, or -sB, which is as good? */
static int check(const uint8_t e[static 32], const uint8_t scalar[static 32])
{
	uint8_t found[32], expected[32];

	/* s has no more than 255 bits, and need not be reduced. */
	if (crypto_core_ed25519_from_uniform(found, e) ||
	    crypto_scalarmult_ed25519_base_noclamp(expected, scalar))
		return STATUS_INVALID;
	found[31] &= (uint8_t)~TOP_BIT;
	expected[31] &= (uint8_t)~TOP_BIT;
	return sodium_memcmp(found, expected, sizeof found) ? STATUS_INVALID : STATUS_OK;
}

int uniform_encode(uint8_t e[static UNIFORM_BYTES], const uint8_t scalar[static UNIFORM_BYTES],
                   const struct uniform_choice *choice)
{
	uint8_t q[32], r[32];
	uint64_t exists;
	int status = make_point(q, scalar, choice->torsion);

	if (status)
		return status;
	exists = invert_map(r, q, choice->branch, choice->parity);
	if (!exists)
		return 0;
	r[31] |= (uint8_t)(choice->sign << 7);
	status = check(r, scalar);
	if (status)
		return status;
	memcpy(e, r, UNIFORM_BYTES);
	return 1;
}

int uniform_ephemeral(uint8_t e[static UNIFORM_BYTES], uint8_t scalar[static UNIFORM_BYTES])
{
	struct uniform_choice choice;
	uint8_t bits;
	int status = 0;

	/* Every second draw succeeds; that none of so many does means a fault. */
	for (unsigned i = 0; i < DRAWS && status == 0; i++) {
		randombytes_buf(scalar, UNIFORM_BYTES);
		scalar[0] &= 248;
		scalar[31] = (uint8_t)((scalar[31] & 127) | 64);
		randombytes_buf(&bits, 1);
		choice = (struct uniform_choice){bits & 7, bits >> 3 & 1, bits >> 4 & 1,
		                                 bits >> 5 & 1};
		status = uniform_encode(e, scalar, &choice);
	}
	sodium_memzero(&choice, sizeof choice);
	sodium_memzero(&bits, sizeof bits);
	if (status == 1)
		return STATUS_OK;
	sodium_memzero(e, UNIFORM_BYTES);
	sodium_memzero(scalar, UNIFORM_BYTES);
	return STATUS_INVALID;
}

int uniform_share(uint8_t shared[static UNIFORM_BYTES], const uint8_t scalar[static UNIFORM_BYTES],
                  const uint8_t recipient[static UNIFORM_BYTES])
{
	if (crypto_scalarmult(shared, scalar, recipient) == 0)
		return STATUS_OK;
	sodium_memzero(shared, UNIFORM_BYTES);
	return STATUS_KEYFILE;
}
