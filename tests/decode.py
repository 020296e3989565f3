#!/usr/bin/python3
"""A second reader of satchel's bundles, written from bundle(5) alone.

It is here to keep the manual page honest: plain before quick, and nothing in
it comes from satchel's own code.

usage: decode.py [option...] VERB BUNDLE... [-- PATH]

verbs:
  ls     one JSON object for each entry, breadth first
  hash   the same, with the SHA-256 of each file's content
  cat    the content of the file PATH
  info   what the bundle is, and the state of every page (--json: as JSON)

options:
  --passphrase-file F   the passphrase is what F holds, trimmed
  --key-file F          F is a key file
  --identity F          F holds X25519 identities; may be given several times
  --publisher BASE64    refuse what this minisign public key has not signed
  --length N            what is behind the first N bytes does not belong to it

exit status: 0, 1 trouble of this machine, 2 usage, 4 damaged, altered or
invalid as far as some file is concerned, 5 damaged but all repaired, 10 cannot
be read, 12 no key fits.
"""

import base64
import getopt
import hashlib
import hmac
import itertools
import json
import os
import sys
import unicodedata
from types import SimpleNamespace

import argon2.low_level
import nacl.bindings
import nacl.exceptions
import zstandard

PAGE = 16384            # of a volume; headers and leaf blocks are as long
PAYLOAD = 16368         # of a page
LEAF = 65536
TABLES = ('entries', 'segments', 'runs', 'heap', 'leaf sums')
PER_BLOCK = {'entries': 128, 'segments': 512, 'runs': 1024, 'heap': 32768, 'leaf sums': 512}
RECORD = {'runs': 24, 'heap': 1, 'leaf sums': 32}
ROOM = {'entries': 49152, 'segments': 16384}
KINDS = ('file', 'directory', 'symlink', 'hardlink')


class Trouble(Exception):
    status = 4


class Damaged(Trouble):
    word = 'damaged'


class Altered(Trouble):
    word = 'altered'


class Invalid(Trouble):
    word = 'invalid'


class Later(Trouble):
    word, status = 'later version', 10


class NoKey(Trouble):
    word, status = 'no key fits', 12


class Usage(Exception):
    pass


def demand(condition, what):
    if not condition:
        raise Invalid(what)


# Hashes and ciphers

