/* The publisher's secret key, from where the command line says it is. */
#ifndef BUNDLER_SIGNER_H
#define BUNDLER_SIGNER_H

struct arena;
struct failure;
struct minisign_secret;

/* Read the key at path, and ask for its password if it has one.  *secret lies in
 * the arena, which takes 4 KiB.  Returns an exit code; on failure a line has said
 * why. */
int signer_read(struct minisign_secret **secret, struct arena *arena, const char *path,
                struct failure *failure);

#endif
