#!/usr/bin/python3
"""Prints the section TEST VECTORS of bundle(5), as it stands there.

vectors.py           the section, in mdoc
vectors.py --check   compares what the vectors are made with to libsodium
"""

import ctypes
import ctypes.util
import hashlib
import sys
from types import SimpleNamespace

import argon2.low_level
import nacl.bindings

sys.dont_write_bytecode = True
import decode
import encode
from encode import u, varint, zigzag

COUNTED = bytes(range(256))
SALT, E = COUNTED[:16], COUNTED[16:48]
KEY_FILE, CK, IDENTITY, SEED = COUNTED[48:64], COUNTED[64:96], COUNTED[96:128], COUNTED[128:160]
PHRASE = '\u3000cafe\u0301 \uac00\n'


def text(*lines):
    print('\n'.join(lines))


def table(rows):
    """Rows of (label, bytes or words), the bytes in lines of 32."""
    print('.Bd -literal')
    for label, value in rows:
        if isinstance(value, bytes):
            value = [value[i:i + 32].hex() for i in range(0, len(value), 32)]
        else:
            value = [value]
        for line in value:
            print(f'{label:<9}{line}')
            label = ''
    print('.Ed')


def argon2id(phrase, memory):
    return argon2.low_level.hash_secret_raw(phrase, SALT, 3, memory, 1, 32, argon2.low_level.Type.ID)


def exchange(e):
    coordinate = decode.montgomery(decode.elligator(e))
    return coordinate, coordinate and decode.x25519(IDENTITY, coordinate)


def keys():
    phrase = decode.passphrase_of(PHRASE.encode())
    header = SALT + E
    a, k = argon2id(phrase, 65536), decode.h256(KEY_FILE)
    recipient = nacl.bindings.crypto_scalarmult_base(IDENTITY)
    both = exchange(E)[1] + recipient
    text('Bytes are in hexadecimal,',
         '.Ql 00..0f',
         'are those from 00 to 0f in order, and',
         '.Ql 00*5',
         'is five times the byte 00; the salt is 00..0f.',
         '.Ss Keys',
         'With the E 10..2f, the key file 30..3f, the CK 40..5f and the identity 60..7f,')
    table([
           ('phrase', ' '.join('U+%04X' % ord(c) for c in PHRASE)), ('as UTF-8', phrase),
           ('A low', a), ('A stand.', argon2id(phrase, 262144)), ('K', k),
           ('X', both[:32]), ('recip.', recipient), ('KEK 1', decode.kek(1, header, a)),
           ('KEK 2', decode.kek(2, header, k)), ('KEK 3', decode.kek(3, header, a + k)),
           ('KEK 4', decode.kek(4, header, both)), ('KEK 8', decode.kek(8, header, CK))])


def elligator():
    text('.Ss Elligator 2', 'With the same identity, and with what a packer may draw,')
    rows = []
    for name, e in (('10..2f', E), ('ff*32', b'\xff' * 32), ('00*32', bytes(32))):
        coordinate, x = exchange(e)
        rows += [('E', name)]
        rows += [('u', coordinate), ('X', x)] if coordinate else [('P', 'the neutral element')]
    s, e = encode.hidden_key(encode.Random('vector'))
    coordinate, x = exchange(e)
    rows += [('s', s), ('E', e), ('u', coordinate), ('X', x)]
    table(rows)


def slot():
    text('.Ss A slot',
         'Slot 5 of that header, opened by KEK 8 above; m is 4, the volume 0 of 2, L',
         '196,608, the data pages are 2 and the root copies at 0, 4 and 9.')
    key = decode.kek(8, SALT + E, CK)
    contents = bytes([1, 4]) + u(0, 2) + u(2, 2) + bytes(2) + u(196608, 8) + u(2, 4)
    contents += u(0, 4) + u(4, 4) + u(9, 4) + CK + bytes(32)
    slot_key, tag_key = (derive_label(key, label) for label in ('encryption', 'tag'))
    body = decode.xchacha20(slot_key, bytes([5]) + bytes(23), contents)
    tag = hashlib.blake2b(SALT + E + bytes([5]) + body, digest_size=32, key=tag_key).digest()
    header = SALT + E + bytes(5 * 128) + body + tag + bytes(26 * 128)
    assert decode.try_slots(header, key) == contents
    table([('slot key', slot_key), ('tag key', tag_key),
           ('contents', contents), ('96 bytes', body), ('tag', tag)])


