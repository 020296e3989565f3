/* What this machine can do at best, for figures to be held against: one thing at a
 * time, in one to 64 threads, with nothing around it.
 *
 *     limits seal|open THREADS               pages, by libcrypto: packer and mount
 *     limits seal-small|open-small THREADS   pages, by libsodium: the reader
 *     limits hash|hash-small THREADS         leaves of signed bundles, the same two
 *     limits hash-four THREADS               the same, four side by side: common/hash4.c
 *     limits zstd|unzstd THREADS LEVEL TREE  frames out of the files in TREE
 *     limits copy THREADS                    memory to memory
 *     limits tree DIRECTORY                  open, read and close every file
 *     limits file FILE                       read it in pieces of 1 MiB
 *     limits once DIRECTORY                  as tree, but once only: of what is slow
 *
 * Each is done three times, which takes half a second each, or as many as LIMIT_SECONDS
 * says; the best counts, by the time that the threads themselves had: a limit is what is
 * possible, and not what others left.
 * Prints MB/s of plaintext, all threads together; for zstd also the compressed
 * length as a part of the plain one, for tree and file how many MB there were. */
#include <err.h>
#include <fcntl.h>
#include <fts.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "common/hash4.h"

/* bundle(5): pages, leaves, frames. */
enum { PAGE = 16 * 1024, TAG = 16, PAYLOAD = PAGE - TAG, LEAF = 64 * 1024, FRAME = 256 * 1024 };

/* In two pieces a page takes libcrypto less time than in one: common/seal_openssl.c. */
enum { BULK = PAYLOAD / 1024 * 1024, REST = PAYLOAD - BULK };

/* What a thread goes round in: as much as stays in a core's own cache, so that
 * nothing which comes from memory or a disk can be faster. */
enum { PAGES = 32, ROUND = PAGES * PAGE, COPY = 1 << 20, READ = 1 << 20 };

/* Enough of a tree to be typical, in stretches in which neighbours stay together. */
enum { SAMPLE = 64 << 20, STRETCH = 4 << 20 };

/* STEPS: what is done between two looks at the clock, which cost as much as a kilobyte. */
enum { MOST_THREADS = 64, TRIES = 3, STEPS = 16 };

static double seconds = 0.5;

struct sample {
	uint8_t *bytes;
	size_t count; /* whole frames */
	int level;
	uint8_t **frame; /* compressed, for unzstd */
	size_t *len;
};

struct thread {
	void (*step)(struct thread *t); /* one unit of work; adds to bytes and stored */
	pthread_barrier_t *start;
	const struct sample *sample;
	uint8_t *in, *out;
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *digest;
	ZSTD_CCtx *squeezer;
	ZSTD_DCtx *expander;
	uint64_t number; /* of the unit */
	uint64_t bytes, stored;
	double speed;
};

static const uint8_t key[32] = {1};

/* Seconds that this thread has had a processor. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *get(size_t len)
{
	void *p = malloc(len);

	if (!p)
		err(1, "memory");
	return p;
}

/* --- pages and leaves ----------------------------------------------------------- */

static uint8_t *page_of(struct thread *t, uint8_t *round)
{
	return round + t->number % PAGES * PAGE;
}

static void make_nonce(struct thread *t, uint8_t nonce[static 12])
{
	memset(nonce, 0, 12);
	memcpy(nonce, &t->number, sizeof t->number);
}

static void did(struct thread *t, size_t len)
{
	t->number++;
	t->bytes += len;
}

static void step_seal(struct thread *t)
{
	uint8_t nonce[12], *page = page_of(t, t->out), *in = page_of(t, t->in);
	int len;

	make_nonce(t, nonce);
	if (!EVP_EncryptInit_ex2(t->cipher, NULL, key, nonce, NULL) ||
	    !EVP_EncryptUpdate(t->cipher, page, &len, in, BULK) ||
	    !EVP_EncryptUpdate(t->cipher, page + BULK, &len, in + BULK, REST) ||
	    !EVP_EncryptFinal_ex(t->cipher, page + PAYLOAD, &len) ||
	    !EVP_CIPHER_CTX_ctrl(t->cipher, EVP_CTRL_AEAD_GET_TAG, TAG, page + PAYLOAD))
		errx(1, "libcrypto does not seal");
	did(t, PAYLOAD);
}

