/* Overwrite every register that a call may leave data in, the whole of each vector
 * register: the copying of a C library leaves 64 bytes of a film in one, ciphers
 * leave keys, and the kernel keeps them for a thread that waits and lays them on its
 * stack when a signal comes. */
#ifndef FUSEFS_REGISTERS_H
#define FUSEFS_REGISTERS_H

void registers_clear(void);

#endif
