/* BLAKE2b-512 (RFC 7693) of WAYS leaves side by side: word i of the vectors is that of
 * leaf i.  Not a header like others: digests.c includes it once for each width, with
 * WAYS, TARGET (what the processor must have) and NAMED(what). */
#ifdef NAMED

typedef uint64_t NAMED(words) __attribute__((vector_size(8 * WAYS)));

#define WAY static inline __attribute__((always_inline, target(TARGET)))

/* RFC 7693, 3.1: from v[d] and what is added to it. */
WAY void NAMED(turn)(NAMED(words) * v, const NAMED(words) * other, int right)
{
	NAMED(words) x = *v ^ *other;

	*v = x >> right | x << (64 - right);
}

WAY void NAMED(mix)(NAMED(words) v[16], int a, int b, int c, int d, const NAMED(words) * x,
                    const NAMED(words) * y)
{
	v[a] += v[b] + *x;
	NAMED(turn)(&v[d], &v[a], 32);
	v[c] += v[d];
	NAMED(turn)(&v[b], &v[c], 24);
	v[a] += v[b] + *y;
	NAMED(turn)(&v[d], &v[a], 16);
	v[c] += v[d];
	NAMED(turn)(&v[b], &v[c], 63);
}

WAY void NAMED(mix_all)(NAMED(words) v[16], const NAMED(words) m[16], const uint8_t s[16])
{
	NAMED(mix)(v, 0, 4, 8, 12, &m[s[0]], &m[s[1]]);
	NAMED(mix)(v, 1, 5, 9, 13, &m[s[2]], &m[s[3]]);
	NAMED(mix)(v, 2, 6, 10, 14, &m[s[4]], &m[s[5]]);
	NAMED(mix)(v, 3, 7, 11, 15, &m[s[6]], &m[s[7]]);
	NAMED(mix)(v, 0, 5, 10, 15, &m[s[8]], &m[s[9]]);
	NAMED(mix)(v, 1, 6, 11, 12, &m[s[10]], &m[s[11]]);
	NAMED(mix)(v, 2, 7, 8, 13, &m[s[12]], &m[s[13]]);
	NAMED(mix)(v, 3, 4, 9, 14, &m[s[14]], &m[s[15]]);
}

/* RFC 7693, 3.2: the block of each leaf that ends at end. */
WAY void NAMED(compress)(NAMED(words) h[8], const uint8_t *leaves, uint64_t end)
{
	const NAMED(words) zero = {0};
	NAMED(words) m[16], v[16];

	for (int way = 0; way < WAYS; way++)
		for (int i = 0; i < 16; i++)
			m[i][way] =
				load_le64(leaves + (size_t)way * FORMAT_LEAF + end - BLOCK + 8 * i);
	for (int i = 0; i < 8; i++) {
		v[i] = h[i];
		v[i + 8] = zero + start[i];
	}
	v[12] ^= zero + end;
	if (end == FORMAT_LEAF)
		v[14] = ~v[14];
	for (int round = 0; round < ROUNDS; round++)
		NAMED(mix_all)(v, m, order[round]);
	for (int i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

static __attribute__((target(TARGET))) void NAMED(digest)(uint8_t *out, const uint8_t *leaves)
{
	const NAMED(words) zero = {0};
	NAMED(words) h[8];

	for (int i = 0; i < 8; i++)
		h[i] = zero + start[i];
	h[0] ^= zero + 0x01010040; /* no key, 64 bytes */
	for (uint64_t end = BLOCK; end <= FORMAT_LEAF; end += BLOCK)
		NAMED(compress)(h, leaves, end);
	for (int way = 0; way < WAYS; way++)
		for (int i = 0; i < FORMAT_DIGEST / 8; i++)
			store_le64(out + (size_t)way * FORMAT_DIGEST + 8 * i, h[i][way]);
}

#undef WAY
#endif
