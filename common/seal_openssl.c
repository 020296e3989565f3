/* The fast door: libcrypto, for packer and mount.  The same bytes as
 * seal_sodium.c, and about twice as fast. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/seal.h"
#include "common/seal_heap.h"
#include "common/status.h"

enum {
	TAG = FORMAT_PAGE - FORMAT_PAYLOAD,
	/* libcrypto works on runs of 1,024 bytes where the processor has the registers
	 * for it, and a payload is not a multiple of that.  In two pieces, the first
	 * of them one, it takes an eighth less time than in one. */
	BULK = FORMAT_PAYLOAD / 1024 * 1024,
	REST = FORMAT_PAYLOAD - BULK,
};

/* Fetched once for each thread: a fetch costs more than a page. */
struct seal {
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealing, *opening;
};

static OSSL_LIB_CTX *library;

static void make_library(void)
{
	library = OSSL_LIB_CTX_new();
}

OSSL_LIB_CTX *seal_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_library);
	return library;
}

int seal_new(struct seal **seal)
{
	struct seal *s = seal_library() ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return STATUS_NOMEM;
	s->cipher = EVP_CIPHER_fetch(library, "ChaCha20-Poly1305", NULL);
	s->sealing = EVP_CIPHER_CTX_new();
	s->opening = EVP_CIPHER_CTX_new();
	if (!s->cipher || !s->sealing || !s->opening ||
	    !EVP_EncryptInit_ex2(s->sealing, s->cipher, NULL, NULL, NULL) ||
	    !EVP_DecryptInit_ex2(s->opening, s->cipher, NULL, NULL, NULL)) {
		seal_free(s);
		return STATUS_NOMEM;
	}
	*seal = s;
	return STATUS_OK;
}

/* libcrypto cleanses a context when it is freed. */
void seal_free(struct seal *seal)
{
	if (!seal)
		return;
	EVP_CIPHER_CTX_free(seal->opening);
	EVP_CIPHER_CTX_free(seal->sealing);
	EVP_CIPHER_free(seal->cipher);
	free(seal);
}

/* libcrypto leaves the upper halves of vector registers in use.  As long as they are,
 * every SSE instruction in this thread, of zstd's or of gf.c, waits for them: some
 * processors take six times as long. */
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

__attribute__((target("avx"))) static void zero_upper_halves(void)
{
	_mm256_zeroupper();
}

static void settle_registers(void)
{
	if (__builtin_cpu_supports("avx"))
		zero_upper_halves();
}
#else
static void settle_registers(void)
{
}
#endif

/* Nothing below allocates, so nothing below can fail but for a broken library;
 * a page that was not sealed must never be written, hence abort. */
void seal_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
               uint64_t number, const uint8_t payload[static FORMAT_PAYLOAD],
               uint8_t page[static FORMAT_PAGE])
{
	uint8_t nonce[SEAL_NONCE];
	int len;

	seal_make_nonce(nonce, domain, number);
	if (!EVP_EncryptInit_ex2(seal->sealing, NULL, key, nonce, NULL) ||
	    !EVP_EncryptUpdate(seal->sealing, page, &len, payload, BULK) ||
	    !EVP_EncryptUpdate(seal->sealing, page + BULK, &len, payload + BULK, REST) ||
	    !EVP_EncryptFinal_ex(seal->sealing, page + FORMAT_PAYLOAD, &len) ||
	    !EVP_CIPHER_CTX_ctrl(seal->sealing, EVP_CTRL_AEAD_GET_TAG, TAG, page + FORMAT_PAYLOAD))
		abort();
	settle_registers();
}

int seal_open_page(struct seal *seal, const uint8_t key[static FORMAT_KEY], enum seal_domain domain,
                   uint64_t number, const uint8_t page[static FORMAT_PAGE],
                   uint8_t payload[static FORMAT_PAYLOAD])
{
	uint8_t nonce[SEAL_NONCE], tag[TAG];
	bool opens;
	int len;

	seal_make_nonce(nonce, domain, number);
	memcpy(tag, page + FORMAT_PAYLOAD, TAG);
	opens = EVP_DecryptInit_ex2(seal->opening, NULL, key, nonce, NULL) &&
	        EVP_CIPHER_CTX_ctrl(seal->opening, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
	        EVP_DecryptUpdate(seal->opening, payload, &len, page, BULK) &&
	        EVP_DecryptUpdate(seal->opening, payload + BULK, &len, page + BULK, REST) &&
	        EVP_DecryptFinal_ex(seal->opening, payload + FORMAT_PAYLOAD, &len) > 0;
	settle_registers();
	if (opens)
		return STATUS_OK;
	sodium_memzero(payload, FORMAT_PAYLOAD); /* libcrypto leaves unauthenticated bytes there */
	return STATUS_DAMAGED;
}
