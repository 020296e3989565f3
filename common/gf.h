/* Arithmetic in GF(2^8) with the polynomial 0x11d, and the parity coefficients
 * of bundle(5), "Parity".  Portable; with SSSE3 where the processor has it. */
#ifndef COMMON_GF_H
#define COMMON_GF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint8_t gf_mul(uint8_t a, uint8_t b);

/* a != 0. */
uint8_t gf_inv(uint8_t a);

/* The coefficient of data row row (0 to 63) in parity number q (0 to 15). */
uint8_t gf_coefficient(unsigned q, unsigned row);

/* dst[i] += c * src[i], for len bytes. */
void gf_muladd(uint8_t *dst, const uint8_t *src, uint8_t c, size_t len);

/* For tests: no SSSE3, though the processor have it.  Not while others compute. */
void gf_force_portable(bool only);

/* Invert the n x n matrix (rows end to end, n <= 16) in place.  0, or -1 where
 * it has no inverse; m is then undefined. */
int gf_invert(uint8_t *m, unsigned n);

#endif
