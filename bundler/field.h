/* Arithmetic modulo p = 2^255 - 19 whose time and accesses depend on nothing
 * but the code: what the inverse map of uniform.c needs and libsodium keeps to
 * itself.  Plain values; an output may be an input as well.  Nothing is wiped:
 * what the map computes, whoever sees its result can compute as well.
 *
 * Five limbs of 51 bits.  Between calls every limb is below 2^52, so that no sum
 * or product within overflows, and the value below 2p. */
#ifndef BUNDLER_FIELD_H
#define BUNDLER_FIELD_H

#include <stdint.h>

#define FIELD_BYTES 32

struct field {
	uint64_t limb[5];
};

/* A mask is 0 or all ones. */
static inline uint64_t field_mask(unsigned bit)
{
	uint64_t mask = -(uint64_t)(bit & 1);

	__asm__("" : "+r"(mask)); /* that no compiler makes a branch of it */
	return mask;
}

/* Little-endian; the top bit is ignored, values from p on are taken modulo p. */
void field_load(struct field *out, const uint8_t in[static FIELD_BYTES]);

/* The one representation below p, top bit zero. */
void field_store(uint8_t out[static FIELD_BYTES], const struct field *a);

void field_add(struct field *out, const struct field *a, const struct field *b);
void field_sub(struct field *out, const struct field *a, const struct field *b);
void field_mul(struct field *out, const struct field *a, const struct field *b);
void field_square(struct field *out, const struct field *a);

/* All ones where a = b. */
uint64_t field_equal(const struct field *a, const struct field *b);

/* The lowest bit of the representation below p: it tells a from -a. */
unsigned field_parity(const struct field *a);

/* Where mask is all ones: out = a; exchange a and b. */
void field_select(struct field *out, const struct field *a, uint64_t mask);
void field_swap(struct field *a, struct field *b, uint64_t mask);

/* out = one of the two square roots of num / den, den != 0.  All ones if there
 * are any; otherwise 0, and out means nothing. */
uint64_t field_sqrt_ratio(struct field *out, const struct field *num, const struct field *den);

#endif