def h256(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def d(data):
    return hashlib.blake2b(data).digest()[:32]


def derive(key, label, data=b''):
    return hashlib.blake2b(label + b'\0' + data, key=key, digest_size=32).digest()


def chacha_rounds(words):
    x = list(words)

    def quarter(a, b, c, e):
        for one, two, three, turn in ((a, b, e, 16), (c, e, b, 12), (a, b, e, 8), (c, e, b, 7)):
            x[one] = (x[one] + x[two]) & 0xffffffff
            mixed = x[three] ^ x[one]
            x[three] = (mixed << turn | mixed >> 32 - turn) & 0xffffffff

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return x


def words(data):
    return [int.from_bytes(data[i:i + 4], 'little') for i in range(0, len(data), 4)]


def unwords(values):
    return b''.join((v & 0xffffffff).to_bytes(4, 'little') for v in values)


def hchacha20(key, nonce):
    mixed = chacha_rounds(words(b'expand 32-byte k') + words(key) + words(nonce[:16]))
    return unwords(mixed[:4] + mixed[12:])


def xchacha20(key, nonce, data):
    begin = words(b'expand 32-byte k') + words(hchacha20(key, nonce))
    stream = b''
    for counter in range(-(-len(data) // 64)):
        state = begin + [counter, 0] + words(nonce[16:])
        stream += unwords(a + b for a, b in zip(state, chacha_rounds(state)))
    return bytes(a ^ b for a, b in zip(data, stream))


def unseal(key, number, domain, page):
    nonce = number.to_bytes(8, 'little') + domain.to_bytes(4, 'little')
    try:
        return nacl.bindings.crypto_aead_chacha20poly1305_ietf_decrypt(page, None, nonce, key)
    except nacl.exceptions.CryptoError:
        return None


# Elligator 2 and edwards25519

P = 2**255 - 19
MONT_A = 486662
EDW_D = -121665 * pow(121666, -1, P) % P


def inverse(a):
    return pow(a, P - 2, P)         # 0 for 0, as the map wants it


def is_square(a):
    return pow(a, (P - 1) // 2, P) in (0, 1)


def square_root(a):
    root = pow(a, (P + 3) // 8, P)
    return root if root * root % P == a % P else root * pow(2, (P - 1) // 4, P) % P


def point_add(one, two):
    (x1, y1), (x2, y2) = one, two
    cross = EDW_D * x1 * x2 * y1 * y2
    return ((x1 * y2 + y1 * x2) * inverse(1 + cross) % P,
            (y1 * y2 + x1 * x2) * inverse(1 - cross) % P)


def elligator_unscaled(e):
    sign = e[31] >> 7
    r = (int.from_bytes(e, 'little') & (1 << 255) - 1) % P
    w = -MONT_A * inverse(1 + 2 * r * r) % P
    u = w if is_square(w**3 + MONT_A * w**2 + w) else (-MONT_A - w) % P
    y = (u - 1) * inverse(u + 1) % P
    x = square_root((y * y - 1) * inverse(EDW_D * y * y + 1))
    return (x if x & 1 == sign else -x % P, y)


def elligator(e):
    point = elligator_unscaled(e)
    for _ in range(3):
        point = point_add(point, point)
    return point


def montgomery(point):
    """The X25519 coordinate of a point, None of the neutral element."""
    if point[1] == 1:
        return None
    return ((1 + point[1]) * inverse(1 - point[1]) % P).to_bytes(32, 'little')


def x25519(scalar, coordinate):
    try:
        return nacl.bindings.crypto_scalarmult(scalar, coordinate)
    except RuntimeError:
        return None                 # zero


# GF(2^8) and parity

GF_EXP = [1]
while len(GF_EXP) < 255:
    GF_EXP.append(GF_EXP[-1] << 1 ^ (0x11d if GF_EXP[-1] & 0x80 else 0))
GF_LOG = {value: power for power, value in enumerate(GF_EXP)}


def gf_mul(a, b):
    return GF_EXP[(GF_LOG[a] + GF_LOG[b]) % 255] if a and b else 0


def gf_inverse(a):
    return GF_EXP[-GF_LOG[a] % 255]


GF_TABLE = [bytes(gf_mul(a, b) for b in range(256)) for a in range(256)]


def scale(factor, data):
    return data.translate(GF_TABLE[factor])


def add(a, b):
    return (int.from_bytes(a, 'little') ^ int.from_bytes(b, 'little')).to_bytes(len(a), 'little')


def solve(matrix, values):
    """Gaussian elimination over GF(2^8); the values are payloads."""
    for i in range(len(matrix)):
        pivot = next(row for row in range(i, len(matrix)) if matrix[row][i])
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        values[i], values[pivot] = values[pivot], values[i]
        factor = gf_inverse(matrix[i][i])
        matrix[i] = [gf_mul(factor, v) for v in matrix[i]]
        values[i] = scale(factor, values[i])
        for row in range(len(matrix)):
            factor = matrix[row][i]
            if row != i and factor:
                matrix[row] = [a ^ gf_mul(factor, b) for a, b in zip(matrix[row], matrix[i])]
                values[row] = add(values[row], scale(factor, values[i]))
    return values


def parity_shape(m, pages):
    """Bands, columns and parity pages for so many data pages."""
    if m == 0:
        return 0, 0, 0
    widest = min(1024, 4096 // m)
    bands = -(-pages // (64 * widest))
    columns = -(-pages // (64 * bands))
    return bands, columns, bands * m * columns


# Fields

class Fields:
    """Takes values off the front of bytes, one after another."""

    def __init__(self, data, what):
        self.data, self.what, self.at = data, what, 0

    def take(self, length):
        demand(self.at + length <= len(self.data), f'{self.what} ends too early')
        self.at += length
        return self.data[self.at - length:self.at]

    def number(self, length):
        return int.from_bytes(self.take(length), 'little')

    def zero(self, length):
        demand(not any(self.take(length)), f'{self.what}: something stands where zero belongs')

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
            demand(shift < 70, f'{self.what}: a varint is too long')
        demand(value < 1 << 64 and (byte or shift == 7), f'{self.what}: a varint is not the shortest')
        return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 if value & 1 == 0 else -(value + 1 >> 1)

    def text(self, room):
        length = self.number(1)
        demand(length < room, f'{self.what}: a text is too long')
        raw = self.take(length)
        self.zero(room - 1 - length)
        demand(0 not in raw, f'{self.what}: a text has a zero byte')
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise Invalid(f'{self.what}: a text is not UTF-8') from None

    def end(self):
        demand(self.at == len(self.data), f'{self.what} has something behind its end')


# Secrets

def passphrase_of(data):
    data = data.rstrip(b'\r\n')
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise Usage('the passphrase is not UTF-8') from None
    if len(data) > 1024 or any(c == '\0' or unicodedata.category(c) == 'Cn' for c in text):
        raise Usage('the passphrase has a character that is not allowed')
    data = unicodedata.normalize('NFC', text).strip('\t\n\r \u00a0\u3000').encode()
    if not 1 <= len(data) <= 1024 or b'\n' in data or b'\r' in data:
        raise Usage('the passphrase is empty, too long, or has several lines')
    return data


def key_file_of(data):
    if not 16 <= len(data) <= 1 << 20:
        raise Usage('a key file has 16 bytes to 1 MiB')
    return h256(data)


def bech32(text, prefix):
    """The 32 bytes of a key as age writes it."""
    alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
    if text not in (text.lower(), text.upper()) or not text.lower().startswith(prefix + '1'):
        raise Usage('this is not a key that begins with ' + prefix)
    digits = [alphabet.find(c) for c in text.lower()[len(prefix) + 1:]]
    check = 1
    for v in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + digits:
        top = check >> 25
        check = (check & 0x1ffffff) << 5 ^ v
        for i, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= generator if top >> i & 1 else 0
    if -1 in digits or len(digits) != 58 or check != 1 or digits[51] & 15:
        raise Usage('this key has been mistyped')
    value = 0
    for v in digits[:52]:
        value = value << 5 | v
    return (value >> 4).to_bytes(32, 'big')


def identities_of(data):
    lines = [line.strip() for line in data.decode('latin-1').splitlines()]
    return [bech32(line, 'age-secret-key-') for line in lines if line and not line.startswith('#')]


def kek(kinds, header, secrets):
    return h256(b'satchel kek 1\0' + bytes([kinds]) + header[:48] + secrets)


def combinations(header, profile, passphrase, key_file, identities):
    """All KEKs for one header and profile, in the order of the page."""
    a = passphrase and argon2.low_level.hash_secret_raw(
        passphrase, header[:16], time_cost=3, memory_cost=profile, parallelism=1,
        hash_len=32, type=argon2.low_level.Type.ID, version=19)
    u = identities and montgomery(elligator(header[16:48]))
    shared = [(x25519(i, u), nacl.bindings.crypto_scalarmult_base(i)) for i in identities] if u else []
    exchanges = [x + recipient for x, recipient in shared if x]
    for kinds in range(1, 8):
        if kinds & 1 and not a or kinds & 2 and not key_file:
            continue
        if profile != 65536 and not kinds & 1:
            continue
        front = (a if kinds & 1 else b'') + (key_file if kinds & 2 else b'')
        for exchange in exchanges if kinds & 4 else [b'']:
            yield kek(kinds, header, front + exchange)


def fitting(header, key):
    """The slot that this KEK opens, the key for it, and its nonce."""
    found = None
    for number in range(32):
        slot = header[48 + 128 * number:][:128]
        tag = hashlib.blake2b(header[:48] + bytes([number]) + slot[:96], digest_size=32,
                              key=derive(key, b'satchel slot tag 1')).digest()
        if hmac.compare_digest(tag, slot[96:]):
            found = slot, derive(key, b'satchel slot encryption 1'), bytes([number]) + bytes(23)
    return found


def try_slots(header, key):
    """The contents of that slot."""
    found = fitting(header, key)
    if not found:
        return None
    slot, slot_key, nonce = found
    return xchacha20(slot_key, nonce, slot[:96])


# Volumes

class Volume:
    """One file, opened: its pages, its root and its stream."""

    def __init__(self, path):
        self.path, self.file = path, open(path, 'rb')
        self.medium = self.file.seek(0, os.SEEK_END)
        self.cache, self.lost, self.repaired, self.lost_roots = {}, set(), set(), 0

    def read(self, offset, length):
        """As many bytes as can be read there."""
        try:
            self.file.seek(max(offset, 0))
            return self.file.read(length) if offset >= 0 else b''
        except OSError:
            return b''

    def headers(self, length):
        for name, offset in ('A', 0), ('B', (length or self.medium) - PAGE):
            header = self.read(offset, PAGE)
            yield name, header if len(header) == PAGE else bytes(PAGE)

    def find_slot(self, secrets, length):
        for name, header in self.headers(length):
            for profile in 65536, 262144:
                found = None
                for key in combinations(header, profile, *secrets):
                    # Whoever gives more secrets means the slot that wants them all.
                    found = try_slots(header, key) or found
                if found:
                    return self.take_slot(found, name)
        return False

    def find_sibling(self, ck, length):
        for name, header in self.headers(length):
            found = try_slots(header, kek(8, header, ck))
            if found:
                return self.take_slot(found, name)
        return False

    def take_slot(self, contents, header):
        f = Fields(contents, f'{self.path}: the slot')
        self.header = header
        if f.number(1) != 1:
            raise Later(f'{self.path} is of a later version')
        self.m, self.number, self.count = f.number(1), f.number(2), f.number(2)
        demand(self.m in (0, 2, 4, 8, 16), f'{f.what}: there is no such parity')
        demand(self.number < self.count <= 1024, f'{f.what}: the volume does not exist')
        f.zero(2)
        self.length, self.data_pages = f.number(8), f.number(4)
        self.root_pages = [f.number(4) for _ in range(3)]
        self.ck = f.take(32)
        f.zero(32)
        demand(self.length <= 1 << 45 and self.data_pages, f'{f.what}: a number is past its limit')
        area = (self.length - 2 * PAGE) // PAGE
        self.slice = 1
        while area // self.slice > 8192:
            self.slice *= 2
        self.slices = area // self.slice
        demand(self.slices >= 3, f'{f.what}: the volume is too short')
        demand(max(self.root_pages) < self.slices * self.slice, f'{f.what}: a root is past the area')
        self.key = derive(self.ck, b'satchel page key 1', self.number.to_bytes(2, 'little'))
        self.bands, self.columns, self.parity_pages = parity_shape(self.m, self.data_pages)
        return True

    def page(self, place, number, domain):
        offset = PAGE * (place + 1)
        page = self.read(offset, PAGE) if offset + PAGE <= self.length else b''
        return unseal(self.key, number, domain, page) if len(page) == PAGE else None

    def read_root(self):
        for copy, place in enumerate(self.root_pages):
            payload = self.page(place, copy, 2)
            if payload:
                return self.take_root(payload)
            self.lost_roots += 1
        raise Damaged(f'{self.path}: all copies of the root are lost')

    def take_root(self, payload):
        f = Fields(payload, f'{self.path}: the root')
        self.content_part, self.signature = f.take(1024), f.take(64)
        owned = f.number(2)
        self.in_front = f.number(1)
        demand(self.in_front < 2, f'{f.what}: it is not clear whether the index is in front')
        f.zero(5)
        self.first_leaf_block, self.leaf_blocks = f.number(8), f.number(8)
        bits = f.number(1024)
        self.begins = [f.number(8) for _ in range(self.count)]
        f.zero(len(payload) - f.at)
        self.owned = [q for q in range(8192) if bits >> q & 1]
        demand(owned == len(self.owned) >= 3 and self.owned[-1] < self.slices,
               f'{f.what}: the slices are not right')
        total = owned * self.slice
        roots = [self.place(x) for x in (0, owned // 2 * self.slice, total - 1)]
        demand(roots == self.root_pages, f'{f.what}: its copies are elsewhere')
        demand(self.data_pages + self.parity_pages <= total - 3, f'{f.what}: too few slices')

    def place(self, x):
        return self.slice * self.owned[x // self.slice] + x % self.slice

    def place_of(self, t):
        """The page of the area that logical page t is: the roots lie between."""
        middle = len(self.owned) // 2 * self.slice
        return self.place(t + 1 if t + 1 < middle else t + 2)

    def logical(self, t):
        """The payload of a logical page, or None."""
        payload = self.page(self.place_of(t), t, 0)
        if payload is None:
            self.lost.add(t)
        return payload

    def data_page(self, i):
        if i not in self.cache:
            if len(self.cache) > 256:
                self.cache.clear()
            band = i // (64 * self.columns) if self.m else 0
            payload = self.logical(i + band * self.m * self.columns)
            if payload is None:
                payload = self.repair(i)
            if i == self.data_pages - 1:
                demand(not any(payload[self.stream_length - PAYLOAD * i:]),
                       f'{self.path}: the last page does not end with zero')
            self.cache[i] = payload
        return self.cache[i]

    def repair(self, i):
        """Data page i, from the other pages of its column."""
        if self.m == 0:
            raise Damaged(f'{self.path}: a page is lost')
        full = 64 * self.columns
        band, place = divmod(i, full)
        column = place % self.columns
        start = band * (full + self.m * self.columns)
        data = min(full, self.data_pages - band * full)
        rows = {t // self.columns: self.logical(start + t) for t in range(column, data, self.columns)}
        wanted = [row for row, payload in rows.items() if payload is None]
        matrix, values = [], []
        for j in range(self.m * self.columns):
            q = j // self.columns
            if (data + j) % self.columns != column or len(values) == len(wanted):
                continue
            value = self.logical(start + data + j)
            if value is None:
                continue
            for row, payload in rows.items():
                if payload is not None:
                    value = add(value, scale(gf_inverse((64 + q) ^ row), payload))
            matrix.append([gf_inverse((64 + q) ^ row) for row in wanted])
            values.append(value)
        if len(values) < len(wanted):
            raise Damaged(f'{self.path}: more pages are lost than can be repaired')
        rows.update(zip(wanted, solve(matrix, values)))
        self.repaired.add(i)
        return rows[place // self.columns]

    def stream(self, offset, length):
        parts = []
        while length:
            i, at = divmod(offset, PAYLOAD)
            parts.append(self.data_page(i)[at:at + length])
            offset += len(parts[-1])
            length -= len(parts[-1])
        return b''.join(parts)

    def scan(self):
        """Tries every page; how many data pages are beyond repair."""
        beyond = 0
        for t in range(self.data_pages + self.parity_pages):
            self.logical(t)
        self.lost_roots = sum(self.page(p, c, 2) is None for c, p in enumerate(self.root_pages))
        for i in range(self.data_pages):
            try:
                self.data_page(i)
            except Damaged:
                beyond += 1
        return beyond


# The bundle

def unpack_frame(data, length):
    """What exactly one Zstandard frame decodes to."""
    try:
        header = zstandard.get_frame_parameters(data)
        demand(header.content_size == length and header.dict_id == 0 and len(data) < length,
               'a frame is not as it says')
        decoder = zstandard.ZstdDecompressor().decompressobj()
        plain = decoder.decompress(data)
        demand(len(plain) == length and decoder.eof and not decoder.unused_data,
               'a frame does not decode to its length')
        return plain
    except zstandard.ZstdError:
        raise Invalid('a frame does not decode') from None


class Bundle:
    def __init__(self, paths, secrets, length=None, publisher=None):
        volumes = [Volume(path) for path in paths]
        first = next((v for v in volumes if v.find_slot(secrets, length)), None)
        if first is None:
            raise NoKey('no key fits')
        self.volumes, self.strangers = {first.number: first}, []
        for v in volumes:
            if v is not first:
                fits = v.find_sibling(first.ck, length) or v.find_sibling(first.ck, first.length)
                if fits and v.count == first.count and v.number not in self.volumes:
                    self.volumes[v.number] = v
                else:
                    self.strangers.append(v.path)
        self.cache = {}
        for number, v in list(self.volumes.items()):
            try:
                v.read_root()
            except Damaged:
                self.strangers.append(v.path)
                del self.volumes[number]
        if not self.volumes:
            raise Damaged('all copies of the root are lost')
        self.root = next(iter(self.volumes.values()))
        self.count = self.root.count
        for v in self.volumes.values():
            demand((v.content_part, v.signature, v.begins)
                   == (self.root.content_part, self.root.signature, self.root.begins),
                   'the volumes do not agree')
        self.check_signature(self.root.content_part, publisher)
        self.take_content_part(self.root.content_part)
        for v in self.volumes.values():
            self.check_stream(v)

    def take_content_part(self, data):
        f = Fields(data, 'the root')
        demand(f.number(1) == 1, 'the root is of another version')
        flags = f.number(1)
        demand(flags < 4, 'the root has unknown flags')
        self.full = bool(flags & 2)
        f.zero(6)
        self.content_length, self.plain_length, self.index_length = (f.number(8) for _ in range(3))
        self.leaves, self.edition = f.number(8), f.number(8)
        self.series, self.label = f.text(64), f.text(256)
        self.key_id, self.publisher = f.take(8), f.take(32)
        self.tables = {name: (f.number(8), self.reference(f)) for name in TABLES}
        f.zero(256)
        demand(max(self.content_length, self.plain_length, self.index_length) < 1 << 63,
               'a length is past its limit')
        if not self.signed:
            demand(not any(self.key_id + self.publisher + self.root.signature) and not self.leaves,
                   'what is not signed has a publisher')
        self.leaf_blocks = -(-self.leaves // 512)
        demand(self.tables['leaf sums'][0] == self.leaf_blocks, 'the leaf sums are not as many')
        demand(1 <= self.tables['entries'][0] <= (1 << 32) - 2, 'the entries are not as many')
        demand(bool(self.tables['segments'][0]) == bool(self.content_length) == bool(self.plain_length),
               'the segments are not as many')
        for table, (records, _) in self.tables.items():
            blocks = -(-records // PER_BLOCK[table])
            demand(blocks <= 1 or 64 * blocks <= self.index_length, 'a table has more blocks than references')
        for records, top in self.tables.values():
            demand(records < 1 << 63, 'a table is too long')
            demand(records or top.empty, 'an empty table has a top')

    def check_signature(self, content_part, publisher):
        self.signed = bool(content_part[1] & 1)
        if publisher and not (self.signed and publisher[2:] == content_part[368:408]):
            raise Altered('it is not signed by this publisher')
        if self.signed:
            message = b'satchel root 1\0' + hashlib.blake2b(content_part).digest()
            try:
                nacl.bindings.crypto_sign_open(self.root.signature + message, content_part[376:408])
            except (nacl.exceptions.CryptoError, ValueError):
                raise Altered('the signature does not match') from None

    def check_stream(self, v):
        ends = v.begins[1:] + [self.content_length]
        demand(v.begins[0] == 0 and all(a <= b for a, b in zip(v.begins, ends)),
               'the ranges of the volumes are not right')
        v.range = v.begins[v.number], ends[v.number]
        last = v.first_leaf_block + v.leaf_blocks
        demand(last <= self.leaf_blocks and (v.leaf_blocks or not last),
               'there are not so many leaf blocks')
        v.leaf_area = v.leaf_blocks * PAGE
        if v.leaf_blocks and last == self.leaf_blocks:
            v.leaf_area -= -self.leaves % 512 * 32
        v.content_begins = self.index_length + v.leaf_area if v.in_front else 0
        v.leaves_begin = v.content_begins + v.range[1] - v.range[0]
        v.index_begins = v.leaves_begin + v.leaf_area
        v.stream_length = v.index_begins + self.index_length
        demand(v.data_pages == -(-v.stream_length // PAYLOAD), 'the stream is not as long as its pages')

    def mismatch(self, what):
        return Altered(what) if self.signed else Invalid(what)

    # The index

    def reference(self, f):
        start = f.at
        ref = SimpleNamespace(offset=f.number(8), stored=f.number(4), decoded=f.number(4),
                              key=f.take(16), digest=f.take(32))
        ref.empty = not any(f.data[start:f.at])
        return ref

    def copies(self):
        """All copies of the index: a volume, and where it begins in its stream."""
        for v in self.volumes.values():
            yield v, v.index_begins
            if v.in_front:
                yield v, 0

    def compare_copies(self, v):
        """As far as both can be read, what is in front is the same as what is behind."""
        both = (0, v.index_begins, self.index_length), (self.index_length, v.leaves_begin, v.leaf_area)
        for one, other, length in both if v.in_front else ():
            for at in range(0, length, PAYLOAD):
                n = min(PAYLOAD, length - at)
                try:
                    same = v.stream(one + at, n) == v.stream(other + at, n)
                except Damaged:
                    continue
                demand(same, f'{v.path}: two copies are not the same')

    def fetch(self, ref, least, most):
        """The decoded bytes that a reference leads to; so long they may be."""
        demand(ref.offset + ref.stored <= self.index_length, 'a reference is past the end of the index')
        demand(ref.stored <= ref.decoded and least <= ref.decoded <= most, 'a block is not as long')
        trouble = None
        for v, begins in self.copies():
            try:
                data = v.stream(begins + ref.offset, ref.stored)
                break
            except Damaged as error:
                trouble = error
        else:
            raise trouble
        if d(data) != ref.digest:
            raise self.mismatch('a block of the index does not have its digest')
        return data if ref.stored == ref.decoded else unpack_frame(data, ref.decoded)

    def children(self, ref, count, begin):
        """The references of a node; nothing below it is before begin."""
        demand(ref.stored == ref.decoded, 'a node is compressed')
        f = Fields(self.fetch(ref, 64 * count, 64 * count), 'a node')
        refs = [self.reference(f) for _ in range(count)]
        demand(refs[0].key == ref.key, 'a node does not have its key')
        for child in refs:
            demand(begin <= child.offset, 'what a node leads to is not in order')
            begin = child.offset + child.stored
        demand(begin <= ref.offset, 'a node is before what it leads to')
        return refs

    def descend(self, table, choose):
        """A block's number and the reference to it.

        Choose picks a child of a node; it is given the node's references, the
        number of the first block below it, and how many each child leads to.
        """
        records, ref = self.tables[table]
        blocks = -(-records // PER_BLOCK[table])
        each = 1
        while each < blocks:
            each *= 256
        first = begin = 0
        while each > 1:
            if (table, first, each) not in self.cache:
                count = min(256, -(-(blocks - first) * 256 // each))
                self.cache[table, first, each] = self.children(ref, count, begin)
            refs = self.cache[table, first, each]
            each //= 256
            child = choose(refs, first, each)
            ref = refs[child]
            if child > 1:
                begin = refs[child - 2].offset + refs[child - 2].stored
            first += child * each
        return first, ref

    def reference_to(self, table, number):
        return self.descend(table, lambda refs, first, each: (number - first) // each)[1]

    def block(self, table, number):
        """Block so-and-so of a table, decoded to its records."""
        if (table, number) in self.cache:
            return self.cache[table, number]
        records = self.tables[table][0]
        ref = self.reference_to(table, number)
        try:
            before = self.reference_to(table, number - 1) if number else ref
        except Damaged:
            before = ref
        demand(number == 0 or before is ref or ref.offset >= before.offset + before.stored,
               'a block is not behind the one before it')
        start = number * PER_BLOCK[table]
        n = min(PER_BLOCK[table], records - start)
        if table in RECORD:
            data = self.fetch(ref, n * RECORD[table], n * RECORD[table])
        else:
            data = self.fetch(ref, 1, ROOM[table])
        if table == 'entries':
            block = decode_entries(data, start, n, self)
            key = block[0].name[:16].ljust(16, b'\0')
        elif table == 'segments':
            block = decode_segments(data, n, self)
            key = data[:16]
            demand(number or not any(data[:24]), 'the first segment does not begin at 0')
            if start + n == records:
                end = block[-1].address + block[-1].length, block[-1].offset + block[-1].stored
                demand(end == (self.plain_length, self.content_length) and
                       block[-1].leaf + block[-1].leaves == self.leaves, 'the segments end elsewhere')
        else:
            block = data
            key = data[:8] + bytes(8) if table == 'runs' else bytes(16)
        demand(ref.key == key, 'a block does not have its key')
        self.cache[table, number] = block
        return block

    def heap(self, offset, length):
        parts = []
        while length:
            number, at = divmod(offset, 32768)
            parts.append(self.block('heap', number)[at:at + length])
            offset += len(parts[-1])
            length -= len(parts[-1])
        return b''.join(parts)

    def entry(self, number):
        return self.block('entries', number // 128)[number % 128]

    def first_name(self, entry):
        """The entry itself, or what it is a hard link to."""
        if entry.kind != 3:
            return entry
        first = self.entry(entry.of)
        demand(first.kind in (0, 2) and first.linked, 'a hard link leads to what has one name')
        return first

    def listing(self, directory):
        """The children of a directory, and what kept it from being complete."""
        entries, trouble, before = [], None, None
        for number in range(directory.first, directory.first + directory.size):
            try:
                child = self.entry(number)
            except Trouble as error:
                trouble, before = error, None
                continue
            if child.parent != directory.number:
                return entries, Invalid('a child has another parent')
            if before and before.name >= child.name:
                return entries, Invalid('the names do not ascend')
            entries.append(child)
            before = child
        return entries, trouble

    # Content

    def leaf(self, v, number):
        block = number // 512
        if not v.first_leaf_block <= block < v.first_leaf_block + v.leaf_blocks:
            raise Altered('a leaf is not where it belongs')
        if (v.number, 'leaves', block) not in self.cache:
            length = min(PAGE, 32 * (self.leaves - 512 * block))
            at = PAGE * (block - v.first_leaf_block)
            try:
                data = v.stream(v.leaves_begin + at, length)
            except Damaged:
                if not v.in_front:
                    raise
                data = v.stream(self.index_length + at, length)
            if d(data) != self.block('leaf sums', block // 512)[block % 512 * 32:][:32]:
                raise Altered('a leaf block does not have its digest')
            self.cache[v.number, 'leaves', block] = data
        return self.cache[v.number, 'leaves', block][number % 512 * 32:][:32]

    def stored(self, offset, length, leaf, begin, end):
        """From begin to end of what has one leaf, a frame or a piece of an extent."""
        number = max(i for i, first in enumerate(self.root.begins) if first <= offset)
        if number not in self.volumes:
            raise Damaged(f'volume {number + 1} is missing')
        v = self.volumes[number]
        demand(offset + length <= v.range[1], 'a volume ends in the wrong place')
        if not self.signed:
            return v.stream(v.content_begins + offset - v.range[0] + begin, end - begin)
        data = v.stream(v.content_begins + offset - v.range[0], length)
        if d(data) != self.leaf(v, leaf):
            raise Altered('content does not have its leaf')
        return data[begin:end]

    def segments(self, address):
        """The segments from the one that holds an address on."""
        def last_before(refs, first, each):
            fits = [i for i, r in enumerate(refs) if int.from_bytes(r.key[:8], 'little') <= address]
            return max(fits, default=0)

        number, _ = self.descend('segments', last_before)
        end = None
        for number in itertools.count(number):
            for s in self.block('segments', number):
                demand(end in (None, (s.address, s.offset)), 'the segments are not back to back')
                end = s.address + s.length, s.offset + s.stored
                if end[0] > address:
                    yield s

    def plain(self, address, length):
        """The plaintext of a run of addresses, in pieces."""
        if not length:
            return
        for s in self.segments(address):
            at = address - s.address
            n = min(length, s.length - at)
            if s.frame:
                data = self.stored(s.offset, s.stored, s.leaf, 0, s.stored)
                yield unpack_frame(data, s.length)[at:at + n]
            else:
                for piece in range(at // LEAF, -(-(at + n) // LEAF)):
                    front = piece * LEAF
                    size = min(LEAF, s.length - front)
                    yield self.stored(s.offset + front, size, s.leaf + piece,
                                      max(at - front, 0), min(at + n - front, size))
            address += n
            length -= n
            if not length:
                return

    def runs(self, entry):
        if not entry.sparse:
            return [(0, entry.address, entry.size)] if entry.size else []
        runs, end = [], 0
        for number in range(entry.first_run, entry.first_run + entry.runs):
            record = self.block('runs', number // 1024)[24 * (number % 1024):][:24]
            f = Fields(record, 'a run')
            offset, address, length = (f.number(8) for _ in range(3))
            demand(end <= offset and length and offset + length <= entry.size, 'the runs are not in order')
            demand(address + length <= self.plain_length, 'an address is past the end of the plaintext')
            runs.append((offset, address, length))
            end = offset + length
        return runs

    def read(self, entry):
        """The content of a file, in pieces."""
        at = 0
        for offset, address, length in self.runs(entry) + [(entry.size, 0, 0)]:
            while at < offset:
                n = min(offset - at, 1 << 20)
                yield bytes(n)
                at += n
            yield from self.plain(address, length)
            at += length

    def attributes(self, entry):
        f = Fields(self.heap(entry.attributes, entry.attributes_length), 'extended attributes')
        count, pairs = f.varint(), []
        demand(count, 'there are no extended attributes')
        for _ in range(count):
            name = f.take(f.number(1))
            length = f.varint()
            demand(name and b'\0' not in name and length <= 65536, 'an extended attribute is not right')
            demand(not pairs or pairs[-1][0] < name, 'the extended attributes do not ascend')
            pairs.append((name, f.take(length)))
        f.end()
        return pairs


def decode_entries(data, start, n, bundle):
    """A block of entries; expected values run along as the page has it."""
    f = Fields(data, 'a block of entries')
    total, full = bundle.tables['entries'][0], bundle.full
    parent, child, address, run, target = (f.varint() for _ in range(5))
    attributes = f.varint() if full else 0
    block = [SimpleNamespace(number=start + i, kind=k & 3, sparse=k >> 2 & 1, linked=k >> 3 & 1, bits=k)
             for i, k in enumerate(f.take(n))]
    for e in block:
        demand(e.bits < 16 and not (e.sparse and e.kind != 0) and not (e.linked and e.kind & 1),
               'an entry has a wrong kind')
        step = f.varint()
        demand(step == 0 or e is not block[0], 'the parent of a block is not that of its first entry')
        parent = e.parent = parent + step
        demand(parent < e.number or e.number == parent == 0, 'a parent is behind its child')
        demand(e.number or e.kind == 1, 'the root is not a directory')
    for e, before in zip(block, [None] + block):
        e.shared = f.number(1)
    for e in block:
        e.rest = f.number(1)
    name = b''
    for e in block:
        demand(e.shared <= len(name), 'a name shares more than there is')
        name = e.name = name[:e.shared] + f.take(e.rest)
        right = 1 <= len(name) <= 255 and name not in (b'.', b'..') and not {0, 0x2f} & set(name)
        demand(right if e.number else not name, 'a name is not allowed')
    first_names = [e for e in block if e.kind != 3]
    for e in first_names:
        e.mode = f.varint()
        demand(not e.mode & ~(0o7777 if full else 0o555) and not (e.kind == 2 and e.mode),
               'a mode is not allowed')
    time, limit = 0, 1 << (55 if full else 38)
    for e in first_names:
        time += f.zigzag()
        demand(-limit <= time <= limit, 'a time is past its limit')
        e.mtime, e.nanoseconds = time if full else time * 86400, 0
    for e in block:
        e.size = f.varint()
        if e.kind == 0:
            demand(e.size < 1 << 63, 'a file is too long')
        elif e.kind == 1:
            e.first = child
            child += e.size
            demand(not e.size or e.number < e.first and child <= total, 'a directory has more than there is')
        elif e.kind == 2:
            demand(1 <= e.size <= 4095, 'a symbolic link is empty or too long')
        else:
            e.of = e.number - e.size
            demand(0 <= e.of < e.number, 'a hard link leads nowhere')
    for e in block:
        e.links = f.varint() if e.linked else 1
        demand(e.links > 1 or not e.linked, 'a linked file has one name')
    for e in block:
        if e.sparse:
            e.runs, e.first_run = f.varint(), 0
            if e.runs:
                e.first_run = run + f.zigzag()
                run = e.first_run + e.runs
                demand(0 <= e.first_run and run <= bundle.tables['runs'][0], 'there are not so many runs')
        elif e.kind == 0 and e.size:
            e.address = address + f.zigzag()
            address = e.address + e.size
            demand(0 <= e.address and address <= bundle.plain_length,
                   'an address is past the end of the plaintext')
        elif e.kind == 2:
            e.target = target + f.zigzag()
            target = e.target + e.size
            demand(0 <= e.target and target <= bundle.tables['heap'][0], 'the heap is not so long')
    if full:
        for column, limit in ('nanoseconds', 10**9), ('uid', 1 << 32), ('gid', 1 << 32):
            for e in first_names:
                setattr(e, column, f.varint())
                demand(getattr(e, column) < limit, 'a number of an entry is past its limit')
        for e in first_names:
            e.attributes_length = f.varint()
            if e.attributes_length:
                e.attributes = attributes + f.zigzag()
                attributes = e.attributes + e.attributes_length
                demand(e.attributes_length <= 131072, 'extended attributes are too long')
                demand(0 <= e.attributes and attributes <= bundle.tables['heap'][0],
                       'the heap is not so long')
    f.end()
    return block


def decode_segments(data, n, bundle):
    f = Fields(data, 'a block of segments')
    address, offset, leaf = (f.number(8) for _ in range(3))
    block = [SimpleNamespace(frame=k) for k in f.take(n)]
    for s in block:
        demand(s.frame < 2, 'a segment is neither extent nor frame')
        s.length = s.stored = f.varint()
        demand(s.length and (s.length <= 262144 or not s.frame), 'a segment is empty or too long')
    for s in block:
        if s.frame:
            s.stored = f.varint()
            demand(0 < s.stored < s.length, 'a frame is not shorter than what it holds')
        s.address, s.offset, s.leaf = address, offset, leaf
        s.leaves = (1 if s.frame else -(-s.length // LEAF)) if bundle.signed else 0
        address, offset, leaf = address + s.length, offset + s.stored, leaf + s.leaves
    f.end()
    demand(address <= bundle.plain_length and offset <= bundle.content_length and leaf <= bundle.leaves,
           'a segment is past the end')
    return block


# Verbs

def put_text(line, key, data):
    line[key] = data.decode(errors='replace')
    try:
        data.decode()
    except UnicodeDecodeError:
        line[key + '_b64'] = base64.b64encode(data).decode()


def describe(bundle, entry, paths, hashes):
    line = {}
    put_text(line, 'path', paths[entry.number])
    line['kind'] = KINDS[entry.kind]
    try:
        e = bundle.first_name(entry)
        if entry.kind == 3:
            if e.number in paths:
                put_text(line, 'of', paths[e.number])
        if e.kind == 0:
            line['size'] = e.size
        line['mode'], line['mtime'] = '%04o' % e.mode, e.mtime
        if e.linked:
            line['links'] = e.links
        if bundle.full:
            line.update(nanoseconds=e.nanoseconds, uid=e.uid, gid=e.gid)
            if e.attributes_length:
                line['xattrs'] = []
                for name, value in bundle.attributes(e):
                    pair = {}
                    put_text(pair, 'name', name)
                    pair['length'] = len(value)
                    pair['sha256'] = hashlib.sha256(value).hexdigest()
                    line['xattrs'].append(pair)
        if e.kind == 2:
            target = bundle.heap(e.target, e.size)
            demand(b'\0' not in target, 'a symbolic link has a zero byte')
            put_text(line, 'target', target)
        if e.kind == 0 and e.sparse:
            line['runs'] = [[offset, length] for offset, _, length in bundle.runs(e)]
        if hashes and e.kind == 0:
            content = hashlib.sha256()
            for piece in bundle.read(e):
                content.update(piece)
            line['sha256'] = content.hexdigest()
    except Trouble as error:
        line['error'] = error.word
        complain(f'{line["path"]}: {error}')
    return line


def walk(bundle, hashes):
    """One line for each entry that can be reached, in the order of numbers."""
    paths, lines = {0: b'.'}, []
    entries = [bundle.entry(0)]
    for entry in entries:
        line = describe(bundle, entry, paths, hashes)
        lines.append(line)
        if entry.kind == 1:
            found, trouble = bundle.listing(entry)
            for child in found:
                front = b'' if entry.number == 0 else paths[entry.number] + b'/'
                path = front + child.name
                if len(path) > 16383:
                    trouble = Invalid('a path is too long')
                else:
                    paths[child.number] = path
                    entries.append(child)
            if trouble:
                line['error'] = trouble.word
                complain(f'{line["path"]}: {trouble}')
    return lines


def find(bundle, path):
    entry = bundle.entry(0)
    for name in path.split(b'/'):
        found, trouble = bundle.listing(entry) if entry.kind == 1 else ([], None)
        entry = next((e for e in found if e.name == name), None)
        if entry is None:
            raise trouble or FileNotFoundError('there is no such file')
    return bundle.first_name(entry)


def damage_noticed(bundle):
    return bool(bundle.strangers) or any(
        v.lost or v.lost_roots or v.header != 'A' or v.medium < v.length for v in bundle.volumes.values())


def information(bundle):
    info = {'version': 1, 'flags': [name for name, on in (('signed', bundle.signed),
                                                        ('full metadata', bundle.full)) if on],
            'label': bundle.label, 'series': bundle.series, 'edition': bundle.edition,
            'publisher': base64.b64encode(b'Ed' + bundle.key_id + bundle.publisher).decode()
            if bundle.signed else '',
            'entries': bundle.tables['entries'][0], 'content': bundle.content_length,
            'plaintext': bundle.plain_length, 'index': bundle.index_length,
            'leaves': bundle.leaves, 'volumes': []}
    for number in range(bundle.count):
        v = bundle.volumes.get(number)
        if v is None:
            info['volumes'].append({'number': number + 1, 'missing': True})
            continue
        beyond = v.scan()
        bundle.compare_copies(v)
        info['volumes'].append({
            'number': number + 1, 'length': v.length, 'appended': max(v.medium - v.length, 0),
            'cut off': max(v.length - v.medium, 0), 'header': v.header, 'roots lost': v.lost_roots,
            'slices': v.slices, 'owned': len(v.owned), 'parity': v.m, 'data pages': v.data_pages,
            'parity pages': v.parity_pages, 'index in front': bool(v.in_front),
            'pages lost': len(v.lost), 'repaired': len(v.repaired), 'beyond repair': beyond})
    return info


def complain(text):
    print('decode.py: ' + text.encode(errors='replace').decode(), file=sys.stderr)


def arguments(argv):
    path = None
    if '--' in argv:
        argv, after = argv[:argv.index('--')], argv[argv.index('--') + 1:]
        path = os.fsencode(after[0]) if len(after) == 1 else None
    try:
        options, rest = getopt.gnu_getopt(argv, '', [
            'passphrase-file=', 'key-file=', 'identity=', 'publisher=', 'length=', 'json', 'help'])
    except getopt.GetoptError as error:
        raise Usage(str(error)) from None
    passphrase, key_file, identities, publisher, length, as_json = None, None, [], None, None, False
    for option, value in options:
        if option == '--help':
            print(__doc__)
            sys.exit(0)
        if option in ('--passphrase-file', '--key-file', '--identity'):
            with open(value, 'rb') as source:
                data = source.read()
        if option == '--passphrase-file':
            passphrase = passphrase_of(data)
        elif option == '--key-file':
            key_file = key_file_of(data)
        elif option == '--identity':
            identities += identities_of(data)
        elif option == '--publisher':
            try:
                publisher = base64.b64decode(value, validate=True)
            except ValueError:
                publisher = b''
            if len(publisher) != 42 or publisher[:2] != b'Ed':
                raise Usage('the publisher is not a minisign public key')
        elif option == '--length':
            if not value.isascii() or not value.isdigit():
                raise Usage('the length is not a number')
            length = int(value)
        else:
            as_json = True
    if (len(rest) < 2 or rest[0] not in ('ls', 'hash', 'cat', 'info')
            or (rest[0] == 'cat') != (path is not None)):
        raise Usage('decode.py [option...] ls|hash|cat|info BUNDLE... [-- PATH]; see --help')
    if not (passphrase or key_file or identities):
        raise Usage('there is no key to try')
    return rest[0], rest[1:], path, (passphrase, key_file, identities), length, publisher, as_json


def main(argv):
    verb, files, path, secrets, length, publisher, as_json = arguments(argv)
    try:
        bundle = Bundle(files, secrets, length, publisher)
    except NoKey:
        raise
    except Trouble as error:
        error.status = 10
        raise
    for file in bundle.strangers:
        complain(f'{file} cannot be used')
    for v in bundle.volumes.values():
        if v.medium > v.length:
            complain(f'{v.path}: {v.medium - v.length} bytes were appended')
    failed = False
    if verb in ('ls', 'hash'):
        for line in walk(bundle, verb == 'hash'):
            failed |= 'error' in line
            print(json.dumps(line))
    elif verb == 'cat':
        entry = find(bundle, path)
        if entry.kind != 0:
            raise Usage('this is not a file')
        for piece in bundle.read(entry):
            sys.stdout.buffer.write(piece)
    else:
        info = information(bundle)
        failed = any(v.get('beyond repair') or v.get('missing') for v in info['volumes'])
        volumes = info.pop('volumes')
        if as_json:
            print(json.dumps({**info, 'volumes': volumes}, indent=1))
        else:
            for line in [info] + volumes:
                print('\n'.join(f'{key}: {value}' for key, value in line.items()), end='\n\n')
    return 4 if failed else 5 if damage_noticed(bundle) else 0


if __name__ == '__main__':
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except Trouble as error:
        complain(f'{error.word}: {error}' if error.word != str(error) else str(error))
        status = error.status
    except Usage as error:
        complain(str(error))
        status = 2
    except OSError as error:
        complain(str(error))
        status = 1
    sys.exit(status)