def derive_label(key, what):
    return decode.derive(key, b'satchel slot %s 1' % what.encode())


def page():
    text('.Ss A page',
         'The first and the last 16 bytes of two pages of volume 1 with that CK; the',
         'payload is 00..ff again and again.')
    key = decode.derive(CK, b'satchel page key 1', u(1, 2))
    payload = (COUNTED * 64)[:decode.PAYLOAD]

    def seal(number, domain):
        return nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
            payload, None, u(number, 8) + u(domain, 4), key)

    logical, root = seal(300, 0), seal(2, 2)
    table([('key', key), ('t = 300', logical[:16]), ('', logical[-16:]), ('root 2', root[:16]),
           ('', root[-16:])])


def parity():
    text('.Ss Parity',
         'The coefficients of the rows 0, 1, 2, 3 and 63 for three parity numbers, a column',
         'of three rows of four bytes, and its parity; then the shape of some compartments,',
         't the logical page of the last data page, c the column of the parity page behind it.')
    rows = []
    for q in 0, 1, 15:
        rows.append((f'q = {q}', bytes(decode.gf_inverse((64 + q) ^ j) for j in (0, 1, 2, 3, 63))))
    column = [b'\x01\x02\x03\x04', b'\xff\x00\x80\x55', b'\x10\x20\x30\x40']
    rows += [(f'row {j}', row) for j, row in enumerate(column)]
    for q in 0, 1:
        sums = bytes(4)
        for j, row in enumerate(column):
            sums = decode.add(sums, decode.scale(decode.gf_inverse((64 + q) ^ j), row))
        rows.append((f'parity {q}', sums))
    table(rows)
    print('.Bd -literal')
    print('     D   m   n     C      P       d       t     c')
    for d, m in (1, 16), (150, 4), (4097, 2), (16387, 16), (70000, 8):
        shape = encode.Bundle.bands(None, m, d)
        sums = len(shape), shape[0].columns, sum(len(band.parity) for band in shape), len(shape[-1].data)
        assert decode.parity_shape(m, d) == sums[:3]
        last = d - 1 + (len(shape) - 1) * len(shape[0].parity)
        first = shape[-1].parity[0][0]
        print(f'{d:>6}{m:>4}{sums[0]:>4}{sums[1]:>6}{sums[2]:>7}{sums[3]:>8}{last:>8}{first:>6}')
    print('.Ed')


def content_part():
    text('.Ss A content part',
         'All zero but the version, flag 1, the content, plaintext and index of 5, 5 and',
         '300 bytes, 1 leaf, the label',
         '.Ql a ,',
         'the key id 01..08 and the key of the Ed25519 seed 80..9f.')
    public, secret = nacl.bindings.crypto_sign_seed_keypair(SEED)
    part = bytes([1, 1]) + bytes(6) + u(5, 8) + u(5, 8) + u(300, 8) + u(1, 8)
    part = part.ljust(112, b'\0') + b'\1a'
    part = (part.ljust(368, b'\0') + COUNTED[1:9] + public).ljust(1024, b'\0')
    digest = hashlib.blake2b(part).digest()
    signature = nacl.bindings.crypto_sign(b'satchel root 1\0' + digest, secret)[:64]
    table([('key', public), ('digest', digest), ('sign.', signature)])


