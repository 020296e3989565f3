/* In front of the seal and the digests of common/: no key is needed and no digest matters, so
 * that a fuzzer gets behind them.  A page whose tag begins with 0xff is damaged.  The
 * publisher's signature is always right.  What a passphrase or a password is
 * stretched to costs nothing; door_memory is how much memory there is for it. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash4.h"
#include "common/seal.h"
#include "common/seal_heap.h"
#include "common/status.h"
#include "tests/fuzz/fuzz.h"

size_t door_memory = SIZE_MAX;
unsigned fuzz_good;

struct seal {
	int nothing;
};

int seal_new(struct seal **seal)
{
	*seal = calloc(1, sizeof **seal);
	return *seal ? STATUS_OK : STATUS_NOMEM;
}

/* libcrypto's own default, for what else fetches from it. */
OSSL_LIB_CTX *seal_library(void)
{
	return NULL;
}

void seal_free(struct seal *seal)
{
	free(seal);
}

void seal_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
               uint64_t number, const uint8_t payload[static FORMAT_PAYLOAD],
               uint8_t page[static FORMAT_PAGE])
{
	(void)seal, (void)key, (void)domain, (void)number;
	memcpy(page, payload, FORMAT_PAYLOAD);
	memset(page + FORMAT_PAYLOAD, 0, FORMAT_PAGE - FORMAT_PAYLOAD);
}

int seal_open_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
                   uint64_t number, const uint8_t page[static FORMAT_PAGE],
                   uint8_t payload[static FORMAT_PAYLOAD])
{
	(void)seal, (void)key, (void)domain, (void)number;
	memset(payload, 0, FORMAT_PAYLOAD);
	if (page[FORMAT_PAYLOAD] == 0xff)
		return STATUS_DAMAGED;
	memcpy(payload, page, FORMAT_PAYLOAD);
	return STATUS_OK;
}

int seal_check_page(const uint8_t key[static FORMAT_KEY], enum seal_domain domain, uint64_t number,
                    const uint8_t page[static FORMAT_PAGE])
{
	(void)key, (void)domain, (void)number;
	return page[FORMAT_PAYLOAD] == 0xff ? STATUS_DAMAGED : STATUS_OK;
}

void hash4_one(uint8_t digest[static HASH4_BYTES], const void *data, size_t len)
{
	(void)data, (void)len;
	memset(digest, 0, HASH4_BYTES);
}

void hash4(const struct hash4_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		memset(runs[i].digest, 0, HASH4_BYTES);
}

int crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *m,
                                unsigned long long mlen, const unsigned char *pk)
{
	(void)sig, (void)m, (void)mlen, (void)pk;
	return 0;
}

static int stretch(uint8_t *out, size_t out_len, const void *secret, size_t len, const void *salt,
                   size_t salt_len, uint64_t memory)
{
	crypto_generichash_state state;
	uint8_t key[32];

	if (memory > door_memory)
		return -1;
	crypto_generichash_init(&state, NULL, 0, sizeof key);
	crypto_generichash_update(&state, (const uint8_t *)&memory, sizeof memory);
	crypto_generichash_update(&state, salt, salt_len);
	crypto_generichash_update(&state, secret, len);
	crypto_generichash_final(&state, key, sizeof key);
	for (size_t i = 0; i < out_len; i++)
		out[i] = key[i % sizeof key];
	return 0;
}

int crypto_pwhash(unsigned char *const out, unsigned long long out_len, const char *const password,
                  unsigned long long len, const unsigned char *const salt,
                  unsigned long long passes, size_t memory, int algorithm)
{
	(void)passes, (void)algorithm;
	return stretch(out, out_len, password, len, salt, crypto_pwhash_SALTBYTES, memory);
}

int crypto_pwhash_scryptsalsa208sha256(unsigned char *const out, unsigned long long out_len,
                                       const char *const password, unsigned long long len,
                                       const unsigned char *const salt, unsigned long long ops,
                                       size_t memory)
{
	(void)ops;
	return stretch(out, out_len, password, len, salt,
	               crypto_pwhash_scryptsalsa208sha256_SALTBYTES, memory);
}
