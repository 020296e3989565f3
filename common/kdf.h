/* What the user has -> keys.  bundle(5), "Keys".  Outside thing: libsodium;
 * utf8proc for the normal form of a passphrase.  Derivations on the stack are
 * wiped; every output buffer should lie in the arena. */
#ifndef COMMON_KDF_H
#define COMMON_KDF_H

#include <stddef.h>
#include <stdint.h>

#define KDF_KEYBYTES 32
#define KDF_SALTBYTES 16
#define KDF_STACK 4096          /* bytes of stack below a hash that may hold its result */
#define KDF_PASSPHRASE_MAX 1024 /* bytes, before and after normalisation */
#define KDF_KEYFILE_MIN 16      /* bytes */
#define KDF_KEYFILE_MAX (1 << 20)

/* The two fixed Argon2id profiles, in the order in which a reader tries them. */
enum kdf_profile { KDF_LOW = 0, KDF_STANDARD = 1 };

/* Bring a passphrase to the form that is stretched: valid UTF-8 to NFC, then
 * tab, LF, CR, space, U+00A0 and U+3000 trimmed at both ends.
 * in: len bytes. out: room for KDF_PASSPHRASE_MAX; *out_len its length.
 * STATUS_PASSPHRASE: invalid UTF-8, empty, a NUL, or code points that Unicode
 * 14 does not assign (their normal form might still change). STATUS_TOOBIG.
 * STATUS_NOMEM.  On failure out is wiped, *out_len untouched. */
int kdf_passphrase_normalize(const char *in, size_t len, char out[static KDF_PASSPHRASE_MAX],
                             size_t *out_len);

/* Argon2id13(passphrase, salt), one lane: KDF_LOW 64 MiB and 3 passes,
 * KDF_STANDARD 256 MiB and 3 passes.  passphrase: normalised.
 * STATUS_KDFMEM where the memory cannot be had. */
int kdf_stretch(const char *passphrase, size_t len, const uint8_t salt[static KDF_SALTBYTES],
                enum kdf_profile profile, uint8_t out[static KDF_KEYBYTES]);

/* BLAKE2b-256 of the whole file at path.
 * STATUS_KEYFILE: shorter than KDF_KEYFILE_MIN or longer than KDF_KEYFILE_MAX,
 * or not a regular file; STATUS_IO. */
int kdf_key_file(const char *path, uint8_t out[static KDF_KEYBYTES]);

/* BLAKE2b-256 keyed with key over label, a NUL, and data (len bytes, may be
 * none): the one derivation of the format.  label: ASCII, static. */
void kdf_derive(uint8_t out[static KDF_KEYBYTES], const uint8_t key[static KDF_KEYBYTES],
                const char *label, const void *data, size_t len);

/* The key of a compartment's pages in one volume, from the compartment's. */
void kdf_page_key(uint8_t out[static KDF_KEYBYTES], const uint8_t ck[static KDF_KEYBYTES],
                  uint16_t volume_no);

/* What a publisher signs of a content part.  bundle(5), "Signature". */
#define KDF_SIGNED 79
void kdf_signed(uint8_t message[static KDF_SIGNED], const uint8_t *content_part, size_t len);

#endif