def entries():
    text('.Ss A block of entries',
         'The root, in it the file',
         '.Ql a',
         'of 5 bytes at address 10, the directory',
         '.Ql ab ,',
         'and the hard link',
         '.Ql b',
         'to',
         '.Ql a ;',
         'in',
         '.Ql ab',
         'the symbolic link',
         '.Ql s',
         'to',
         '.Ql ../a .',
         'The directories are of day 3, the file of day \\(mi1, the link of day 0.')
    columns = [
        ('head', b''.join(map(varint, (0, 1, 0, 0, 0)))),
        ('kind', bytes([1, 8, 1, 3, 2])), ('parent', b''.join(map(varint, (0, 0, 0, 0, 2)))),
        ('shared', bytes([0, 0, 1, 0, 0])), ('rest', bytes([0, 1, 1, 1, 1])), ('names', b'abbs'),
        ('mode', varint(0o555) + varint(0o444) + varint(0o555) + varint(0)),
        ('time', zigzag(3) + zigzag(-4) + zigzag(4) + zigzag(-3)),
        ('size', b''.join(map(varint, (3, 5, 1, 2, 4)))), ('links', varint(2)),
        ('place', zigzag(10) + zigzag(0))]
    block = b''.join(column for _, column in columns)
    bundle = SimpleNamespace(tables={'entries': (5, None), 'runs': (0, None), 'heap': (4, None)},
                             full=False, plain_length=15)
    read = decode.decode_entries(block, 0, 5, bundle)
    assert [e.name for e in read] == [b'', b'a', b'ab', b'b', b's'] and read[3].of == 1
    assert [e.mtime // 86400 for e in read if e.kind != 3] == [3, -1, 3, 0]
    assert (read[0].first, read[2].first, read[1].address, read[4].target) == (1, 4, 10, 0)
    table(columns)
    return block


def segments(block):
    text('.Ss A block of segments, a leaf, a node',
         'An extent of 100,000 bytes and a frame of 300 stored in 40, as the first two',
         'segments of a signed bundle; their leaves are 0, 1 and 2.')
    data = bytes(24) + bytes([0, 1]) + varint(100000) + varint(300) + varint(40)
    bundle = SimpleNamespace(signed=True, plain_length=100300, content_length=100040, leaves=3)
    read = decode.decode_segments(data, 2, bundle)
    assert (read[1].address, read[1].offset, read[1].leaf) == (100000, 100000, 2)
    table([('block', '00*24'), ('', data[24:])])
    text('A leaf, that is D, of three bytes, and what it must not be taken for; a node',
         'over two blocks of entries, the first that of above, the second behind it, stored',
         'as 00*20 as if that were a frame of 70, its first name',
         '.Ql abcdefghijklmnopq .')
    node = u(0, 8) + u(len(block), 4) * 2 + bytes(16) + decode.d(block)
    node += u(len(block), 8) + u(20, 4) + u(70, 4) + b'abcdefghijklmnop' + decode.d(bytes(20))
    table([('bytes', b'abc'), ('D', decode.d(b'abc')), ('H256', decode.h256(b'abc')), ('node', node)])


def check():
    """The map, the inverse of it and the stream cipher against libsodium."""
    sodium = ctypes.CDLL(ctypes.util.find_library('sodium'))
    random = encode.Random('check')
    inputs = [bytes(32), b'\xff' * 32, b'\1' + bytes(31)]
    inputs += [u(decode.P + more, 32) for more in (-1, 0, 1)]
    for e in inputs + [random.bytes(32) for _ in range(100)]:
        out = ctypes.create_string_buffer(32)
        assert sodium.crypto_core_ed25519_from_uniform(out, e) == 0
        x, y = decode.elligator(e)
        assert u(y | (x & 1) << 255, 32) == out.raw, e.hex()
    for _ in range(5):
        s, e = encode.hidden_key(random)
        assert decode.montgomery(decode.elligator(e)) == nacl.bindings.crypto_scalarmult_base(s)
    for length in 1, 64, 96, 200:
        key, nonce, data = random.bytes(32), random.bytes(24), random.bytes(length)
        out = ctypes.create_string_buffer(length)
        assert sodium.crypto_stream_xchacha20_xor(out, data, ctypes.c_ulonglong(length), nonce, key) == 0
        assert decode.xchacha20(key, nonce, data) == out.raw
    for a in range(1, 256):
        assert decode.gf_mul(a, decode.gf_inverse(a)) == 1
    for m in 2, 4, 8, 16:
        for pages in list(range(1, 200)) + [4096, 4097, 16384, 16385, 65536, 65537, 131073, 10**6 + 7]:
            shape = encode.Bundle.bands(None, m, pages)
            assert decode.parity_shape(m, pages) == (
                len(shape), shape[0].columns, sum(len(band.parity) for band in shape))
            assert 1 <= len(shape[-1].data) and sum(len(band.data) for band in shape) == pages


if __name__ == '__main__':
    if sys.argv[1:] == ['--check']:
        check()
    else:
        keys()
        elligator()
        slot()
        page()
        parity()
        content_part()
        segments(entries())
