/* For MemorySanitizer, which does not see what libraries write that it has not compiled: these
 * functions say that they have written.  Without it nothing is here. */
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)

#include <dlfcn.h>
#include <sanitizer/msan_interface.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>
#include <zstd.h>

/* One that has written len bytes to out when it returns, as done. */
#define WRITING(type, name, parameters, arguments, out, len) \
	type name parameters                                 \
	{                                                    \
		type(*real) parameters = NULL;               \
		type done;                                   \
                                                             \
		*(void **)&real = dlsym(RTLD_NEXT, #name);   \
		done = real arguments;                       \
		__msan_unpoison(out, (size_t)(len));         \
		return done;                                 \
	}

typedef unsigned char byte;
typedef unsigned long long count;

WRITING(int, crypto_core_ed25519_from_uniform, (byte * p, const byte *r), (p, r), p, 32)
WRITING(int, crypto_generichash,
        (byte * out, size_t out_len, const byte *in, count in_len, const byte *key, size_t key_len),
        (out, out_len, in, in_len, key, key_len), out, out_len)
WRITING(int, crypto_generichash_final,
        (crypto_generichash_state * state, byte *out, const size_t out_len), (state, out, out_len),
        out, out_len)
WRITING(int, crypto_scalarmult, (byte * q, const byte *n, const byte *p), (q, n, p), q, 32)
WRITING(int, crypto_scalarmult_base, (byte * q, const byte *n), (q, n), q, 32)
WRITING(int, crypto_sign_detached,
        (byte * sig, count *sig_len, const byte *in, count in_len, const byte *key),
        (sig, sig_len, in, in_len, key), sig, crypto_sign_BYTES)
WRITING(int, crypto_sign_ed25519_pk_to_curve25519, (byte * out, const byte *in), (out, in), out, 32)
WRITING(int, crypto_sign_seed_keypair, (byte * pk, byte *sk, const byte *seed), (pk, sk, seed),
        (__msan_unpoison(sk, crypto_sign_SECRETKEYBYTES), pk), crypto_sign_PUBLICKEYBYTES)
WRITING(int, crypto_stream_xchacha20_xor,
        (byte * out, const byte *in, count len, const byte *nonce, const byte *key),
        (out, in, len, nonce, key), out, len)
WRITING(int, sodium_base642bin,
        (byte *const out, const size_t room, const char *const text, const size_t len,
         const char *const ignore, size_t *const out_len, const char **const end,
         const int variant),
        (out, room, text, len, ignore, out_len, end, variant),
        (__msan_unpoison(out_len, out_len ? sizeof *out_len : 0),
         __msan_unpoison(end, end ? sizeof *end : 0), out),
        room)
WRITING(char *, sodium_bin2base64,
        (char *const out, const size_t room, const byte *const in, const size_t len,
         const int variant),
        (out, room, in, len, variant), out, room)
WRITING(char *, sodium_bin2hex,
        (char *const out, const size_t room, const byte *const in, const size_t len),
        (out, room, in, len), out, room)

WRITING(size_t, ZSTD_decompressDCtx,
        (ZSTD_DCtx * ctx, void *out, size_t room, const void *in, size_t len),
        (ctx, out, room, in, len), out, ZSTD_isError(done) ? 0 : done)
WRITING(size_t, ZSTD_compress2,
        (ZSTD_CCtx * ctx, void *out, size_t room, const void *in, size_t len),
        (ctx, out, room, in, len), out, ZSTD_isError(done) ? 0 : done)

WRITING(utf8proc_ssize_t, utf8proc_iterate,
        (const utf8proc_uint8_t *text, utf8proc_ssize_t len, utf8proc_int32_t *point),
        (text, len, point), point, sizeof *point)
WRITING(utf8proc_ssize_t, utf8proc_encode_char, (utf8proc_int32_t point, utf8proc_uint8_t *out),
        (point, out), out, done)
WRITING(utf8proc_ssize_t, utf8proc_decompose,
        (const utf8proc_uint8_t *text, utf8proc_ssize_t len, utf8proc_int32_t *out,
         utf8proc_ssize_t room, utf8proc_option_t options),
        (text, len, out, room, options), out,
        done < 0 ? 0 : sizeof *out * (size_t)(done < room ? done : room))

void sodium_memzero(void *const p, const size_t len)
{
	memset(p, 0, len);
}

/* The compiler's own know these by the names of older C libraries only. */
WRITING(int, fstat64, (int fd, struct stat64 *st), (fd, st), st, done ? 0 : sizeof *st)
WRITING(int, stat64, (const char *path, struct stat64 *st), (path, st), st, done ? 0 : sizeof *st)
WRITING(int, lstat64, (const char *path, struct stat64 *st), (path, st), st, done ? 0 : sizeof *st)
WRITING(int, fstatat64, (int dir, const char *path, struct stat64 *st, int flags),
        (dir, path, st, flags), st, done ? 0 : sizeof *st)

#endif
#endif
