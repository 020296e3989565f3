#!/usr/bin/python3
"""One slot for two keys, as it could be crafted if slots were sealed with Poly1305.

usage: two_keys.py KEYFILE1 KEYFILE2 INDEX IN OUT     OUT: with it as slot INDEX of both
                                                      headers
       two_keys.py --move WHAT KEYFILE IN OUT         the slots that KEYFILE opens, moved

Poly1305 is a polynomial over a public field: a message of a few blocks more than
wanted can be chosen so that it has the same tag under two keys ("invisible
salamanders": Dodis, Grubbs, Ristenpart, Woodage, 2018).  Such a slot is two things at
once, and with one for many keys whoever guesses passphrases rules out many at a time.
libsodium is asked whether it does open under both.

WHAT: `nothing' (a control), `index', `salt', `e' (a bit of these is changed), `header'
(the slots of header A to header B and the other way, at their numbers).
"""
import secrets
import sys

import nacl.bindings
from decode import PAGE, derive, kek, key_file_of, try_slots, xchacha20

P1305 = 2**130 - 5
CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffff
BLOCKS = 7          # 112 bytes of ciphertext and a tag of 16: a slot
TRIES = 10000


def one_time_key(key, nonce):
    """r and s, which Poly1305 gets from the first block of the key stream."""
    block = xchacha20(key, nonce, bytes(64))
    return int.from_bytes(block[:16], 'little') & CLAMP, int.from_bytes(block[16:32], 'little')


def blocks_of(data):
    data = data.ljust(-(-len(data) // 16) * 16, b'\0')
    return [int.from_bytes(data[i:i + 16], 'little') + (1 << 128) for i in range(0, len(data), 16)]


def solve(one, two, head, tail):
    """The two blocks x, y for which head, x, y, tail has one tag under both (r, s);
    tag and x, y, or None: those that exist are no blocks of 16 bytes."""
    tag = secrets.randbits(128)
    rows = []
    for r, s in (one, two):
        wanted = (tag - s) % (1 << 128) + (secrets.randbelow(4) << 128)
        if wanted >= P1305:
            return None
        n = len(tail)
        known = sum(block * pow(r, n + 2 + len(head) - i, P1305) for i, block in enumerate(head))
        known += sum(block * pow(r, n - i, P1305) for i, block in enumerate(tail))
        rows.append((pow(r, n + 2, P1305), pow(r, n + 1, P1305), (wanted - known) % P1305))
    (a, b, e), (c, d, f) = rows
    over = pow(a * d - b * c, -1, P1305)
    x, y = (e * d - b * f) * over % P1305, (a * f - e * c) * over % P1305
    return (tag, x, y) if x >> 128 == y >> 128 == 1 else None


def craft(keys, nonce, data):
    """Ciphertext and tag that open under both keys, with this additional data."""
    pairs = [one_time_key(key, nonce) for key in keys]
    lengths = len(data).to_bytes(8, 'little') + (16 * BLOCKS).to_bytes(8, 'little')
    for _ in range(TRIES):
        free = secrets.token_bytes(16 * (BLOCKS - 2))
        found = solve(*pairs, blocks_of(data) + blocks_of(free), blocks_of(lengths))
        if found:
            tag, x, y = found
            return free + b''.join((v - (1 << 128)).to_bytes(16, 'little') for v in (x, y)) + tag.to_bytes(16, 'little')
    raise AssertionError('there is always one')


def slot_for_two(header, pair, index):
    """As it would be if Poly1305 took the place of our tag, and nothing else changed."""
    keys = [derive(kek(2, header, secret), b'satchel slot encryption 1') for secret in pair]
    nonce, data = bytes([index]) + bytes(23), header[:48] + bytes([index])
    slot = craft(keys, nonce, data)
    texts = [nacl.bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(slot, data, nonce, key) for key in keys]
    assert texts[0] != texts[1] and len(slot) == 128
    print('libsodium opens it under both keys')
    return slot


def put_slot(f, at, index, slot):
    f[at + 48 + 128 * index:at + 176 + 128 * index] = slot


def own_slot(header, secret):
    """The number of the slot that this key opens: without it none does."""
    for n in range(32):
        without = bytearray(header)
        put_slot(without, 0, n, secrets.token_bytes(128))
        if not try_slots(bytes(without), kek(2, header, secret)):
            return n
    raise AssertionError('this key opens nothing')


def move(what, f, secret):
    places = 0, len(f) - PAGE
    headers = [bytes(f[at:at + PAGE]) for at in places]
    numbers = [own_slot(header, secret) for header in headers]
    slots = [header[48 + 128 * n:][:128] for header, n in zip(headers, numbers)]
    for i, at in enumerate(places):
        if what == 'index':
            put_slot(f, at, (numbers[i] + 1) % 32, slots[i])
            put_slot(f, at, numbers[i], secrets.token_bytes(128))
        elif what == 'header':
            put_slot(f, at, numbers[i], secrets.token_bytes(128))
            put_slot(f, at, numbers[1 - i], slots[1 - i])
        elif what == 'salt':
            f[at + 15] ^= 1
        elif what == 'e':
            f[at + 16] ^= 1


def secret_of(path):
    with open(path, 'rb') as file:
        return key_file_of(file.read())


def main(*arguments):
    with open(arguments[-2], 'rb') as file:
        f = bytearray(file.read())
    if arguments[0] == '--move':
        move(arguments[1], f, secret_of(arguments[2]))
    else:
        pair, index = [secret_of(path) for path in arguments[:2]], int(arguments[2])
        for at in 0, len(f) - PAGE:
            put_slot(f, at, index, slot_for_two(bytes(f[at:at + PAGE]), pair, index))
    with open(arguments[-1], 'wb') as file:
        file.write(f)


main(*sys.argv[1:])