/* Opens what step_seal_small has put there, whose numbers go round with the pages. */
static void step_open(struct thread *t)
{
	uint8_t nonce[12], *page = page_of(t, t->out), *in = page_of(t, t->in);
	int len;

	t->number %= PAGES;
	make_nonce(t, nonce);
	if (!EVP_DecryptInit_ex2(t->cipher, NULL, key, nonce, NULL) ||
	    !EVP_CIPHER_CTX_ctrl(t->cipher, EVP_CTRL_AEAD_SET_TAG, TAG, page + PAYLOAD) ||
	    !EVP_DecryptUpdate(t->cipher, in, &len, page, BULK) ||
	    !EVP_DecryptUpdate(t->cipher, in + BULK, &len, page + BULK, REST) ||
	    EVP_DecryptFinal_ex(t->cipher, in + PAYLOAD, &len) <= 0)
		errx(1, "libcrypto does not open");
	did(t, PAYLOAD);
}

static void step_seal_small(struct thread *t)
{
	uint8_t nonce[12];

	make_nonce(t, nonce);
	crypto_aead_chacha20poly1305_ietf_encrypt(page_of(t, t->out), NULL, page_of(t, t->in),
	                                          PAYLOAD, NULL, 0, NULL, nonce, key);
	did(t, PAYLOAD);
}

static void step_open_small(struct thread *t)
{
	uint8_t nonce[12];

	t->number %= PAGES;
	make_nonce(t, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(
		    page_of(t, t->in), NULL, NULL, page_of(t, t->out), PAGE, NULL, 0, nonce, key))
		errx(1, "libsodium does not open");
	did(t, PAYLOAD);
}

static uint8_t *leaf_of(struct thread *t)
{
	return t->in + t->number % (ROUND / LEAF) * LEAF;
}

static void step_hash(struct thread *t)
{
	uint8_t sum[64];

	if (!EVP_DigestInit_ex2(t->digest, NULL, NULL) ||
	    !EVP_DigestUpdate(t->digest, leaf_of(t), LEAF) ||
	    !EVP_DigestFinal_ex(t->digest, sum, NULL))
		errx(1, "libcrypto does not hash");
	did(t, LEAF);
}

static void step_hash_small(struct thread *t)
{
	uint8_t sum[64];

	crypto_generichash(sum, sizeof sum, leaf_of(t), LEAF, NULL, 0);
	did(t, LEAF);
}

static void step_hash_four(struct thread *t)
{
	uint8_t sum[HASH4_LANES][HASH4_BYTES];
	struct hash4_run leaf[HASH4_LANES];

	for (int i = 0; i < HASH4_LANES; i++) {
		leaf[i] = (struct hash4_run){leaf_of(t), LEAF, sum[i]};
		did(t, LEAF);
	}
	hash4(leaf, HASH4_LANES);
}

static void step_copy(struct thread *t)
{
	/* Through a pointer that the compiler cannot see through: it must be done. */
	uint8_t *volatile to = t->out;

	memcpy(to, t->in, COPY);
	did(t, COPY);
}

/* --- frames ------------------------------------------------------------------------ */

static void step_zstd(struct thread *t)
{
	const struct sample *s = t->sample;
	size_t len = ZSTD_compressCCtx(t->squeezer, t->out, ZSTD_compressBound(FRAME),
	                               s->bytes + t->number % s->count * FRAME, FRAME, s->level);

	if (ZSTD_isError(len))
		errx(1, "zstd: %s", ZSTD_getErrorName(len));
	t->stored += len;
	did(t, FRAME);
}

