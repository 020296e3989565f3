#!/usr/bin/python3
"""Write into copies of real bundles what another build would have written there.

usage: plant.py KIND[,KIND...] OUTDIR FILE...

Controls for inspector.py, which has to find each of these.  A build that really
makes bad keys would show no more than this does, and could be used by mistake.
"""
import os
import secrets
import sys

import curve
import nacl.bindings
from decode import GF_TABLE, MONT_A, PAGE, P, inverse, is_square, square_root


# Keys

def hide(point, branch, odd):
    """The E of that branch and parity that the map takes to the point, or None."""
    x, y = point
    u = (1 + y) * inverse(1 - y) % P
    square = (-u * inverse(2 * (MONT_A + u)) if branch else -(MONT_A + u) * inverse(2 * u)) % P
    if not is_square(square):
        return None
    root = square_root(square)
    root = root if root & 1 == odd else -root % P
    return (root | (x & 1) << 255).to_bytes(32, 'little')


def hidden(torsion=range(8), branches=(0, 1), parities=(0, 1)):
    """An E, of a point with one of these multiples of the point of order eight."""
    while True:
        point = curve.multiply(secrets.randbelow(curve.ORDER), curve.BASE)
        point = curve.plus(point, curve.SMALL_ORDER[secrets.choice(torsion)])
        e = hide(point, secrets.choice(branches), secrets.choice(parities))
        if e:
            return e


def lower_root(e):
    """Of r and p - r the smaller one."""
    value = int.from_bytes(e, 'little')
    r = value & (1 << 255) - 1
    return (min(r, P - r) | value & 1 << 255).to_bytes(32, 'little')


def top_bit(e, bit):
    return e[:31] + bytes([e[31] & 0x7f | bit << 7])


def x25519():
    return nacl.bindings.crypto_scalarmult_base(secrets.token_bytes(32))


KEYS = {
    'good-keys': hidden,
    'x25519': x25519,
    'x25519-with-a-random-bit': lambda: top_bit(x25519(), secrets.randbits(1)),
    'ed25519': lambda: nacl.bindings.crypto_sign_keypair()[0],
    'no-torsion': lambda: hidden(torsion=[0]),
    'half-the-torsion': lambda: hidden(torsion=[0, 2, 4, 6]),
    'one-branch': lambda: hidden(branches=[0]),
    'even-roots': lambda: hidden(parities=[0]),
    'lower-roots': lambda: lower_root(hidden()),
    'top-bit-zero': lambda: top_bit(hidden(), 0),
}


def put_key(kind, f):
    f[16:48] = KEYS[kind]()


# Other tells: f are the bytes of file number i, of which something is changed

def fixed_byte(f, i):
    f[100] = 7


def fixed_byte_of_header_b(f, i):
    f[-1] = 7


def rare_bit(f, i):
    f[3000] &= 0xff if i % 16 == 0 else 0xef


def all_bytes_a_little(f, i):
    """One byte in 32 of a header never has its top bit."""
    for at in range(i % 32, PAGE, 32):
        f[at] &= 0x7f


def shared_block(f, i):
    if i in (3, 7):
        f[50000:50016] = b'sixteen bytes!!!'


def both_headers(f, i):
    if i == 5:
        f[-PAGE:16 - PAGE] = f[:16]


def same_e_in_both_headers(f, i):
    if i == 9:
        f[16 - PAGE:48 - PAGE] = f[16:48]


def block_within(f, i):
    if i == 5:
        f[40000:40016] = f[20000:20016]


def parity_of_what_is_sealed(f, i):
    if i == 5:
        f[2 * PAGE:3 * PAGE] = f[PAGE:2 * PAGE].translate(GF_TABLE[0xd5])


def whole_pages(f, i):
    del f[len(f) // 4096 * 4096:]


def even_lengths(f, i):
    del f[len(f) // 2 * 2:]


def one_length(f, i):
    del f[100000:]


def plaintext(f, i):
    if i == 5:
        f[40000:42000] = b'it is a truth universally acknowledged, ' * 50


TELLS = {function.__name__.replace('_', '-'): function for function in (
    fixed_byte, fixed_byte_of_header_b, rare_bit, all_bytes_a_little, shared_block, both_headers,
    same_e_in_both_headers, block_within, parity_of_what_is_sealed, whole_pages, even_lengths,
    one_length, plaintext)}
TELLS.update({kind: lambda f, i, kind=kind: put_key(kind, f) for kind in KEYS})
TELLS['random-bytes'] = lambda f, i: f.__setitem__(slice(None), secrets.token_bytes(len(f)))


def main(kinds, out, *paths):
    for i, path in enumerate(paths):
        with open(path, 'rb') as file:
            f = bytearray(file.read())
        for kind in kinds.split(','):
            TELLS[kind](f, i)
        with open(os.path.join(out, str(i)), 'wb') as file:
            file.write(f)


main(*sys.argv[1:])