static void step_unzstd(struct thread *t)
{
	const struct sample *s = t->sample;
	size_t n = t->number % s->count;

	if (ZSTD_decompressDCtx(t->expander, t->out, FRAME, s->frame[n], s->len[n]) != FRAME)
		errx(1, "zstd does not expand");
	t->stored += s->len[n];
	did(t, FRAME);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static FTS *walk(char *tree)
{
	char *roots[] = {tree, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

	if (!fts)
		err(1, "%s", tree);
	return fts;
}

/* The next regular file that has anything in it; NULL: there are no more. */
static FTSENT *next_file(FTS *fts)
{
	FTSENT *e;

	while ((e = fts_read(fts)))
		if (e->fts_info == FTS_F && e->fts_statp->st_size)
			return e;
	return NULL;
}

static uint64_t tree_len(char *tree)
{
	FTS *fts = walk(tree);
	uint64_t len = 0;

	for (FTSENT *e; (e = next_file(fts));)
		len += (uint64_t)e->fts_statp->st_size;
	fts_close(fts);
	return len;
}

static size_t read_head(const char *path, uint8_t *into, size_t room)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : read(fd, into, room);

	if (got < 0)
		err(1, "%s", path);
	close(fd);
	return (size_t)got;
}

/* Files from all over the tree, evenly, whole stretches at a time. */
static void sample_tree(struct sample *s, char *tree)
{
	uint64_t total = tree_len(tree), seen = 0;
	size_t taken = 0;
	FTS *fts = walk(tree);

	s->bytes = get(SAMPLE);
	for (FTSENT *e; (e = next_file(fts)) && taken < SAMPLE;) {
		size_t room = SAMPLE - taken, due;

		seen += (uint64_t)e->fts_statp->st_size;
		due = total < SAMPLE ? SAMPLE : (size_t)((double)seen / (double)total * SAMPLE);
		if (taken < (due + STRETCH - 1) / STRETCH * STRETCH)
			taken += read_head(e->fts_path, s->bytes + taken,
			                   room < STRETCH ? room : STRETCH);
	}
	fts_close(fts);
	s->count = taken / FRAME;
	if (!s->count)
		errx(1, "%s: has less than one frame of 256 KiB", tree);
}

static void compress_sample(struct sample *s)
{
	s->frame = get(s->count * sizeof *s->frame);
	s->len = get(s->count * sizeof *s->len);
	for (size_t n = 0; n < s->count; n++) {
		s->frame[n] = get(ZSTD_compressBound(FRAME));
		s->len[n] = ZSTD_compress(s->frame[n], ZSTD_compressBound(FRAME),
		                          s->bytes + n * FRAME, FRAME, s->level);
	}
}

/* --- threads ---------------------------------------------------------------------- */

static void prepare(struct thread *t)
{
	t->in = get(COPY);
	t->out = get(COPY);
	randombytes_buf(t->in, COPY);
	memset(t->out, 1, COPY);
	t->squeezer = ZSTD_createCCtx();
	t->expander = ZSTD_createDCtx();
	t->digest = EVP_MD_CTX_new();
	t->cipher = EVP_CIPHER_CTX_new();
	if (!t->squeezer || !t->expander || !t->digest || !t->cipher ||
	    !EVP_DigestInit_ex2(t->digest, EVP_blake2b512(), NULL) ||
	    !EVP_CipherInit_ex2(t->cipher, EVP_chacha20_poly1305(), NULL, NULL,
	                        t->step == step_seal, NULL))
		errx(1, "no memory for libcrypto or zstd");
	if (t->step == step_open || t->step == step_open_small)
		for (t->number = 0; t->number < PAGES;)
			step_seal_small(t);
	t->bytes = t->number = 0;
}

static void *run_thread(void *argument)
{
	struct thread *t = argument;
	double begin, end;

	prepare(t);
	for (int i = 0; i < TRIES; i++) {
		uint64_t before = t->bytes, first = t->number;

		pthread_barrier_wait(t->start);
		begin = now();
		do
			for (int n = 0; n < STEPS; n++)
				t->step(t);
		while ((end = now()) < begin + seconds ||
		       (t->sample && t->number - first < t->sample->count));
		if (t->speed < (double)(t->bytes - before) / (end - begin) / 1e6)
			t->speed = (double)(t->bytes - before) / (end - begin) / 1e6;
	}
	return NULL;
}

static void run(void (*step)(struct thread *t), unsigned count, const struct sample *sample)
{
	struct thread thread[MOST_THREADS] = {0};
	pthread_t id[MOST_THREADS];
	pthread_barrier_t start;
	double speed = 0, plain = 0, stored = 0;

	pthread_barrier_init(&start, NULL, count);
	for (unsigned i = 0; i < count; i++) {
		thread[i].step = step;
		thread[i].start = &start;
		thread[i].sample = sample;
		if (pthread_create(&id[i], NULL, run_thread, &thread[i]))
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < count; i++) {
		pthread_join(id[i], NULL);
		speed += thread[i].speed;
		plain += (double)thread[i].bytes;
		stored += (double)thread[i].stored;
	}
	printf("%.1f", speed);
	if (sample)
		printf(" %.4f", stored / plain);
	putchar('\n');
}

/* --- reading ----------------------------------------------------------------------- */

static uint64_t read_all(const char *path, uint8_t *buffer)
{
	int fd = open(path, O_RDONLY);
	uint64_t len = 0;
	ssize_t got;

	if (fd < 0)
		err(1, "%s", path);
	while ((got = read(fd, buffer, READ)) > 0)
		len += (uint64_t)got;
	if (got < 0)
		err(1, "%s", path);
	close(fd);
	return len;
}

/* Bytes that were there to be read. */
static uint64_t read_tree(char *tree, uint8_t *buffer)
{
	FTS *fts = walk(tree);
	uint64_t len = 0;

	for (FTSENT *e; (e = next_file(fts));)
		len += read_all(e->fts_path, buffer);
	fts_close(fts);
	return len;
}

static void run_tree(char *tree, int tries)
{
	uint8_t *buffer = get(READ);
	double best = 0;
	uint64_t len = 0;

	for (int i = 0; i < tries; i++) {
		double begin = now(), speed;

		len = read_tree(tree, buffer);
		speed = (double)len / (now() - begin) / 1e6;
		best = speed > best ? speed : best;
	}
	printf("%.1f %.6f\n", best, (double)len / 1e6);
	free(buffer);
}

/* --- which ------------------------------------------------------------------------- */

static const struct verb {
	const char *name;
	void (*step)(struct thread *t);
	bool takes_tree;
} verbs[] = {
	{"seal", step_seal, false},
	{"open", step_open, false},
	{"seal-small", step_seal_small, false},
	{"open-small", step_open_small, false},
	{"hash", step_hash, false},
	{"hash-small", step_hash_small, false},
	{"hash-four", step_hash_four, false},
	{"copy", step_copy, false},
	{"zstd", step_zstd, true},
	{"unzstd", step_unzstd, true},
};

static void run_verb(const struct verb *verb, char **argument)
{
	struct sample sample = {0};
	int threads = atoi(argument[0]);

	if (threads < 1 || threads > MOST_THREADS)
		errx(2, "1 to %d threads", MOST_THREADS);
	if (verb->takes_tree) {
		sample.level = atoi(argument[1]);
		sample_tree(&sample, argument[2]);
		if (verb->step == step_unzstd)
			compress_sample(&sample);
	}
	run(verb->step, (unsigned)threads, verb->takes_tree ? &sample : NULL);
}

int main(int argc, char **argv)
{
	if (getenv("LIMIT_SECONDS"))
		seconds = atof(getenv("LIMIT_SECONDS"));
	if (sodium_init() < 0)
		errx(1, "libsodium does not start");
	if (argc == 3 && !strcmp(argv[1], "once")) {
		run_tree(argv[2], 1);
		return 0;
	}
	if (argc == 3 && (!strcmp(argv[1], "tree") || !strcmp(argv[1], "file"))) {
		run_tree(argv[2], TRIES);
		return 0;
	}
	for (size_t i = 0; argc > 2 && i < sizeof verbs / sizeof *verbs; i++)
		if (!strcmp(argv[1], verbs[i].name) && argc == (verbs[i].takes_tree ? 5 : 3)) {
			run_verb(&verbs[i], argv + 2);
			return 0;
		}
	errx(2, "usage: limits VERB THREADS [LEVEL TREE], or tree|file|once PATH");
}
