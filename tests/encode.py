#!/usr/bin/python3
"""A writer of satchel's bundles for tests, and for nothing else.

It writes what bundle(5) says from a description in Python, every feature of
it and, when asked, with one rule broken.  TEST ONLY: its "random" bytes are
the same every time, so nothing it writes is secret.

usage: encode.py --list                   names of all cases, one a line
       encode.py NAME... OUTDIR           write a case's bundle, keys and expect
       encode.py --golden OUTDIR          write what tests/data/good holds
       encode.py --flaws                  names of all flaws and sticks
       encode.py --flaw NAME... OUTDIR    write a bundle with one rule broken, or one
                                          on a stick that is damaged (all: all)
       encode.py --kit OUTDIR             write the test kit of bundle(5)
       encode.py --bombs                  names of all bombs
       encode.py --bomb NAME... OUTDIR    write a bundle that asks for too much
                                          (all: one for each)
       encode.py --unfold KEYS... OUTDIR  apply the damage that NAME.keys asks for

A case is NAME.keys, a word and its values on each line:

  bundle FILE            a volume to give to the reader; may come several times
  passphrase-file FILE   what opens it: options of the reader, FILE next to it
  key-file FILE
  identity FILE
  publisher BASE64
  length N
  flip FILE AT LENGTH    damage: in a copy of that volume these bytes are
  zero FILE AT LENGTH    zero,
  swap FILE AT AT LENGTH or have changed places,
  cut FILE LENGTH        it is cut to LENGTH,
  append FILE LENGTH     or so many bytes are put behind it
  word WORD              what the reader says of a bundle with a flaw
  verify N               exit status of satchel-read verify, where that is another
  codes N...             exit status of each thing that is done with a bomb
  status N               exit status of decode.py hash

and NAME.expect, which is what `decode.py hash' prints, made from the
description and not by reading the bundle.  A flaw or stick has NAME.vector, too: the word,
the files to read, and the hash of what `sha256sum' says of those of them that a
reader releases before it notices: one that looks at everything, as decode.py does,
and one that looks at no more than it needs (or "any", which is a forger's choice).  Unfold writes damaged copies, and
OUTDIR/NAME.case: the lines that are left, with the paths to use.
"""

import base64
import hashlib
import itertools
import json
import os
import sys
from types import SimpleNamespace

import argon2.low_level
import nacl.bindings
import zstandard

sys.dont_write_bytecode = True
from decode import (P, MONT_A, EDW_D, LEAF, PAGE, PAYLOAD, TABLES, bech32, d, derive, elligator,
                    elligator_unscaled, gf_inverse, h256, inverse, is_square, kek, passphrase_of,
                    point_add, scale, square_root, x25519, xchacha20)


class Random:
    """Bytes that look random and depend on a name alone."""

    def __init__(self, name):
        self.name, self.count = name.encode(), 0

    def bytes(self, length):
        self.count += 1
        return hashlib.shake_256(self.name + b' %d' % self.count).digest(length)

    def below(self, limit):
        return int.from_bytes(self.bytes(16), 'little') % limit

    def subset(self, size, of):
        of = list(of)
        return sorted(of.pop(self.below(len(of))) for _ in range(size))


def u(value, length):
    return value.to_bytes(length, 'little')


def varint(value):
    value %= 1 << 64        # a flaw may ask for less than nothing
    out = b''
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


def zigzag(value):
    return varint(2 * value if value >= 0 else -2 * value - 1)


def compress(data):
    return zstandard.ZstdCompressor(level=19, write_checksum=False, write_content_size=True).compress(data)


# Public keys

BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        4 * inverse(5) % P)
ORDER = 2**252 + 27742317777372353535851937790883648493


def multiply(scalar, point):
    result = (0, 1)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def small_order_points():
    """The eight points of small order: multiples of a point times the order."""
    y = 2
    while True:
        x2 = (y * y - 1) * inverse(EDW_D * y * y + 1) % P
        if is_square(x2):
            point = multiply(ORDER, (square_root(x2), y))
            points = [multiply(i, point) for i in range(8)]
            if len(set(points)) == 8:
                return points
        y += 1


def elligator_inverse(point):
    """Every E below 2^255 - 19, sign bit aside, that the unscaled map takes there."""
    x, y = point
    u_of = (1 + y) * inverse(1 - y) % P
    found = []
    for square in (-(MONT_A + u_of) * inverse(2 * u_of), -u_of * inverse(2 * (MONT_A + u_of))):
        if is_square(square % P):
            root = square_root(square)
            found += [u(r | (x & 1) << 255, 32) for r in {root, -root % P}]
    return [e for e in found if elligator_unscaled(e) == point]


def hidden_key(random):
    """An ephemeral scalar and the E that hides its public key."""
    points = small_order_points()
    while True:
        s = bytearray(random.bytes(32))
        s[0] &= 248
        s[31] = s[31] & 127 | 64
        scalar = int.from_bytes(s, 'little')
        q = point_add(multiply((scalar >> 3) % ORDER, BASE), points[random.below(8)])
        choices = elligator_inverse(q)
        if choices:
            e = choices[random.below(len(choices))]
            assert elligator(e) == multiply(scalar, BASE)
            return bytes(s), e


def bech32_text(data, prefix):
    """A key as age writes it."""
    alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
    value = int.from_bytes(data, 'big') << 4
    digits = [value >> 5 * i & 31 for i in reversed(range(52))]
    check = 1
    for v in ([ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + digits + [0] * 6):
        top = check >> 25
        check = (check & 0x1ffffff) << 5 ^ v
        for i, generator in enumerate((0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)):
            check ^= generator if top >> i & 1 else 0
    digits += [(check ^ 1) >> 5 * i & 31 for i in reversed(range(6))]
    text = prefix + '1' + ''.join(alphabet[v] for v in digits)
    assert bech32(text, prefix) == data
    return text


# Descriptions

def file(data=b'', **meta):
    return SimpleNamespace(kind=0, data=data, sparse=False, meta=meta)


def sparse(size, *runs, **meta):
    """Runs are (offset, bytes)."""
    return SimpleNamespace(kind=0, size=size, runs=runs, sparse=True, meta=meta)


def symlink(target, **meta):
    return SimpleNamespace(kind=2, target=target, meta={'mode': 0, **meta})


def directory(children=None, **meta):
    return SimpleNamespace(kind=1, children=children or {}, meta={'mode': 0o555, **meta})


def meta(node, name):
    return node.meta.get(name, {'mode': 0o444, 'time': 1700000000, 'xattrs': {}}.get(name, 0))


def number_entries(root):
    """Breadth first; a node that stands in several places is one file with several names."""
    entries = [SimpleNamespace(number=0, name=b'', parent=0, node=root, path=b'.')]
    names = {}
    for e in entries:
        names.setdefault(id(e.node), []).append(e)
        e.of = names[id(e.node)][0]
        if e.node.kind == 1:
            e.first = len(entries)
            for name in sorted(e.node.children):
                path = name if e.number == 0 else e.path + b'/' + name
                entries.append(SimpleNamespace(number=len(entries), name=name, parent=e.number,
                                               node=e.node.children[name], path=path))
    for e in entries:
        e.names = len(names[id(e.node)])
    return entries


def content_of(node):
    if not node.sparse:
        return node.data
    data = bytearray(node.size)
    for offset, run in node.runs:
        data[offset:offset + len(run)] = run
    return bytes(data)


def put_text(line, key, data):
    line[key] = data.decode(errors='replace')
    if line[key].encode() != data:
        line[key + '_b64'] = base64.b64encode(data).decode()


def expected(compartment, errors=None):
    """What `decode.py hash' is to print, from the description alone."""
    lines = []
    for e in number_entries(compartment.tree):
        node, line = e.node, {}
        put_text(line, 'path', e.path)
        line['kind'] = ('file', 'directory', 'symlink')[node.kind] if e.of is e else 'hardlink'
        if e.of is not e:
            put_text(line, 'of', e.of.path)
        if node.kind == 0:
            line['size'] = node.size if node.sparse else len(node.data)
        line['mode'] = '%04o' % meta(node, 'mode')
        time = meta(node, 'time')
        line['mtime'] = time if compartment.full else time // 86400 * 86400
        if e.names > 1:
            line['links'] = e.names
        if compartment.full:
            line.update({key: meta(node, key) for key in ('nanoseconds', 'uid', 'gid')})
            if meta(node, 'xattrs'):
                line['xattrs'] = []
                for name, value in sorted(meta(node, 'xattrs').items()):
                    pair = {}
                    put_text(pair, 'name', name)
                    pair.update(length=len(value), sha256=hashlib.sha256(value).hexdigest())
                    line['xattrs'].append(pair)
        if node.kind == 2:
            put_text(line, 'target', node.target)
        if node.kind == 0 and node.sparse:
            line['runs'] = [[offset, len(run)] for offset, run in node.runs]
        if node.kind == 0 and e.path not in (errors or {}):
            line['sha256'] = hashlib.sha256(content_of(node)).hexdigest()
        if e.path in (errors or {}):
            line['error'] = errors[e.path]
        lines.append(json.dumps(line) + '\n')
    return ''.join(lines)


class Key:
    """What opens a slot: names of SECRETS."""

    def __init__(self, passphrase=None, key_file=None, identity=None, standard=False):
        self.passphrase, self.key_file, self.identity = passphrase, key_file, identity
        self.standard = standard

    def kek(self, header, scalar):
        kinds, secrets = 0, b''
        if self.passphrase:
            kinds += 1
            secrets += argon2.low_level.hash_secret_raw(
                passphrase_of(SECRETS[self.passphrase]), header[:16], 3,
                262144 if self.standard else 65536, 1, 32, argon2.low_level.Type.ID)
        if self.key_file:
            kinds += 2
            secrets += h256(SECRETS[self.key_file])
        if self.identity:
            kinds += 4
            recipient = nacl.bindings.crypto_scalarmult_base(IDENTITIES[self.identity])
            secrets += x25519(scalar, recipient) + recipient
        return kek(kinds, header, secrets)


class Compartment:
    """A tree and how to write it.

    plan cuts the plaintext into segments: a list of ('frame' or 'extent',
    length), or a function that makes one of the plaintext.  cuts says where
    volumes 1, 2... begin: (segment, offset in it as stored).  claims says how many
    data pages a volume is to have had, by its number: more than are written, as if
    its file had been cut short; for a bundle without parity, and with holes.
    front: a copy of the index and of the leaf blocks is in front of the content of each
    volume.
    """

    def __init__(self, tree, *keys, m=0, full=False, publisher=None, label='', series='', edition=0,
                 plan=None, cuts=(), spare=0, claims=None, front=False):
        self.tree, self.keys, self.m, self.full, self.publisher = tree, keys, m, full, publisher
        self.label, self.series, self.edition = label, series, edition
        self.plan, self.cuts, self.spare, self.claims = plan, cuts, spare, claims or {}
        self.front = front


def default_plan(plain):
    plan = []
    for at in range(0, len(plain), 262144):
        piece = plain[at:at + 262144]
        plan.append(('frame' if len(compress(piece)) < len(piece) else 'extent', len(piece)))
    return plan


class Bundle:
    """Writes compartments into volumes.

    hooks: {point: function}; the function gets what the writer has at that
    point and some words about it, and returns what to use in its place.
    """

    def __init__(self, name, *compartments, free=1, tail=777, volumes=1, hooks=None, holes=False):
        self.name, self.compartments, self.volumes = name, compartments, volumes
        self.free, self.tail, self.hooks, self.holes = free, tail, hooks or {}, holes
        self.random = Random(name)
        for c in compartments:
            c.signed = c.publisher is not None
            c.ck = self.random.bytes(32)
            self.lay_out_content(c)
            self.build_index(c)
            self.build_content_part(c)

    def hook(self, point, value, **about):
        if point in self.hooks:
            replacement = self.hooks[point](value, SimpleNamespace(bundle=self, **about))
            return value if replacement is None else replacement
        return value

    # Content

    def lay_out_content(self, c):
        """Gives each file its addresses; equal contents get the same ones."""
        c.entries = number_entries(c.tree)
        plain, addresses, c.run_records = bytearray(), {}, []

        def place(data):
            if data not in addresses:
                addresses[data] = len(plain)
                plain.extend(data)
            return addresses[data]

        for e in c.entries:
            if e.of is not e or e.node.kind != 0:
                continue
            if e.node.sparse:
                e.first_run = len(c.run_records)
                c.run_records += [(offset, place(run), len(run)) for offset, run in e.node.runs]
            else:
                e.address = place(e.node.data) if e.node.data else 0
        plain = bytes(plain)
        plan = c.plan or default_plan
        plan = plan(plain) if callable(plan) else plan
        assert sum(length for _, length in plan) == len(plain), (len(plain), plan)
        c.plain_length, c.segments, c.leaves, content = len(plain), [], [], []
        address = offset = 0
        for kind, length in plan:
            piece = plain[address:address + length]
            stored = self.hook('frame', compress(piece), plain=piece) if kind == 'frame' else piece
            assert kind == 'extent' or len(stored) < length or 'frame' in self.hooks
            c.segments.append(SimpleNamespace(frame=kind == 'frame', address=address, offset=offset,
                                              leaf=len(c.leaves), length=length, stored=len(stored)))
            if c.signed:
                step = len(stored) if kind == 'frame' else LEAF
                c.leaves += [d(stored[at:at + step]) for at in range(0, len(stored), step)]
            content.append(stored)
            address += length
            offset += len(stored)
        c.content = b''.join(content)
        c.begins = [0] + [c.segments[segment].offset + at for segment, at in c.cuts]
        assert len(c.begins) == self.volumes
        c.content = self.hook('content', c.content)

    def leaf_of(self, c, offset):
        """The number of the leaf whose bytes hold an offset of the content."""
        s = max((s for s in c.segments if s.offset <= offset), key=lambda s: s.offset)
        return s.leaf + (0 if s.frame else (offset - s.offset) // LEAF)

    # Index

    def build_index(self, c):
        c.index, c.tables = bytearray(), {}
        leaves = b''.join(c.leaves)
        leaves = self.hook('leaves', leaves)
        c.leaf_blocks = [leaves[i:i + PAGE] for i in range(0, len(leaves), PAGE)]
        entries, heap = self.entry_blocks(c)
        runs = [b''.join(u(v, 8) for v in run) for run in c.run_records]
        sums = [d(block) for block in c.leaf_blocks]
        self.add_table(c, 'entries', len(c.entries), entries)
        self.add_table(c, 'segments', len(c.segments), self.segment_blocks(c))
        self.add_table(c, 'runs', len(runs), [
            (b''.join(runs[i:i + 1024]), runs[i][:8]) for i in range(0, len(runs), 1024)])
        self.add_table(c, 'heap', len(heap), [
            (heap[i:i + 32768], b'') for i in range(0, len(heap), 32768)])
        self.add_table(c, 'leaf sums', len(sums), [
            (b''.join(sums[i:i + 512]), b'') for i in range(0, len(sums), 512)])
        c.index = self.hook('index', bytes(c.index))

    def add_table(self, c, table, records, blocks):
        nodes = []      # the references of the last node of each height
        for number, (data, key) in enumerate(blocks):
            data = self.hook(table + ' block', data, number=number, c=c)
            packed = compress(data)
            packed = self.hook(table + ' packed', packed if len(packed) < len(data) else data, raw=data)
            self.add_reference(c, table, nodes, 0, self.put(c, table, packed, len(data), key))
        height = 0
        while height + 1 < len(nodes) or nodes and len(nodes[height]) > 1:
            self.add_reference(c, table, nodes, height + 1, self.put_node(c, table, nodes[height]))
            height += 1
        top = nodes[height][0] if nodes else bytes(64)
        c.tables[table] = self.hook('table', u(records, 8) + top, table=table, c=c)

    def add_reference(self, c, table, nodes, height, ref):
        """A node that is full goes into the index when there is one more for its height."""
        if height == len(nodes):
            nodes.append([])
        if len(nodes[height]) == 256:
            self.add_reference(c, table, nodes, height + 1, self.put_node(c, table, nodes[height]))
            nodes[height] = []
        nodes[height].append(ref)

    def put_node(self, c, table, refs):
        return self.put(c, table + ' node', b''.join(refs), 64 * len(refs), refs[0][16:32])

    def put(self, c, what, data, decoded, key):
        """Puts a block or a node into the index; returns the reference to it."""
        data = self.hook(what + ' stored', data)
        offset = len(c.index)
        c.index += data
        ref = u(offset, 8) + u(len(data), 4) + u(decoded, 4) + key.ljust(16, b'\0')[:16] + d(data)
        return self.hook(what + ' reference', ref)

    def entry_blocks(self, c):
        """The blocks of the entries with their keys, and the heap."""
        heap, blocks = bytearray(), []
        for e in c.entries:
            node = e.node
            e.kind, e.links = node.kind if e.of is e else 3, e.names
            e.linked = e.kind != 3 and e.names > 1
            e.sparse = e.kind == 0 and node.sparse
            e.bits = e.kind | e.sparse << 2 | e.linked << 3
            e.mode, e.time = meta(node, 'mode'), meta(node, 'time')
            if not c.full:
                e.time //= 86400
            e.nanoseconds, e.user, e.group = (meta(node, k) for k in ('nanoseconds', 'uid', 'gid'))
            if e.kind == 0:
                e.size = node.size if node.sparse else len(node.data)
                e.runs = len(node.runs) if node.sparse else 0
            elif e.kind == 1:
                e.size = len(node.children)
            elif e.kind == 2:
                e.size, e.target = len(node.target), len(heap)
                heap += node.target
            else:
                e.size = e.number - e.of.number
            e.attributes, xattrs = len(heap), meta(node, 'xattrs')
            if c.full and xattrs and e.kind != 3:
                heap += varint(len(xattrs)) + b''.join(
                    bytes([len(name)]) + name + varint(len(value)) + value
                    for name, value in self.hook('attributes', sorted(xattrs.items())))
            e.attributes_length = len(heap) - e.attributes
        before = SimpleNamespace(address=0, run=0, target=0, attributes=0, first=1)
        for i in range(0, len(c.entries), 128):
            block = self.hook('records', c.entries[i:i + 128], number=i // 128, c=c)
            blocks.append((self.entry_block(c, block, before), block[0].name))
        return blocks, self.hook('heap', bytes(heap))

    def entry_block(self, c, block, expect):
        """What is expected runs on from the block before."""
        dirs = [e for e in block if e.kind == 1]
        first = dirs[0].first if dirs else expect.first
        head = [block[0].parent, first, expect.address, expect.run, expect.target]
        if c.full:
            head.append(expect.attributes)
        expect.first = dirs[-1].first + dirs[-1].size if dirs else first
        head = self.hook('entries head', head)
        columns = [b''.join(map(varint, head)), bytes(e.bits for e in block)]
        parents = [block[0].parent] + [e.parent for e in block]
        columns += [varint(b - a) for a, b in zip(parents, parents[1:])]
        shared = [0]
        for a, b in zip(block, block[1:]):
            shared.append(len(os.path.commonprefix([a.name, b.name])))
        columns += [bytes(shared), bytes(len(e.name) - n for e, n in zip(block, shared))]
        columns += [e.name[n:] for e, n in zip(block, shared)]
        first_names = [e for e in block if e.kind != 3]
        columns += [varint(e.mode) for e in first_names]
        times = [0] + [e.time for e in first_names]
        columns += [zigzag(b - a) for a, b in zip(times, times[1:])]
        columns += [varint(e.size) for e in block]
        columns += [varint(e.links) for e in block if e.linked]
        for e in block:
            if e.sparse:
                columns.append(varint(e.runs))
                if e.runs:
                    columns.append(zigzag(e.first_run - expect.run))
                    expect.run = e.first_run + e.runs
            elif e.kind == 0 and e.size:
                columns.append(zigzag(e.address - expect.address))
                expect.address = e.address + e.size
            elif e.kind == 2:
                columns.append(zigzag(e.target - expect.target))
                expect.target = e.target + e.size
        if c.full:
            for column in 'nanoseconds', 'user', 'group':
                columns += [varint(getattr(e, column)) for e in first_names]
            for e in first_names:
                columns.append(varint(e.attributes_length))
                if e.attributes_length:
                    columns.append(zigzag(e.attributes - expect.attributes))
                    expect.attributes = e.attributes + e.attributes_length
        return b''.join(columns)

    def segment_blocks(self, c):
        blocks = []
        for i in range(0, len(c.segments), 512):
            block = self.hook('segments', c.segments[i:i + 512], number=i // 512, c=c)
            head = u(block[0].address, 8) + u(block[0].offset, 8)
            data = head + u(block[0].leaf, 8) + bytes(s.frame for s in block)
            data += b''.join(varint(s.length) for s in block)
            data += b''.join(varint(s.stored) for s in block if s.frame)
            blocks.append((data, head))
        return blocks

    # Root

    def build_content_part(self, c):
        def text(value, room):
            return (bytes([len(value.encode())]) + value.encode()).ljust(room, b'\0')

        key_id, seed = c.publisher or (bytes(8), None)
        public, secret = nacl.bindings.crypto_sign_seed_keypair(seed) if seed else (bytes(32), None)
        part = bytes([1, c.signed + 2 * c.full]) + bytes(6)
        part += u(len(c.content), 8) + u(c.plain_length, 8) + u(len(c.index), 8) + u(len(c.leaves), 8)
        part += u(c.edition, 8) + text(c.series, 64) + text(c.label, 256) + key_id + public
        part += b''.join(c.tables[table] for table in TABLES) + bytes(256)
        c.content_part = self.hook('content part', part)
        assert len(c.content_part) == 1024
        c.signature = bytes(64)
        if seed:
            message = b'satchel root 1\0' + hashlib.blake2b(c.content_part).digest()
            c.signature = nacl.bindings.crypto_sign(message, secret)[:64]
        c.signature = self.hook('signature', c.signature)

    # Volumes

    def lay_out_volume(self, number):
        """Streams, slices and places of every compartment in a volume."""
        volume = SimpleNamespace(number=number, parts=[], name=self.volume_name(number))
        for c in self.compartments:
            part = SimpleNamespace(c=c)
            begin, end = (c.begins + [len(c.content)])[number:][:2]
            blocks = []
            if c.signed and begin < end:
                blocks = list(range(self.leaf_of(c, begin) // 512, self.leaf_of(c, end - 1) // 512 + 1))
            blocks = self.hook('leaf blocks', blocks)
            part.leaf_blocks = blocks[:1] or [0], len(blocks)
            part.stream = (c.content[begin:end] + b''.join(c.leaf_blocks[b] for b in blocks) + c.index)
            part.stream = self.hook('stream', part.stream, range=end - begin)
            if c.front:
                leaves = b''.join(c.leaf_blocks[b] for b in blocks)
                part.stream = self.hook('front', c.index + leaves) + part.stream
            part.length = len(part.stream)
            part.there = -(-part.length // PAYLOAD)
            part.d = max(part.there, c.claims.get(number, 0))
            part.stream = part.stream.ljust(part.there * PAYLOAD, b'\0')
            part.stream = self.hook('padded', part.stream, length=part.length)
            part.shape = self.bands(c.m, part.d)
            part.sealed = part.d + sum(len(band.parity) for band in part.shape)
            volume.parts.append(part)
        size = 1
        while True:
            for part in volume.parts:
                part.k = max(3, -(-(part.sealed + 3) // size)) + part.c.spare
            slices = sum(part.k for part in volume.parts) + self.free // size
            pages = slices * size + (size - 1)
            if slices <= 8192:
                break
            size *= 2
        volume.size, volume.slices, volume.pages = size, slices, pages
        volume.length = 2 * PAGE + pages * PAGE + self.tail
        assert pages // size == slices and (size == 1 or pages // (size // 2) > 8192)
        free = range(slices)
        random = Random(f'{self.name} slices {number}')
        for part in volume.parts:
            part.slices = random.subset(part.k, free)
            free = [q for q in free if q not in part.slices]
        self.hook('deal', volume.parts, volume=volume)
        for part in volume.parts:
            places = (q * size + i for q in part.slices for i in range(size))
            middle = part.slices[part.k // 2] * size
            part.roots = [part.slices[0] * size, middle, part.slices[-1] * size + size - 1]
            assert part.k * size - 3 >= part.sealed
            # Of what is only claimed, none is written.
            part.places = list(itertools.islice((p for p in places if p not in part.roots),
                                                part.there if part.there < part.d else part.sealed))
        return volume

    def bands(self, m, pages):
        """For each band its data pages, and for each parity page (column, number)."""
        if m == 0:
            return []
        bands = 1
        while bands * 64 * min(1024, 4096 // m) < pages:
            bands += 1
        columns = 1
        while columns * 64 * bands < pages:
            columns += 1
        shape = []
        for first in range(0, pages, 64 * columns):
            data = range(first, min(first + 64 * columns, pages))
            parity, column = [], len(data) % columns
            for i in range(m * columns):
                parity.append((column, i // columns))
                column = (column + 1) % columns
            shape.append(SimpleNamespace(data=data, columns=columns, parity=parity))
        assert len(shape) == bands
        return shape

    def payloads(self, part):
        """The payloads of the logical pages, in order."""
        def data(i):
            return part.stream[i * PAYLOAD:(i + 1) * PAYLOAD]

        if not part.shape:
            yield from map(data, range(part.there))
        for band in part.shape:
            yield from map(data, band.data)
            for column, q in band.parity:
                total = 0
                for j, i in enumerate(band.data[column::band.columns]):
                    total ^= int.from_bytes(scale(gf_inverse((64 + q) ^ j), data(i)), 'little')
                yield total.to_bytes(PAYLOAD, 'little')

    def root_payload(self, volume, part):
        c = part.c
        bits = sum(1 << q for q in part.slices)
        root = c.content_part + c.signature + u(part.k, 2) + bytes([c.front]) + bytes(5)
        root += u(part.leaf_blocks[0][0], 8) + u(part.leaf_blocks[1], 8) + u(bits, 1024)
        root += b''.join(u(begin, 8) for begin in c.begins)
        return self.hook('root', root.ljust(PAYLOAD, b'\0'), volume=volume, part=part)

    def header(self, volume, which):
        random = Random(f'{self.name} header {volume.number} {which}')
        salt, scalar, e = random.bytes(16), None, random.bytes(32)
        if any(key.identity for c in self.compartments for key in c.keys):
            scalar, e = hidden_key(random)
        slots = [random.bytes(128) for _ in range(32)]
        order = list(range(32))
        for part in volume.parts:
            c = part.c
            contents = bytes([1, c.m]) + u(volume.number, 2) + u(self.volumes, 2) + bytes(2)
            contents += u(volume.length, 8) + u(part.d, 4) + b''.join(u(p, 4) for p in part.roots)
            contents = self.hook('slot', contents + c.ck + bytes(32), volume=volume, part=part)
            keks = [key.kek(salt + e, scalar) for key in c.keys]
            if self.volumes > 1:
                keks.append(kek(8, salt + e, c.ck))
            for key in keks:
                n = order.pop(random.below(len(order)))
                n = self.hook('slot number', n, used=len(slots) - 1 - len(order))
                body = xchacha20(derive(key, b'satchel slot encryption 1'), bytes([n]) + bytes(23), contents)
                slots[n] = body + hashlib.blake2b(salt + e + bytes([n]) + body, digest_size=32,
                                                  key=derive(key, b'satchel slot tag 1')).digest()
        header = salt + e + b''.join(slots)
        return header + random.bytes(PAGE - len(header))

    def volume_name(self, number):
        return self.name + ('.bundle' if self.volumes == 1 else f'.{number + 1}.bundle')

    def write(self, directory):
        """Writes all volumes; returns how they are laid out."""
        volumes = [self.lay_out_volume(number) for number in range(self.volumes)]
        for volume in volumes:
            pages = {}
            with open(os.path.join(directory, volume.name), 'wb') as out:
                def seal(place, payload, number, domain, key):
                    nonce = u(number, 8) + u(domain, 4)
                    page = nacl.bindings.crypto_aead_chacha20poly1305_ietf_encrypt(
                        payload, None, nonce, key)
                    out.seek(PAGE * (place + 1))
                    out.write(self.hook('page', page, number=number, domain=domain))
                    pages[place] = True

                for part in volume.parts:
                    key = derive(part.c.ck, b'satchel page key 1', u(volume.number, 2))
                    for t, payload in enumerate(self.payloads(part)):
                        seal(part.places[t], payload, t, 0, key)
                    for copy, place in enumerate(part.roots[:1] if part.there < part.d else part.roots):
                        seal(place, self.root_payload(volume, part), copy, 2, key)
                random = Random(f'{self.name} filler {volume.number}')
                for place in () if self.holes else range(volume.pages):
                    if place not in pages:
                        out.seek(PAGE * (place + 1))
                        out.write(random.bytes(PAGE))
                if all(part.there == part.d for part in volume.parts):
                    out.seek(PAGE * (volume.pages + 1))
                    out.write(random.bytes(self.tail))
                    out.write(self.header(volume, 'B'))
                out.seek(0)
                out.write(self.header(volume, 'A'))
        return volumes


# Secrets

IDENTITIES = {name: Random(name).bytes(32) for name in ('first.identity', 'second.identity')}

SECRETS = {
    'one.passphrase': b'correct horse battery staple\n',
    'two.passphrase': b'an apple, a pear and a plum',
    'standard.passphrase': b'seven slow snails\n',
    'korean.passphrase': '\ubcf4\ub530\ub9ac \uafb8\ub7ec\ubbf8'.encode(),
    # The same, as some keyboards and files have it: decomposed.
    'korean-nfd.passphrase': '\u1107\u1169\u1104\u1161\u1105\u1175 \u1101\u116e\u1105\u1165'
                             '\u1106\u1175\n'.encode(),
    # All six characters that are taken away stand at both ends.
    'korean-untrimmed.passphrase': '\u3000\t\u00a0\r\n \ubcf4\ub530\ub9ac \uafb8\ub7ec\ubbf8 \r\t'
                                   '\u00a0\u3000\n'.encode(),
    'longest.passphrase': b'long ' * 204 + b'long',
    'wrong.passphrase': b'correct horse battery stable\n',
    'a.keyfile': Random('a.keyfile').bytes(16),
    'b.keyfile': Random('b.keyfile').bytes(3000),
    **{name: b'# made for tests\n' + bech32_text(key, 'age-secret-key-').upper().encode() + b'\n'
       for name, key in IDENTITIES.items()}}
SECRETS['both.identities'] = SECRETS['second.identity'] + b'\n' + SECRETS['first.identity']

PUBLISHER = Random('key id').bytes(8), Random('publisher').bytes(32)
STRANGER = Random('another id').bytes(8), Random('another publisher').bytes(32)


def minisign(publisher):
    public = nacl.bindings.crypto_sign_seed_keypair(publisher[1])[0]
    return base64.b64encode(b'Ed' + publisher[0] + public).decode()


# Trees

def noise(name, length):
    return Random(name).bytes(length)


def prose(name, length):
    """Text that compresses."""
    out = b''
    for i in range(length):
        if len(out) >= length:
            break
        out += b'%s, line %d: the kettle is on and the rain has stopped.\n' % (name.encode(), i)
    return out[:length]


def plain_tree():
    letter = prose('letter', 700)
    return directory({
        b'empty': file(mode=0),
        b'letters': directory({
            b'copy of first.txt': file(letter, time=-1),
            b'first.txt': file(letter, time=0, mode=0o400),
            b'second.txt': file(prose('second', 3000), time=-86400 * 3, mode=0o555)}),
        b'nothing': directory(time=86400 * 40000),
        b'picture.jpg': file(noise('picture', 3000), time=1 << 33)}, mode=0o500)


def mixed_plan(plain):
    """Segments that end in the middle of files, and files in the middle of segments."""
    frame = plain[500:-900]
    assert len(compress(frame)) < len(frame)
    return [('extent', 1), ('extent', 499), ('frame', len(frame)), ('extent', 900)]


def small_tree(name):
    return directory({name.encode(): file(name.encode() + b'\n'),
                      b'notes.txt': file(prose(name, 400))})


def name_tree():
    nfc, nfd = '\ud55c\uae00'.encode(), '\u1112\u1161\u11ab\u1100\u1173\u11af'.encode()
    names = [b'a', b'a\x01', b'a b', b'ab', b'abc', b'...', b'.hidden', b'line\nfeed', b'-', b'\x7f',
             b'\xff', b'\x80\xfe broken', b'half \xed\x95', nfc, nfd, 'caf\u00e9'.encode(),
             b'cafe\xcc\x81', b'x' * 255, b'x' * 254, b'x' * 254 + b'y', nfc * 42 + b'123', b'con', b'a:b\\c',
             '\u202etxt.exe'.encode(), ' '.encode(), b'\t']
    tree = {name: file(name) for name in names}
    tree[b'z' * 255] = directory({b'z' * 255: directory({b'z' * 255: file(b'deep')})})
    tree[b'x'] = directory({b'a': file(b'1'), b'aa': file(b'2'), b'b': directory({b'a': file(b'3')})})
    return directory(tree)


def link_tree():
    several, lonely = file(prose('several', 500), time=86400 * 365), symlink(b'several')
    nothing = file()
    return directory({
        b'absolute': symlink(b'/etc/hostname', time=-86400),
        b'above': symlink(b'../../../..'),
        b'again': several,
        b'dangling': symlink(b'there is no such file'),
        b'empty': nothing,
        b'empty too': nothing,
        b'loop': symlink(b'loop'),
        b'loop a': symlink(b'loop b'),
        b'loop b': symlink(b'loop a'),
        b'several': several,
        b'to directory': symlink(b'under'),
        b'broken \xff': symlink(b'broken \xff'),
        b'one': lonely,
        b'under': directory({b'deeper': directory({b'several': several, b'two': lonely}),
                             b'long': symlink(b'l' * 4095), b'several': several}),
        b'zero mode': file(b'zero mode', mode=0)})


def sparse_tree():
    part = noise('part', 300)
    several = sparse(9000, (0, part), (8999, b'!'))
    return directory({
        b'dense': sparse(600, (0, part), (300, noise('rest', 300))),
        b'end': sparse(1 << 20, ((1 << 20) - 300, part)),
        b'front': sparse(100000, (0, part)),
        b'hole': sparse(5 << 20),
        b'middle': sparse(70000, (65535, b'ab'), (65600, prose('middle', 400))),
        b'no bytes': sparse(0),
        b'not sparse': file(part),
        b'overlap': file(part + noise('rest', 300)),
        b'several': several,
        b'several too': several,
        b'touching': sparse(900, (10, b'one'), (13, b'two'), (17, b'three'))})


def crowded_tree():
    """More than one block of entries, segments, runs and heap."""
    files = {b'file %04d' % i: file(b'%d' % i, time=1700000000 + 86400 * (i % 7)) for i in range(260)}
    links = {b'link %02d' % i: symlink(b'%04d ' % i * 800) for i in range(9)}
    folders = {b'folder %02d' % i: directory({b'in %d' % i: file(b'x%d' % i)} if i % 3 else {})
               for i in range(20)}
    comb = sparse(9000, *((8 * i, b'%04d' % i) for i in range(1100)))
    return directory({**files, **links, **folders, b'comb': comb})


def crumbs_plan(plain):
    """So many segments that their table has two blocks, the last of one segment."""
    return [('extent', 1)] * 512 + [('extent', len(plain) - 512)]


def rich_tree():
    """What full metadata can say."""
    several = file(prose('several', 3000), mode=0o4711, nanoseconds=999999999, uid=(1 << 32) - 1,
                   gid=(1 << 32) - 1, xattrs={b'user.one': b'', b'user.two': noise('two', 40)})
    return directory({
        b'acl': file(b'acl', xattrs={b'system.posix_acl_access': noise('acl', 44), b'user.\xff': b'?'}),
        b'before': file(b'before', time=-(1 << 55), nanoseconds=1),
        b'after': file(b'after', time=1 << 55, mode=0o7777),
        b'large': file(b'large', xattrs={b'user.' + b'n' * 250: prose('large', 65536),
                                         b'user.small': b'small', b'user.a': prose('a', 30000)}),
        b'link': symlink(b'several', uid=1000, gid=100, nanoseconds=5, xattrs={b'trusted.x': b'1'}),
        b'long link': symlink(b'over the edge of a block ' * 100),
        b'several': several,
        b'several too': several,
        b'sparse': sparse(100000, (50000, prose('sparse', 2000)), mode=0o600, uid=1),
        b'under': directory({b'file': file(noise('file', 100), mode=0o640)}, mode=0o3770, uid=7, gid=8,
                            xattrs={b'user.d': b'd'})}, mode=0o1755, nanoseconds=7)


def columns(length):
    """Files that fill so many bytes, and each end in a place of its own."""
    tree, at = {}, 0
    while at < length:
        n = min(length - at, 30011)
        tree[b'part %06d' % at] = file(noise('column %d' % at, n))
        at += n
    return directory(tree)


# Bundles

def fitted(build):
    """The bundle whose stream ends exactly where a page ends."""
    n = 5000
    for _ in range(100):
        bundle = build(n)
        over = bundle.lay_out_volume(0).parts[0].length % PAYLOAD
        if not over:
            return bundle
        n += min(PAYLOAD - over, 8000)
    raise AssertionError('it never fits')


ONE, TWO, KEY_FILE = Key('one.passphrase'), Key('two.passphrase'), Key(None, 'a.keyfile')


def single(name, tree, *keys, free=0, tail=777, hooks=None, holes=False, **words):
    return Bundle(name, Compartment(tree, *(keys or [ONE]), **words), free=free, tail=tail, hooks=hooks,
                  holes=holes)


def every_key():
    keys = [Key('standard.passphrase', standard=True), Key(None, 'a.keyfile'),
            Key('one.passphrase', 'a.keyfile'), Key(None, None, 'first.identity'),
            Key('one.passphrase', None, 'first.identity'), Key(None, 'b.keyfile', 'second.identity'),
            Key('longest.passphrase', 'a.keyfile', 'second.identity')]
    return fitted(lambda n: single('every-key', directory({
        b'filler': file(noise('filler', n)), b'open': file(b'it is open\n')}), *keys, tail=0,
        label='every key', plan=lambda plain: [('extent', len(plain))]))


def two_compartments():
    return Bundle('two-compartments',
                  Compartment(small_tree('first'), ONE, label='the first'),
                  Compartment(small_tree('second'), TWO, publisher=PUBLISHER, edition=3), free=0)


def three_compartments():
    return Bundle('three-compartments',
                  Compartment(small_tree('first'), ONE),
                  Compartment(small_tree('second'), Key('one.passphrase', 'b.keyfile'), spare=1),
                  Compartment(small_tree('third'), Key(None, None, 'first.identity'), full=True), free=0,
                  tail=16383)


def parity(m, hooks=None):
    if m < 8:
        # The index and the last files lie in data page 1, the first in page 0.
        tree = directory({b'a': file(noise('a', PAYLOAD)), b'b': file(noise('b', 900)),
                          b'c': file(prose('c', 900))})
        return single(f'parity-{m}', tree, m=m, plan=lambda plain: [
            ('extent', PAYLOAD + 900), ('frame', 900)], hooks=hooks)
    return single(f'parity-{m}', small_tree('parity'), m=m, hooks=hooks)


def three_volumes():
    """A file for each volume, and a dense and a sparse one across all."""
    first, second, third = (noise(name, 2000) for name in ('1', '2', '3'))
    tree = directory({b'1': file(first), b'2': file(second), b'3': file(third), b'empty': file(),
                      b'link': symlink(b'1'),
                      b'all': sparse(9000, (0, third), (3000, first), (6000, second))})
    return Bundle('volumes-3', Compartment(
        tree, Key('one.passphrase', 'a.keyfile'), Key(None, None, 'first.identity'), series='volumes',
        edition=1, cuts=[(1, 0), (2, 0)],
        plan=[('extent', 2000)] * 3), volumes=3, free=0, tail=100)


def three_signed_volumes():
    """The second volume has nothing of the content."""
    tree = directory({b'frame': file(prose('frame', 3000)), b'noise': file(noise('noise', 4000)),
                      b'over': file(noise('over', 1000) + prose('over', 2000))})
    return Bundle('volumes-3-signed', Compartment(
        tree, ONE, publisher=PUBLISHER, series='volumes', cuts=[(1, 0), (1, 0)],
        plan=[('frame', 3000), ('extent', 4000), ('extent', 1000), ('frame', 2000)]),
        volumes=3, free=0, tail=0)


def cut_extents(signed):
    """An extent over three volumes, a frame at each end; two compartments, so siblings of both."""
    tree = directory({b'before': file(prose('before', 2000)), b'long': file(noise('long', 200000)),
                      b'inner': file(noise('long', 200000)[70000:71000]),
                      b'after': file(prose('after', 300000))})
    plan = [('frame', 262144), ('frame', 37856), ('frame', 2000), ('extent', 201000)]
    return Bundle('cut-extents' + '-signed' * signed,
                  Compartment(tree, ONE, publisher=PUBLISHER if signed else None, m=2, plan=plan,
                              cuts=[(3, LEAF), (3, 2 * LEAF), (3, 3 * LEAF)]),
                  Compartment(small_tree('other'), TWO, cuts=[(0, 0), (1, 0), (1, 0)],
                              plan=lambda plain: [('extent', 6), ('frame', len(plain) - 6)], full=True),
                  volumes=4, free=3)


def deep():
    """The longest path there may be."""
    tree = file(b'the bottom')
    for i in range(64):
        tree = directory({bytes([97 + i % 26]) * 255: tree})
    return single('deep', tree)


def wide():
    """A tree of two levels over the entries."""
    return single('wide', directory({
        b'%d' % i: directory({b'%d' % j: file(b'%d' % (i * j % 10)) for j in range(200)})
        for i in range(165)}))


def index_in_front():
    """The first page and the last are of a copy of the index alone."""
    names = (base64.urlsafe_b64encode(noise('name %d' % i, 192))[:255] for i in range(100))
    return single('index-in-front', directory({name: file(noise('of %d' % i, 200))
                                               for i, name in enumerate(names)}), front=True,
                  plan=lambda plain: [('extent', len(plain))])


def index_in_front_signed():
    """Two leaf blocks lie between the content and the index."""
    tree = directory({b'crumbs': file(noise('crumbs', 600)), b'frame': file(prose('frame', 5000))})
    return single('index-in-front-signed', tree, publisher=PUBLISHER, m=2, front=True,
                  plan=[('extent', 1)] * 600 + [('frame', 5000)])


def leaves():
    """Trees of two levels over the segments, two blocks of leaf sums."""
    n = 512 * 512 + 1
    return single('leaves', directory({b'all': file(prose('leaves', n))}), publisher=PUBLISHER,
                  plan=[('extent', 1)] * n)


BUNDLES = {
    'passphrase-low': lambda: single('passphrase-low', plain_tree(), free=1, plan=mixed_plan,
                                     label='a label with \u00fcml\u00e4uts', series='s' * 63,
                                     edition=(1 << 64) - 1),
    'every-key': every_key,
    'two-compartments': two_compartments,
    'three-compartments': three_compartments,
    'parity-2': lambda: parity(2),
    'parity-4': lambda: parity(4),
    'parity-8': lambda: parity(8),
    'parity-16': lambda: parity(16),
    'signed': lambda: single('signed', directory({b'crumbs': file(noise('crumbs', 513)),
                                                  b'frame': file(prose('frame', 5000))}),
                             publisher=PUBLISHER, label='l' * 255, edition=1,
                             plan=[('extent', 1)] * 511 + [('extent', 2), ('frame', 5000)]),
    'signed-full-metadata': lambda: single('signed-full-metadata', rich_tree(), publisher=PUBLISHER,
                                           full=True),
    'volumes-3': three_volumes,
    'volumes-3-signed': three_signed_volumes,
    'names': lambda: single('names', name_tree()),
    'links': lambda: single('links', link_tree()),
    'sparse': lambda: single('sparse', sparse_tree()),
    'empty': lambda: single('empty', directory(time=0), tail=0),
    'many-entries': lambda: single('many-entries', crowded_tree(), plan=crumbs_plan),
    # Signed, and no leaves: there is nothing but names.
    'nfc-passphrase': lambda: single('nfc-passphrase', directory({
        b'empty': file(), b'folder': directory({b'empty': file()}), b'hole': sparse(1000)}),
        Key('korean.passphrase'), publisher=PUBLISHER),
    'index-in-front': index_in_front,
    'index-in-front-signed': index_in_front_signed,
    # From here on too large to be kept.
    'two-pages': lambda: single('two-pages', columns(120000), m=4, free=8200, holes=True, spare=1),
    'one-page': lambda: single('one-page', columns(120000), m=4, free=8200 - 21, holes=True),
    'columns': lambda: single('columns', columns(150 * PAYLOAD - 9000), m=4, free=40),
    'cut-extents': lambda: cut_extents(False),
    'cut-extents-signed': lambda: cut_extents(True),
    'deep': deep,
    'wide': wide,
    'leaves': leaves,
    'bands': lambda: single('bands', columns(16384 * PAYLOAD + 1), m=16)}


# Cases

class Case:
    """How a bundle is opened and damaged, and what is then expected of it."""

    def __init__(self, bundle, key=ONE, compartment=0, status=0, files=None, damage=None, options=(),
                 errors=None, golden=True):
        self.bundle, self.key, self.compartment, self.status = bundle, key, compartment, status
        self.files, self.damage, self.options, self.errors = files, damage, list(options), errors
        self.golden = golden


def lose(part_page=(), roots=(), volume=0):
    """Damage: these logical pages and copies of the root."""
    def lines(volumes):
        v = volumes[volume]
        places = [v.parts[0].places[t] for t in part_page] + [v.parts[0].roots[copy] for copy in roots]
        return [f'flip {v.name} {PAGE * (place + 1) + 15000} 500' for place in places]
    return lines


def lose_header(which, append=0):
    def lines(volumes):
        v = volumes[0]
        out = [f'flip {v.name} {0 if which == "A" else v.length - PAGE} {PAGE}']
        return out + ([f'append {v.name} {append}'] if append else [])
    return lines


def cut_parity(volumes):
    """Off with header B, the last root and, in the middle of it, the page before."""
    v = volumes[0]
    return [f'cut {v.name} {PAGE * (v.parts[0].places[v.parts[0].sealed - 1] + 1) + 5000}']


CASES = {name: Case(name) for name in BUNDLES}
del CASES['every-key']
CASES.update({
    'passphrase-standard': Case('every-key', Key('standard.passphrase')),
    'keyfile': Case('every-key', Key(None, 'a.keyfile')),
    'passphrase+keyfile': Case('every-key', Key('one.passphrase', 'a.keyfile')),
    'publickey': Case('every-key', Key(None, None, 'first.identity')),
    'publickey-second-line': Case('every-key', Key(None, None, 'both.identities')),
    'passphrase+publickey': Case('every-key', Key('one.passphrase', None, 'first.identity')),
    'keyfile+publickey': Case('every-key', Key(None, 'b.keyfile', 'second.identity')),
    'passphrase+keyfile+publickey': Case('every-key', Key('longest.passphrase', 'a.keyfile',
                                                              'second.identity')),
    'keyfile-alone-of-two': Case('every-key', Key(None, 'b.keyfile'), status=12),
    'wrong-passphrase': Case('passphrase-low', Key('wrong.passphrase'), status=12),
    'two-compartments': Case('two-compartments'),
    'two-compartments.second': Case('two-compartments', TWO, 1, options=['publisher ' + minisign(PUBLISHER)]),
    'three-compartments.second': Case('three-compartments', Key('one.passphrase', 'b.keyfile'), 1),
    'three-compartments.third': Case('three-compartments', Key(None, None, 'first.identity'), 2),
    'parity-4-damaged': Case('parity-4', status=5, damage=lose([0, 1, 3, 5])),
    'parity-4-parity-lost': Case('parity-4', damage=lose([2, 3, 4, 5])),
    'parity-16-damaged': Case('parity-16', status=5, damage=lose([*range(15), 16])),
    'parity-2-too-much': Case('parity-2', status=4, damage=lose([0, 2, 3]), errors={b'a': 'damaged'}),
    'no-parity-page-lost': Case('signed', status=4, damage=lose([0]),
                                errors={b'crumbs': 'damaged', b'frame': 'damaged'}),
    'header-a-lost': Case('passphrase-low', status=5, damage=lose_header('A')),
    'header-b-lost': Case('passphrase-low', damage=lose_header('B')),
    'header-a-lost-publickey': Case('every-key', Key(None, None, 'first.identity'), status=5,
                                    damage=lose_header('A')),
    'header-a-lost-appended': Case('every-key', Key(None, 'a.keyfile'), status=12,
                                   damage=lose_header('A', 31)),
    'header-a-lost-length-given': Case('every-key', Key(None, 'a.keyfile'), status=5,
                                       damage=lose_header('A', 31), options=['length']),
    'root-0-1-lost': Case('passphrase-low', status=5, damage=lose(roots=[0, 1])),
    'roots-lost': Case('passphrase-low', status=10, damage=lose(roots=[0, 1, 2])),
    'appended-31-bytes': Case('passphrase-low', damage=lambda volumes: [f'append {volumes[0].name} 31']),
    'truncated-repairable': Case('parity-4', status=5, damage=cut_parity),
    'truncated-to-nothing': Case('every-key', Key(None, 'a.keyfile'), status=12,
                                 damage=lambda volumes: [f'cut {volumes[0].name} 0']),
    'volumes-3': Case('volumes-3', Key('one.passphrase', 'a.keyfile'), files=[1, 0, 2]),
    'volumes-3-second-missing': Case('volumes-3', Key(None, None, 'first.identity'), status=4, files=[2, 0],
                                     errors={b'2': 'damaged', b'all': 'damaged'}),
    'volumes-3-header-lost': Case('volumes-3', Key('one.passphrase', 'a.keyfile'), status=5,
                                  damage=lose_header('A')),
    'volumes-3-signed-last-missing': Case('volumes-3-signed', status=4, files=[0, 1],
                                          errors={b'noise': 'damaged', b'over': 'damaged'}),
    'index-in-front-first-lost': Case('index-in-front', damage=lose([0])),
    'index-in-front-last-lost': Case('index-in-front', status=5, damage=lose([3])),
    'index-in-front-signed-repaired': Case('index-in-front-signed', status=5, damage=lose([0, 1])),
    'volumes-3-signed-empty-one-missing': Case('volumes-3-signed', status=0, files=[2, 0]),
    'nfc-passphrase': Case('nfc-passphrase', Key('korean-nfd.passphrase')),
    'trimmed-passphrase': Case('nfc-passphrase', Key('korean-untrimmed.passphrase')),
    'signed-publisher': Case('signed', options=['publisher ' + minisign(PUBLISHER)]),
    'signed-other-publisher': Case('signed', status=10, options=['publisher ' + minisign(STRANGER)]),
    # With several keys that fit, what wants them all is meant.
    'three-compartments.several-fit': Case('three-compartments',
                                           Key('one.passphrase', None, 'first.identity'), 2),
    'columns-12-lost': Case('columns', status=5, damage=lose(range(145, 157))),
    'columns-scattered': Case('columns', status=5, damage=lose(
        [0, 3, 6, 147, 1, 152, 154, 157, 50, 20, 149, 151])),
    'cut-extents-other': Case('cut-extents', TWO, 1, files=[3, 1, 0, 2]),
    'cut-extents-third-missing': Case('cut-extents', status=4, files=[3, 1, 0], errors={b'long': 'damaged'}),
    'cut-extents-signed-third-missing': Case('cut-extents-signed', status=4, files=[1, 3, 0],
                                             errors={b'long': 'damaged'})})
LARGE = ('two-pages', 'one-page', 'columns', 'cut-extents', 'cut-extents-signed', 'deep', 'wide',
         'leaves', 'bands')
for case in CASES.values():
    case.golden = case.bundle not in LARGE


# Flaws

def patch(at, new):
    """Puts these bytes there; from the end if at is negative."""
    def change(data, _):
        start = at % len(data)
        return data[:start] + new + data[start + len(new):]
    return change


def change(wanted, /, **values):
    """Gives the entry of this name other values."""
    def edit(block, _):
        for e in block:
            if e.name == wanted:
                e.__dict__.update(values)
    return edit


def first_segment(**values):
    def edit(block, _):
        block[0].__dict__.update(values)
    return edit


def flip(at):
    return lambda data, _: data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def flaw_tree():
    several = file(prose('several', 500))
    return directory({
        b'a': several,
        b'b': directory({b'in': file(b'inside'), b'link': symlink(b'../a')}),
        b'c': several,
        b's': sparse(1000, (10, noise('r', 10)), (100, noise('s', 10)), (990, noise('t', 10))),
        b'z': file(noise('z', 100), xattrs={b'user.a': b'1', b'user.b': b'2'})})


def flawed(base, hooks):
    plan = [('frame', 500), ('extent', 136)]
    words = {'signed': {'publisher': PUBLISHER}, 'full': {'full': True}, 'front': {'front': True}}.get(base, {})
    if base == 'many':
        return single('flaw', crowded_tree(), hooks=hooks, plan=crumbs_plan)
    if base == 'heap':
        hooks = {'heap': heap_of_nodes, 'records': change(b'link', target=512 * 32768),
                 'page': damage_lost, **hooks}
    cuts = {'volumes': (1, 0), 'cut-frame': (0, 20), 'cut-extent': (1, 20)}
    if base in cuts:
        return Bundle('flaw', Compartment(flaw_tree(), Key(None, 'a.keyfile'), plan=plan, cuts=[cuts[base]]),
                      volumes=2, free=0, hooks=hooks)
    return single('flaw', flaw_tree(), Key(None, 'a.keyfile'), plan=plan, hooks=hooks, **words)


def two_frames(_, about):
    half = len(about.plain) // 2
    return compress(about.plain[:half]) + compress(about.plain[half:])


def sizeless(_, about):
    return zstandard.ZstdCompressor(write_content_size=False).compress(about.plain)


def summed(_, about):
    return zstandard.ZstdCompressor(write_checksum=True).compress(about.plain)


def longer(_, about):
    return compress(about.plain + b'?')


def skippable(_, about):
    return b'\x50\x2a\x4d\x18' + u(4, 4) + b'skip' + compress(about.plain)


def packed(function):
    """The same for a block of entries."""
    return lambda _, about: function(None, SimpleNamespace(plain=about.raw))


def swap_roots(contents, _):
    return contents[:24] + contents[28:32] + contents[24:28] + contents[32:]


def one_more_slice(payload, about):
    k = u(about.part.k + 1, 2)
    return payload[:1088] + k + payload[1090:2135] + b'\x80' + payload[2136:]


def wrong_count(payload, about):
    return payload[:1088] + u(about.part.k + 1, 2) + payload[1090:]


def unordered(pairs):
    return lambda _, about: pairs


def trailing(data, _):
    return data + b'\0'


def longer_varint(head, _):
    # Still a varint of the same value, in one byte more than it needs.
    return head[:1] + b'\x81\0' + head[2:] if head[1] == 1 else head


def without_link(data, _):
    return data.replace(b'../a', b'..\0a')


def stray(data, _):
    return data + noise('stray', 50)


def swap_keys(ref, _):
    return ref[:16] + bytes(b ^ 1 for b in ref[16:32]) + ref[32:]


def number_at(at, add, length=8):
    def change(data, _):
        value = int.from_bytes(data[at:at + length], 'little') + add
        return data[:at] + u(value, length) + data[at + length:]
    return change


def lose_from(c, begin, more=0):
    """From there to the end of the index, and so much more, all whole pages are damaged."""
    begin, end = len(c.content) + begin, len(c.content) + len(c.index) + more
    c.lost = getattr(c, 'lost', set()).union(range((begin - 1) // PAYLOAD + 1, end // PAYLOAD))


def damage_lost(page, about):
    lost = getattr(about.bundle.compartments[0], 'lost', ())
    return flip(0)(page, about) if about.domain == 0 and about.number in lost else page


def of_full_node(function):
    """For a node with all references it can have: what they are instead."""
    def change(data, about):
        refs = [data[i:i + 64] for i in range(0, len(data), 64)]
        return b''.join(function(refs, about)) if len(refs) == 256 else data
    return change


def heap_of_nodes(data, _):
    """Three nodes that are full, and one of one block; the link is in the first and the third."""
    return (data.ljust(512 * 32768, b'\0') + data).ljust(768 * 32768 + 1, b'\0')


def descend(refs, _):
    return refs[:5] + [refs[6], refs[5]] + refs[7:]


def last_behind(refs, about):
    # Next there will be a block that is the same, down to the digest.
    behind = len(about.bundle.compartments[0].index) + 64 * len(refs)
    return refs[:-1] + [u(behind, 8) + refs[-1][8:]]


def first_again(refs, about):
    """What the first node leads to the third one does, too; the second is lost."""
    c = about.bundle.compartments[0]
    c.nodes = getattr(c, 'nodes', []) + [refs]
    if len(c.nodes) == 2:
        begin = len(c.index)
        c.index += bytes(PAYLOAD)
        lose_from(c, begin, 64 * len(refs))
    return c.nodes[0] if len(c.nodes) == 3 else refs


def in_content(function):
    return lambda data, about: function(data[:about.range], about) + data[about.range:]


# Name: (base, point, what is done there, what the reader says of it, status).
# "fine" is odd and allowed.
FLAWS = {
    'slot-version': ('', 'slot', patch(0, b'\2'), 'later version', 10),
    'slot-parity': ('', 'slot', patch(1, b'\3'), 'invalid', 10),
    'slot-volume': ('', 'slot', patch(2, b'\1'), 'invalid', 10),
    'slot-no-volumes': ('', 'slot', patch(4, b'\0'), 'invalid', 10),
    'slot-many-volumes': ('', 'slot', patch(4, u(1025, 2)), 'invalid', 10),
    'slot-zero': ('', 'slot', patch(7, b'\1'), 'invalid', 10),
    'slot-two-slices': ('', 'slot', patch(8, u(4 * PAGE, 8)), 'invalid', 10),
    'slot-too-long': ('', 'slot', patch(8, u((1 << 45) + 1, 8)), 'invalid', 10),
    'slot-no-data': ('', 'slot', patch(16, bytes(4)), 'invalid', 10),
    'slot-more-data': ('', 'slot', patch(16, u(2, 4)), 'invalid', 10),
    'slot-root-past-area': ('', 'slot', patch(28, b'\xff' * 4), 'invalid', 10),
    'slot-roots-swapped': ('', 'slot', swap_roots, 'invalid', 10),
    'slot-end': ('', 'slot', patch(95, b'\1'), 'invalid', 10),
    'root-count': ('', 'root', wrong_count, 'invalid', 10),
    'root-slice-past-area': ('', 'root', one_more_slice, 'invalid', 10),
    'root-zero': ('', 'root', patch(1092, b'\1'), 'invalid', 10),
    'root-index-in-front': ('', 'root', patch(1090, b'\2'), 'invalid', 10),
    'root-no-index-in-front': ('', 'root', patch(1090, b'\1'), 'invalid', 4),
    'root-an-index-in-front': ('front', 'root', patch(1090, b'\0'), 'invalid', 4),
    'root-end': ('', 'root', patch(-1, b'\1'), 'invalid', 10),
    'root-first-range': ('', 'root', patch(2136, b'\1'), 'invalid', 10),
    'root-range-past': ('volumes', 'root', patch(2144, u(1 << 40, 8)), 'invalid', 10),
    'ranges-descend': ('volumes', 'root', patch(2136, u(1, 8) + bytes(8)), 'invalid', 10),
    'range-ends-in-a-frame': ('cut-frame', '', None, 'invalid', 4),
    'range-ends-in-an-extent': ('cut-extent', '', None, 'invalid', 4),
    'root-leaf-blocks': ('signed', 'root', patch(1104, u(2, 8)), 'invalid', 10),
    'root-leaf-blocks-past': ('signed', 'root', patch(1096, u((1 << 64) - 1, 8)), 'invalid', 10),
    'root-leaf-blocks-unsigned': ('', 'root', patch(1096, b'\1'), 'invalid', 10),
    'root-label-signed': ('signed', 'root', patch(112, b'\1x'), 'altered', 10),
    'signature': ('signed', 'signature', flip(5), 'altered', 10),
    'signature-unsigned': ('', 'signature', flip(5), 'invalid', 10),
    'flag-taken-away': ('signed', 'root', patch(1, b'\0'), 'invalid', 10),
    'content-version': ('', 'content part', patch(0, b'\2'), 'invalid', 10),
    'content-flags': ('', 'content part', patch(1, b'\4'), 'invalid', 10),
    'content-zero': ('', 'content part', patch(7, b'\1'), 'invalid', 10),
    'content-length': ('', 'content part', number_at(8, 1 << 50), 'invalid', 10),
    'content-length-longer': ('', 'content part', number_at(8, 1), 'invalid', 4),
    'plain-length-longer': ('', 'content part', number_at(16, 1), 'invalid', 4),
    'plain-length-limit': ('', 'content part', patch(16, u(1 << 63, 8)), 'invalid', 10),
    'index-length': ('', 'content part', patch(24, u((1 << 64) - 1, 8)), 'invalid', 10),
    'leaves-unsigned': ('', 'content part', patch(32, b'\1'), 'invalid', 10),
    'leaves-too-many': ('signed', 'content part', patch(32, u(600, 8)), 'invalid', 10),
    'leaves-one-more': ('signed', 'content part', patch(32, b'\3'), 'altered', 4),
    'series-long': ('', 'content part', patch(48, b'\x40'), 'invalid', 10),
    'series-end': ('', 'content part', patch(111, b'x'), 'invalid', 10),
    'label-not-text': ('', 'content part', patch(112, b'\1\xff'), 'invalid', 10),
    'publisher-unsigned': ('', 'content part', patch(376, b'\1'), 'invalid', 10),
    'content-end': ('', 'content part', patch(1023, b'\1'), 'invalid', 10),
    'no-entries': ('', 'content part', patch(408, bytes(72)), 'invalid', 10),
    'entries-past-limit': ('', 'content part', patch(408, u((1 << 32) - 1, 8)), 'invalid', 10),
    'entries-one-more': ('', 'content part', patch(408, b'\x09'), 'invalid', 4),
    'no-segments': ('', 'content part', patch(480, bytes(8)), 'invalid', 10),
    'no-runs-but-a-top': ('', 'content part', patch(552, bytes(8)), 'invalid', 10),
    'entries-without-end': ('', 'content part', patch(408, u(1 << 31, 8)), 'invalid', 10),
    'heap-without-end': ('', 'content part', patch(624, u(1 << 40, 8)), 'invalid', 10),
    'runs-beyond-count': ('', 'content part', patch(552, b'\2'), 'invalid', 4),
    'padding': ('', 'padded', patch(-1, b'\1'), 'invalid', 4),
    'entry-digest': ('', 'index', flip(3), 'invalid', 4),
    'entry-digest-signed': ('signed', 'index', flip(3), 'altered', 4),
    'reference-past-end': ('', 'entries reference', patch(0, u(1 << 40, 8)), 'invalid', 4),
    'reference-overflow': ('', 'entries reference', patch(0, u((1 << 64) - 1, 8)), 'invalid', 4),
    'reference-too-long': ('', 'entries reference', patch(12, u(49153, 4)), 'invalid', 4),
    'reference-shorter': ('', 'entries reference', number_at(12, -1, 4), 'invalid', 4),
    'reference-longer': ('', 'entries reference', number_at(12, 1, 4), 'invalid', 4),
    'entries-key': ('', 'entries reference', swap_keys, 'invalid', 4),
    'segments-key': ('', 'segments reference', swap_keys, 'invalid', 4),
    'runs-key': ('', 'runs reference', swap_keys, 'invalid', 4),
    'heap-key': ('', 'heap reference', swap_keys, 'invalid', 4),
    'leaf-sums-key': ('signed', 'leaf sums reference', swap_keys, 'invalid', 4),
    'node-key': ('many', 'entries node reference', swap_keys, 'invalid', 4),
    'node-long': ('many', 'entries node stored', trailing, 'invalid', 4),
    'node-descends': ('heap', 'heap node stored', of_full_node(descend), 'invalid', 4),
    'node-before-a-block': ('heap', 'heap node stored', of_full_node(last_behind), 'invalid', 4),
    'nodes-share-blocks': ('heap', 'heap node stored', of_full_node(first_again), 'invalid', 4),
    'many-nodes': ('heap', '', None, 'fine', 0),
    'entries-two-frames': ('', 'entries packed', packed(two_frames), 'invalid', 4),
    'entries-frame-without-size': ('', 'entries packed', packed(sizeless), 'invalid', 4),
    'entries-end': ('', 'entries block', trailing, 'invalid', 4),
    'entries-cut-short': ('', 'entries block', lambda data, _: data[:-1], 'invalid', 4),
    'entries-long-varint': ('', 'entries block', longer_varint, 'invalid', 4),
    'entries-first-child': ('', 'entries head', lambda head, _: [head[0], 2] + head[2:], 'invalid', 4),
    'entries-expected': ('', 'entries head', lambda head, _: head[:2] + [1 << 62] * 3, 'invalid', 4),
    'names-descend': ('', 'records', change(b'c', name=b'aa'), 'invalid', 4),
    'names-equal': ('', 'records', change(b'c', name=b'b'), 'invalid', 4),
    'name-empty': ('', 'records', change(b'a', name=b''), 'invalid', 4),
    'name-dot': ('', 'records', change(b'a', name=b'.'), 'invalid', 4),
    'name-two-dots': ('', 'records', change(b'a', name=b'..'), 'invalid', 4),
    'name-slash': ('', 'records', change(b'a', name=b'a/b'), 'invalid', 4),
    'name-zero': ('', 'records', change(b'a', name=b'a\0'), 'invalid', 4),
    'name-of-root': ('', 'records', change(b'', name=b'root'), 'invalid', 4),
    'name-shares-too-much': ('', 'entries block', lambda data, _: data[:5] + data[5:].replace(
        bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), bytes([0, 0, 9, 0, 0, 0, 0, 0, 0, 1]), 1), 'invalid', 4),
    'kind-bit': ('', 'records', change(b'z', bits=16), 'invalid', 4),
    'kind-sparse-directory': ('', 'records', change(b'b', bits=5), 'invalid', 4),
    'kind-root-file': ('', 'records', lambda block, _: [
        e.__dict__.update(kind=0, bits=0, address=0) for e in block[:1]] and None, 'invalid', 4),
    'parent-of-root': ('', 'records', change(b'', parent=1), 'invalid', 4),
    'parent-behind': ('', 'records', change(b'z', parent=9), 'invalid', 4),
    'parent-another': ('', 'records', change(b'z', parent=1), 'invalid', 4),
    'mode-write': ('', 'records', change(b'z', mode=0o644), 'invalid', 4),
    'mode-past': ('full', 'records', change(b'z', mode=0o10000), 'invalid', 4),
    'mode-of-link': ('', 'records', change(b'link', mode=0o444), 'invalid', 4),
    'time-past': ('', 'records', change(b'z', time=(1 << 38) + 1), 'invalid', 4),
    'time-past-full': ('full', 'records', change(b'z', time=-(1 << 55) - 1), 'invalid', 4),
    'nanoseconds': ('full', 'records', change(b'z', nanoseconds=10**9), 'invalid', 4),
    'user': ('full', 'records', change(b'z', user=1 << 32), 'invalid', 4),
    'size-past': ('', 'records', change(b'z', size=1 << 63), 'invalid', 4),
    'size-past-plaintext': ('', 'records', change(b'z', size=200), 'invalid', 4),
    'children-too-many': ('', 'records', change(b'b', size=3), 'invalid', 4),
    'children-of-root': ('', 'records', change(b'', size=6), 'invalid', 4),
    'address-negative': ('', 'records', change(b'z', address=-1), 'invalid', 4),
    'link-empty': ('', 'records', change(b'link', size=0), 'invalid', 4),
    'link-long': ('', 'records', change(b'link', size=4096), 'invalid', 4),
    'link-past-heap': ('', 'records', change(b'link', target=1), 'invalid', 4),
    'link-zero-byte': ('', 'heap', without_link, 'invalid', 4),
    'hard-link-to-itself': ('', 'records', change(b'c', size=0), 'invalid', 4),
    'hard-link-too-far': ('', 'records', change(b'c', size=4), 'invalid', 4),
    'hard-link-to-directory': ('', 'records', change(b'c', size=1), 'invalid', 4),
    'hard-link-to-one-name': ('', 'records', change(b'a', bits=0, linked=False), 'invalid', 4),
    'links-one': ('', 'records', change(b'a', links=1), 'invalid', 4),
    'runs-past': ('', 'records', change(b's', first_run=1), 'invalid', 4),
    'run-empty': ('', 'runs block', patch(16, bytes(8)), 'invalid', 4),
    'run-past-plaintext': ('', 'runs block', patch(8, u(1 << 40, 8)), 'invalid', 4),
    'run-past-size': ('', 'runs block', patch(48, u(991, 8)), 'invalid', 4),
    'runs-overlap': ('', 'runs block', patch(24, u(19, 8)), 'invalid', 4),
    'run-overflow': ('', 'runs block', patch(64, u((1 << 64) - 1, 8)), 'invalid', 4),
    'runs-back': ('', 'runs block', patch(48, u(5, 8)), 'invalid', 4),
    'runs-end': ('', 'runs block', trailing, 'invalid', 4),
    'attributes-order': ('full', 'attributes', unordered([(b'user.b', b'2'), (b'user.a', b'1')]),
                         'invalid', 4),
    'attributes-count': ('full', 'heap block', patch(0, b'\5'), 'invalid', 4),
    'attributes-twice': ('full', 'attributes', unordered([(b'user.a', b'2'), (b'user.a', b'1')]),
                         'invalid', 4),
    'attributes-nameless': ('full', 'attributes', unordered([(b'', b'2'), (b'user.a', b'1')]), 'invalid', 4),
    'attributes-long': ('full', 'attributes', unordered([(b'a', b'2'), (b'b', bytes(65537))]), 'invalid', 4),
    'attributes-past': ('full', 'records', change(b'z', attributes_length=100), 'invalid', 4),
    'attributes-end': ('full', 'records', change(b'z', attributes_length=9), 'invalid', 4),
    'segment-kind': ('', 'segments block', patch(24, b'\2'), 'invalid', 4),
    'segment-begin': ('', 'segments', first_segment(address=1), 'invalid', 4),
    'segment-empty': ('', 'segments', first_segment(length=0), 'invalid', 4),
    'segment-frame-long': ('', 'segments', first_segment(length=262145), 'invalid', 4),
    'segment-frame-not-shorter': ('', 'segments', first_segment(stored=500), 'invalid', 4),
    'segment-frame-short': ('', 'segments', first_segment(length=499), 'invalid', 4),
    'segments-end': ('', 'segments block', trailing, 'invalid', 4),
    'segment-leaf': ('signed', 'segments', first_segment(leaf=1), 'invalid', 4),
    'frame-two': ('', 'frame', two_frames, 'invalid', 4),
    'frame-without-size': ('', 'frame', sizeless, 'invalid', 4),
    'frame-other-size': ('', 'frame', longer, 'invalid', 4),
    'frame-skippable': ('', 'frame', skippable, 'invalid', 4),
    'frame-broken': ('', 'content', flip(0), 'invalid', 4),
    'content-altered': ('signed', 'stream', in_content(lambda data, _: data[:-1] + b'?'), 'altered', 4),
    'leaf-altered': ('signed', 'leaves', flip(33), 'altered', 4),
    'leaf-block-altered': ('signed', 'stream', lambda data, about: flip(about.range + 3)(data, about),
                           'altered', 4),
    'leaf-blocks-taken-away': ('signed', 'leaf blocks', lambda blocks, _: [], 'altered', 4),
    'frame-with-checksum': ('', 'frame', summed, 'fine', 0),
    'index-with-stray-bytes': ('', 'index', stray, 'fine', 0),
    'heap-with-stray-bytes': ('', 'heap', stray, 'fine', 0),
    # Nobody needs the copy in front as long as the last is there.
    'index-copies-differ': ('front', 'front', flip(3), 'fine', 0)}


# Media that are damaged: no rule is broken, and some of it is not there any more.

def pages_tree(count):
    """Files of one page each, and one that is compressed."""
    return directory({**{b'%03d' % i: file(noise('page %d' % i, PAYLOAD)) for i in range(count)},
                      b'd': directory({b'e': file(prose('e', 900))})})


def stick(name, m, count=3, keys=(KEY_FILE,), **words):
    """Each file but d/e is a data page of its own, d/e and the index are the last."""
    return single(name, pages_tree(count), *keys, m=m, free=2,
                  plan=[('extent', PAYLOAD * count), ('frame', 900)], **words)


def stick_pair(name, m):
    """000 and the index in volume 1, everything else, and the index, in volume 2."""
    return Bundle(name, Compartment(pages_tree(3), KEY_FILE, m=m, cuts=[(1, 0)], plan=[
        ('extent', PAYLOAD), ('extent', 2 * PAYLOAD), ('frame', 900)]), volumes=2, free=2)


def stick_of_two(name):
    return Bundle(name, Compartment(pages_tree(3), KEY_FILE, m=4, plan=[
        ('extent', 3 * PAYLOAD), ('frame', 900)]), Compartment(small_tree('second'), TWO), free=2)


def also(*parts):
    return lambda volumes: [line for part in parts for line in part(volumes)]


def page_at(v, t, part=0):
    return PAGE * (v.parts[part].places[t] + 1)


def root_at(v, copy):
    return PAGE * (v.parts[0].roots[copy] + 1)


def on(number, word, *values):
    """Damage to a volume; a value may be a function of it."""
    def lines(volumes):
        v = volumes[number]
        return [' '.join(map(str, [word, v.name, *(x(v) if callable(x) else x for x in values)]))]
    return lines


def headers_lost(number, word='flip'):
    return also(on(number, word, 0, PAGE), on(number, word, lambda v: v.length - PAGE, PAGE))


def swap_pages(one, other):
    return on(0, 'swap', lambda v: page_at(v, one), lambda v: page_at(v, other), PAGE)


def gone(number):
    return lambda volumes: [f'gone {volumes[number].name}']


STICK, COLUMNS = '000 001 002 d/e', '000 001 003 007 031 033 034 035 065 d/e'

# Name: (bundle, damage, what is said of it, status of a reader that looks no further than
# it needs for all files, and of one that looks at everything, the files that are lost).
STICKS = {
    'stick-healthy': (lambda name: stick(name, 4), also(), 'fine', 0, 0, ''),
    'no-parity-a-page-lost': (lambda name: stick(name, 0), lose([1]), 'damaged', 4, 4, '001'),
    'no-parity-the-index-lost': (lambda name: stick(name, 0), lose([3]), 'damaged', 4, 4, STICK),
    'no-parity-pages-swapped': (lambda name: stick(name, 0), swap_pages(0, 2), 'damaged', 4, 4, '000 002'),
    'no-parity-a-sector-of-zeros': (lambda name: stick(name, 0), on(0, 'zero', lambda v: page_at(v, 2) + 512, 512),
                                    'damaged', 4, 4, '002'),
    'no-parity-a-bit': (lambda name: stick(name, 0), on(0, 'flip', lambda v: page_at(v, 0) + 16383, 1),
                        'damaged', 4, 4, '000'),
    'signed-a-page-lost': (lambda name: stick(name, 0, publisher=PUBLISHER), lose([1]), 'damaged', 4, 4, '000 001 002'),
    'signed-repaired': (lambda name: stick(name, 2, publisher=PUBLISHER), lose([1, 3]), 'repaired', 5, 5, ''),
    'full-metadata-repaired': (lambda name: stick(name, 2, full=True), lose([0, 3]), 'repaired', 5, 5, ''),
    **{f'parity-{m}-{what}': (lambda name, m=m: stick(name, m), lose(lost(m)), *outcome) for m in (2, 4, 8, 16)
       for what, lost, *outcome in (
           ('one-page', lambda m: [2], 'repaired', 5, 5, ''),
           ('at-bound', lambda m: [0, *range(4, 3 + m)], 'repaired', 5, 5, ''),
           ('at-bound-index', lambda m: range(3, 3 + m), 'repaired', 5, 5, ''),
           ('at-bound-burst', lambda m: range(2, 2 + m), 'repaired', 5, 5, ''),
           ('lost', lambda m: range(4, 4 + m), 'repaired', 0, 5, ''),
           ('past-bound', lambda m: [1, *range(4, 4 + m)], 'damaged', 4, 4, '001'),
           ('past-bound-two-files', lambda m: [0, 2, *range(5, 4 + m)], 'damaged', 4, 4, '000 002'),
           ('past-bound-index', lambda m: range(3, 4 + m), 'damaged', 4, 4, STICK))
       if m == 4 or what in ('at-bound', 'lost', 'past-bound', 'past-bound-index')},
    'index-in-front-no-parity': (lambda name: stick(name, 0, front=True), also(), 'fine', 0, 0, ''),
    'index-in-front-first-page-lost': (lambda name: stick(name, 0, front=True), lose([0]), 'damaged', 4, 4, '000'),
    'index-in-front-both-lost': (lambda name: stick(name, 0, front=True), lose([0, 3]), 'damaged', 4, 4, STICK),
    'index-in-front-at-bound': (lambda name: stick(name, 2, front=True), lose([0, 3]), 'repaired', 5, 5, ''),
    'all-data-lost': (lambda name: stick(name, 4), lose(range(4)), 'repaired', 5, 5, ''),
    'pages-swapped': (lambda name: stick(name, 4), swap_pages(0, 2), 'repaired', 5, 5, ''),
    'page-and-parity-swapped': (lambda name: stick(name, 2), swap_pages(1, 5), 'repaired', 5, 5, ''),
    'parity-swapped': (lambda name: stick(name, 4), swap_pages(5, 6), 'repaired', 0, 5, ''),
    'sectors-of-zeros': (lambda name: stick(name, 2), also(*(on(0, 'zero', lambda v, t=t: page_at(v, t) + 4096, 512)
                                                  for t in (0, 3))), 'repaired', 5, 5, ''),
    'columns-burst': (lambda name: stick(name, 2, 66), lose(range(31, 35)), 'repaired', 5, 5, ''),
    'columns-burst-over-the-end-of-data': (lambda name: stick(name, 2, 66), lose(range(65, 69)), 'repaired', 5, 5, ''),
    'columns-burst-too-long': (lambda name: stick(name, 2, 66), lose(range(31, 36)), 'damaged', 4, 4, '031 033 035'),
    'columns-one-has-lost-too-much': (lambda name: stick(name, 2, 66), lose([0, 1, 3, 7, 40]), 'damaged', 4, 4,
                                      '001 003 007'),
    'root-0-lost': (lambda name: stick(name, 4), lose(roots=[0]), 'repaired', 5, 5, ''),
    'root-1-lost': (lambda name: stick(name, 4), lose(roots=[1]), 'repaired', 0, 5, ''),
    'root-2-lost': (lambda name: stick(name, 4), lose(roots=[2]), 'repaired', 0, 5, ''),
    'roots-0-1-lost': (lambda name: stick(name, 4), lose(roots=[0, 1]), 'repaired', 5, 5, ''),
    'roots-0-2-lost': (lambda name: stick(name, 4), lose(roots=[0, 2]), 'repaired', 5, 5, ''),
    'roots-1-2-lost': (lambda name: stick(name, 4), lose(roots=[1, 2]), 'repaired', 0, 5, ''),
    'roots-all-lost': (lambda name: stick(name, 4), lose(roots=[0, 1, 2]), 'damaged', 10, 10, STICK),
    'roots-swapped': (lambda name: stick(name, 4), on(0, 'swap', lambda v: root_at(v, 0), lambda v: root_at(v, 1), PAGE),
                      'repaired', 5, 5, ''),
    'header-a-lost-to-noise': (lambda name: stick(name, 4), on(0, 'flip', 0, PAGE), 'repaired', 5, 5, ''),
    'header-a-lost-to-zeros': (lambda name: stick(name, 4), on(0, 'zero', 0, PAGE), 'repaired', 5, 5, ''),
    'header-a-salt-lost': (lambda name: stick(name, 4), on(0, 'flip', 3, 1), 'repaired', 5, 5, ''),
    'header-b-lost-to-zeros': (lambda name: stick(name, 4), on(0, 'zero', lambda v: v.length - PAGE, PAGE),
                               'repaired', 0, 5, ''),
    'header-a-lost-appended-length-given': (lambda name: stick(name, 4), also(on(0, 'flip', 0, PAGE), on(0, 'append', 31)),
                                            'repaired', 5, 5, ''),
    'header-a-lost-31-appended': (lambda name: stick(name, 4), also(on(0, 'flip', 0, PAGE), on(0, 'append', 31)),
                                  'no key fits', 12, 12, STICK),
    'headers-lost': (lambda name: stick(name, 4), headers_lost(0), 'no key fits', 12, 12, STICK),
    'headers-swapped': (lambda name: stick(name, 4), on(0, 'swap', 0, lambda v: v.length - PAGE, PAGE), 'fine', 0, 0, ''),
    'header-fill-lost': (lambda name: stick(name, 4), on(0, 'zero', 4144, PAGE - 4144), 'fine', 0, 0, ''),
    'tail-lost': (lambda name: stick(name, 4), on(0, 'zero', lambda v: v.length - PAGE - 777, 777),
                  'fine', 0, 0, ''),
    **{f'appended-{n}': (lambda name: stick(name, 4), on(0, 'append', n), 'fine', 0, 0, '') for n in (1, 31, 1024, PAGE)},
    'cut-by-a-byte': (lambda name: stick(name, 4), on(0, 'cut', lambda v: v.length - 1), 'repaired', 5, 5, ''),
    'cut-by-header-b': (lambda name: stick(name, 4), on(0, 'cut', lambda v: v.length - PAGE), 'repaired', 5, 5, ''),
    'cut-within-parity': (lambda name: stick(name, 4), on(0, 'cut', lambda v: page_at(v, 5) + 1), 'repaired', 5, 5, ''),
    'cut-at-the-bound': (lambda name: stick(name, 4), on(0, 'cut', lambda v: page_at(v, 4)), 'repaired', 5, 5, ''),
    'cut-past-the-bound': (lambda name: stick(name, 4), on(0, 'cut', lambda v: page_at(v, 3) + 16383), 'damaged', 4, 4, STICK),
    'cut-to-a-root': (lambda name: stick(name, 4), on(0, 'cut', lambda v: root_at(v, 0) + PAGE), 'damaged', 4, 4, STICK),
    'cut-to-no-root': (lambda name: stick(name, 4), on(0, 'cut', lambda v: root_at(v, 0) + PAGE - 1), 'damaged', 10, 10, STICK),
    'cut-to-header-a': (lambda name: stick(name, 4), on(0, 'cut', PAGE), 'damaged', 10, 10, STICK),
    'cut-within-header-a': (lambda name: stick(name, 4), on(0, 'cut', PAGE - 1), 'no key fits', 12, 12, STICK),
    'cut-to-nothing': (lambda name: stick(name, 4), on(0, 'cut', 0), 'no key fits', 12, 12, STICK),
    'cut-and-a-page-lost': (lambda name: stick(name, 4), also(on(0, 'cut', lambda v: page_at(v, 5)), lose([1])),
                            'repaired', 5, 5, ''),
    'others-pages-lost': (stick_of_two, on(0, 'flip', lambda v: page_at(v, 0, 1), PAGE), 'fine', 0, 0, ''),
    'volume-1-missing': (lambda name: stick_pair(name, 2), gone(0), 'damaged', 4, 0, '000'),
    'volume-2-missing': (lambda name: stick_pair(name, 2), gone(1), 'damaged', 4, 0, '001 002 d/e'),
    'volume-1-headers-lost': (lambda name: stick_pair(name, 2), headers_lost(0), 'damaged', 4, 10, '000'),
    'volume-1-header-a-lost': (lambda name: stick_pair(name, 2), on(0, 'flip', 0, PAGE), 'repaired', 5, 5, ''),
    'volume-2-header-a-lost': (lambda name: stick_pair(name, 2), on(1, 'flip', 0, PAGE), 'repaired', 5, 5, ''),
    'volume-2-header-b-lost': (lambda name: stick_pair(name, 2), on(1, 'flip', lambda v: v.length - PAGE, PAGE),
                               'repaired', 0, 5, ''),
    'volume-1-roots-lost': (lambda name: stick_pair(name, 2), lose(roots=[0, 1, 2]), 'damaged', 4, 4, '000'),
    'volume-2-roots-lost': (lambda name: stick_pair(name, 2), lose(roots=[0, 1, 2], volume=1), 'damaged', 4, 4, '001 002 d/e'),
    'volume-1-pages-lost': (lambda name: stick_pair(name, 2), lose([0, 1]), 'repaired', 5, 5, ''),
    'volume-1-past-bound': (lambda name: stick_pair(name, 2), lose([0, 2, 3]), 'damaged', 4, 4, '000'),
    'volume-1-index-lost': (lambda name: stick_pair(name, 2), lose([1, 2, 3]), 'repaired', 5, 4, ''),
    'volume-2-cut': (lambda name: stick_pair(name, 2), on(1, 'cut', lambda v: page_at(v, 1)), 'damaged', 4, 4, '002 d/e'),
    'volume-2-appended': (lambda name: stick_pair(name, 2), on(1, 'append', 1024), 'fine', 0, 0, '')}


# Bombs: every tag and digest fits, and what is asked for is out of all proportion.

def rle_frame(claimed, yields):
    """A Zstandard frame that says it decodes to so much, and decodes to something else."""
    blocks = [min(yields - at, 131072) for at in range(0, yields, 131072)]
    body = b''.join(u(n << 3 | 1 << 1 | (i + 1 == len(blocks)), 3) + b'b' for i, n in enumerate(blocks))
    return b'\x28\xb5\x2f\xfd\xe0' + u(claimed, 8) + body


def yields(claimed_of, amount):
    return lambda _, about: rle_frame(claimed_of(about), amount)


def endless(table, per, records):
    """The table claims so many records: every node has one child, again and again."""
    def claim(value, about):
        if about.table != table:
            return value
        ref, blocks, height = value[8:], -(-records // per), 1
        while 256**height < blocks:
            height += 1
        for level in range(height):
            node = ref * min(256, -(-blocks // 256**level))
            ref = about.bundle.put(about.c, 'node', node, len(node), ref[16:32])
        return u(records, 8) + ref
    return claim


def lose_nodes(c, count):
    """References to so many nodes in a row that are in the index, on pages that are damaged."""
    begin = len(c.index)
    c.index += bytes(16384 * count + 2 * PAYLOAD)
    lose_from(c, begin)
    return [u(begin + PAYLOAD + 16384 * i, 8) + u(16384, 4) * 2 + bytes(48) for i in range(count)]


def references(c, ref):
    """Those of the node that a reference leads to."""
    at, length = int.from_bytes(ref[:8], 'little'), int.from_bytes(ref[8:12], 'little')
    return [bytes(c.index[at + i:at + i + 64]) for i in range(0, length, 64)]


def in_table(wanted, per, records, top):
    """The table claims so many records; top makes the reference to its top of the old one."""
    def claim(value, about):
        if about.table != wanted:
            return value
        def put(refs):
            return about.bundle.put_node(about.c, wanted, refs)
        return u(records, 8) + top(about.c, value[8:], put, records // per)
    return claim


def but_the_first(c, ref, put, blocks):
    """All blocks are lost but one."""
    while blocks > 1:
        ref = put([ref] + lose_nodes(c, 255))
        blocks //= 256
    return ref


def again_and_again(c, ref, put, blocks):
    """All nodes lead to the same blocks; each other one is lost, so that nothing seems to descend."""
    def with_lost(front, other):
        nodes = []
        for i in range(128):
            nodes += [put(other if i else front)] + lose_nodes(c, 1)
        return nodes

    first, again = (references(c, node) for node in references(c, ref))
    while blocks > 65536:
        first, again = with_lost(first, again), with_lost(again, again)
        blocks //= 256
    return put(with_lost(first, again))


def repeated(c, ref, put, blocks):
    """Each node leads to one again and again; each other one is behind the end of the file."""
    first, again = references(c, ref)
    lost = u(CLAIMED - 16384, 8) + u(16384, 4) * 2 + bytes(48)
    blocks //= 256
    while blocks > 1:
        first, again = (put([ref] + [lost, again] * 127 + [lost]) for ref in (first, again))
        blocks //= 256
    return first


def to_first_children(head, _):
    """What directories of another block have in them is what the root has."""
    return head[:1] + [1] + head[2:]


def full_block():
    """A root with 127 files, so that a block may stand for any other."""
    return directory({b'%03d' % i: file(b'x') for i in range(127)})


def lose_second(data, about):
    """Of three blocks the one in the middle is on pages that are damaged."""
    if about.number == 1:
        about.c.begin = len(about.c.index)
    about.c.index += bytes(PAYLOAD * about.number)
    if about.number == 2:
        lose_from(about.c, about.c.begin)


def third_is_first(block, about):
    if about.number == 2:
        block[0].address = block[0].offset = 0


def two_nodes():
    """So many that their blocks take two nodes, both full."""
    return directory({b'%05d' % i: file(b'x') for i in range(65535)})


def chain(depth):
    tree = file(b'the bottom')
    for _ in range(depth):
        tree = directory({b'd': tree})
    return tree


def beside_a_crowd(name):
    """So many directories at a time that who keeps something of each wants more memory."""
    crowd = {b'a%04d' % i: directory({b'b': directory({b'c': file(b'x')})}) for i in range(3000)}
    return directory({**crowd, name: chain(8191)})


def runs_of_many_files(count, runs):
    """All have those of the first, and what there is to do is one times the other."""
    def edit(block, _):
        for e in block:
            if e.sparse:
                e.runs, e.first_run = runs, 0
    first = sparse(2 * runs, *((2 * i, b'x') for i in range(runs)))
    others = {b's%04d' % i: sparse(2 * runs) for i in range(1, count)}
    return single('bomb', directory({b's0000': first, **others, b'z': file(b'z')}), KEY_FILE,
                  hooks={'records': edit})


CLAIMED = 1 << 44


def claiming(tree, length, hooks, **words):
    """The index is said to have this length, and the file was cut short."""
    part = hooks.pop('content part', lambda data, _: data)
    hooks['content part'] = lambda data, about: patch(24, u(length, 8))(part(data, about), about)
    bundle = single('bomb', tree, KEY_FILE, hooks=hooks, holes=True, **words)
    c = bundle.compartments[0]
    c.claims[0] = -(-(len(c.content) + sum(map(len, c.leaf_blocks)) + length) // PAYLOAD)
    return bundle


def missing_content(length, table, tree=None, plan=None):
    """So many bytes of content in a volume that is cut short; the index is in another."""
    def content(data, _):
        return patch(24, u(CLAIMED, 8))(patch(16, u(length, 8))(patch(8, u(length, 8))(data, _), _), _)

    def ranges(payload, _):
        return payload[:2144] + u(length, 8) + payload[2152:]

    plan = plan or [('frame', 500), ('extent', 136)]
    bundle = Bundle('bomb', Compartment(tree or flaw_tree(), KEY_FILE, plan=plan,
                                        cuts=[(len(plan) - 1, plan[-1][1])]), volumes=2, free=0, holes=True,
                    hooks={'table': table, 'content part': content, 'root': ranges})
    c = bundle.compartments[0]
    c.claims.update({0: -(-(length + CLAIMED) // PAYLOAD), 1: CLAIMED // PAYLOAD + 1})
    return bundle


ZEROS = directory({b'zeros': file(bytes(262144)), b'z': file(b'z')})
ZEROS_PLAN = [('extent', 1), ('frame', 262144)]

# Name: (what makes it, exit codes of what tests/cli/82-bounds.sh does with it, in its order)
BOMBS = {
    'frame-of-gigabytes': (lambda: single('bomb', ZEROS, KEY_FILE, plan=ZEROS_PLAN, hooks={
        'frame': yields(lambda about: len(about.plain), 1 << 32)}), '4 0 0 0 0 4 0 0 4 0'),
    'frame-that-says-so': (lambda: single('bomb', ZEROS, KEY_FILE, plan=ZEROS_PLAN, hooks={
        'frame': yields(lambda _: 1 << 62, 1 << 32)}), '4 0 0 0 0 4 0 0 4 0'),
    'entries-of-gigabytes': (lambda: single('bomb', crowded_tree(), KEY_FILE, plan=crumbs_plan, hooks={
        'entries packed': lambda data, about: rle_frame(len(about.raw), 1 << 24)}), '4 0 4 4 4 4 4 4 4 0'),
    'heap-of-gigabytes': (lambda: single('bomb', crowded_tree(), KEY_FILE, plan=crumbs_plan, hooks={
        'heap packed': lambda data, about: rle_frame(len(about.raw), 1 << 28)}), '4 0 0 4 4 0 4 1 4 0'),
    'entries-without-end': (lambda: claiming(full_block(), CLAIMED, {
        'records': change(b'', size=(1 << 32) - 129),
        'table': endless('entries', 128, (1 << 32) - 128)}), '4 5 4 4 4 4 4 4 1/4 13'),
    'runs-without-end': (lambda: claiming(flaw_tree(), CLAIMED, {
        'records': change(b's', size=(1 << 63) - 1, runs=1 << 47),
        'table': endless('runs', 1024, 1 << 47)}), '4 5 5 5 5 4 5 5 4 13'),
    'heap-without-end': (lambda: claiming(flaw_tree(), CLAIMED, {
        'table': endless('heap', 32768, 1 << 52)}), '4 5 5 4 5 5 4 5 4 13'),
    'hole-of-eight-exbibytes': (lambda: single('bomb', directory({
        b'hole': sparse(1000), b'z': file(b'z')}), KEY_FILE,
        hooks={'records': change(b'hole', size=(1 << 63) - 1)}), '0 0 0 0 0 - 0 0 0/1/153 0'),
    'segments-without-end': (lambda: missing_content(
        1 << 43, endless('segments', 512, 1 << 42)), '4 5 5 5 5 4 5 4 4 13'),
    'segments-behind-lost-nodes': (lambda: missing_content(
        1 << 43, in_table('segments', 512, 1 << 33, repeated), directory({b'z': file(noise('z', 1 << 18))}),
        [('extent', 1)] * (1 << 18)), '4 5 5 5 5 4 5 4 4 13'),
    'directories-in-themselves': (lambda: single('bomb', crowded_tree(), KEY_FILE, plan=crumbs_plan, hooks={
        'entries head': to_first_children}), '4 0 4 4 4 4 4 4 4 0'),
    'segments-that-go-back': (lambda: single('bomb', directory({b'z': file(noise('z', 1536))}), KEY_FILE,
                                             plan=[('extent', 1)] * 1536, hooks={
        'segments block': lose_second, 'segments': third_is_first, 'page': damage_lost}), '4 0 0 0 0 4 0 4 4 4'),
    'entries-that-are-lost': (lambda: claiming(full_block(), CLAIMED, {
        'records': change(b'', size=(1 << 31) - 1), 'page': damage_lost,
        'table': in_table('entries', 128, 1 << 31, but_the_first)}), '4 5 4 4 4 4 4 4 1/4 13'),
    'entries-behind-lost-nodes': (lambda: claiming(two_nodes(), CLAIMED, {
        'records': change(b'', size=(1 << 31) - 1),
        'table': in_table('entries', 128, 1 << 31, repeated)}), '4 5 4 4 4 4 4 4 1/4 13'),
    'entries-under-many-nodes': (lambda: claiming(two_nodes(), CLAIMED, {
        'records': change(b'', size=(1 << 31) - 1), 'page': damage_lost,
        'table': in_table('entries', 128, 1 << 31, again_and_again)}), '4 5 4 4 4 4 4 4 1/4 13'),
    'runs-of-many-files': (lambda: runs_of_many_files(4000, 30000), '4 0 0 0 0 - 0 0 - 0'),
    'ten-thousand-levels': (lambda: single('bomb', chain(10000), KEY_FILE), '4 0 0 4 0 4 4 1 4 0'),
    'chains-side-by-side': (lambda: single('bomb', directory({
        b'z': file(b'z'), **{b'%03d' % i: chain(3000) for i in range(100)}}), KEY_FILE), '0 0 0 0 - 0 - 0 - 0'),
    'paths-of-16383': (lambda: single('bomb', beside_a_crowd(b'z'), KEY_FILE), '0 0 0 0 0 0 0 - - 0'),
    'a-path-of-16384': (lambda: single('bomb', beside_a_crowd(b'zz'), KEY_FILE), '4 0 0 4 0 4 4 - - 0'),
    'harmless': (lambda: single('bomb', flaw_tree(), KEY_FILE), '0 0 0 0 0 0 0 0 0 0')}


def write_bomb(name, out):
    make, codes = BOMBS[name]
    bundle = make()
    bundle.name = name
    lines = [f'bundle {v.name}' for v in bundle.write(out)] + ['key-file a.keyfile', f'codes {codes}']
    put(out, 'a.keyfile', SECRETS['a.keyfile'])
    put(out, name + '.keys', ''.join(line + '\n' for line in lines).encode())


# Files that a reader hands out all the same, since the flaw does not concern them;
# of flaws that are not here, none.  Second, where that is more or less: a reader
# that looks at no more than it needs for a file, or at a block as a whole.  ANY:
# what a forger who has the key may have chosen.
ALL, ANY = 'a c s z b/in', 'any'
RELEASED = {
    **{f'attributes-{what}': ('a c s b/in', ALL) for what in ('count', 'end', 'long', 'nameless', 'order', 'twice')},
    **{f'frame-{what}': ('s z b/in',) for what in ('broken', 'other-size', 'skippable', 'two', 'without-size')},
    **{what: ('a c z b/in',) for what in ('run-empty', 'run-overflow', 'run-past-plaintext', 'run-past-size',
                                          'runs-end', 'runs-key', 'runs-overlap')},
    **{what: (ALL,) for what in ('node-descends', 'node-before-a-block', 'nodes-share-blocks', 'many-nodes',
                                 'frame-with-checksum', 'heap-key', 'heap-with-stray-bytes',
                                 'index-with-stray-bytes', 'index-copies-differ', 'link-zero-byte')},
    'content-altered': ('a c',), 'leaf-altered': ('a c',),
    'hard-link-to-directory': ('a s z b/in',), 'hard-link-to-one-name': ('a s z b/in', ALL),
    'names-descend': ('a b/in', ''), 'names-equal': ('a b/in', ''),
    'padding': ('', ALL), 'plain-length-longer': ('', ALL),
    'parent-another': ('a c s b/in', 'a c b/in'),
    'range-ends-in-a-frame': ('s z b/in', ALL), 'range-ends-in-an-extent': ('a c', ALL),
    'runs-back': ('a c z b/in', ANY), 'segment-frame-short': ('', ANY)}


def released(compartment, paths):
    """The hash of what `sha256sum' says of these files, in that order."""
    if paths == ANY:
        return ANY
    nodes = {e.path.decode(): e.node for e in number_entries(compartment.tree)}
    lines = (f'{hashlib.sha256(content_of(nodes[path])).hexdigest()}  {path}\n' for path in paths.split())
    return hashlib.sha256(''.join(lines).encode()).hexdigest()


def write_vector(name, out, compartment, word, files, wanted):
    """NAME.vector: what to expect, and what may be released before it is noticed."""
    lines = [f'expect: {word}', f'files: {files}',
             f'released: {released(compartment, wanted[0])}', f'lazily: {released(compartment, wanted[-1])}']
    put(out, name + '.vector', ''.join(line + '\n' for line in lines).encode())


def write_keys(name, out, lines):
    put(out, name + '.keys', ''.join(line + '\n' for line in lines).encode())


def write_flaw(name, out):
    base, point, function, word, status = FLAWS[name]
    bundle = flawed(base, {point: function})
    bundle.name = name
    volumes = bundle.write(out)
    key = 'passphrase-file one.passphrase' if base == 'many' else 'key-file a.keyfile'
    put(out, key.split()[1], SECRETS[key.split()[1]])
    write_keys(name, out, [f'bundle {v.name}' for v in volumes] + [key, f'word {word}', f'status {status}'])
    write_vector(name, out, flawed(base, {}).compartments[0], word, '' if base == 'many' else ALL,
                 RELEASED.get(name, ('',)))
    if status == 0:
        put(out, name + '.expect', expected(bundle.compartments[0]).encode())


def write_stick(name, out):
    make, damage, word, status, verify, lost = STICKS[name]
    bundle = make(name)
    volumes, missing = bundle.write(out), set()
    for line in damage(volumes):
        action, file_name, *values = line.split()
        path = os.path.join(out, file_name)
        if action == 'gone':
            missing.add(file_name)
            os.unlink(path)
            continue
        with open(path, 'rb') as source:
            data = bytearray(source.read())
        harm(data, action, *map(int, values))
        put(out, file_name, data)
    put(out, 'a.keyfile', SECRETS['a.keyfile'])
    lines = [f'bundle {v.name}' for v in volumes if v.name not in missing] + ['key-file a.keyfile']
    if name.endswith('length-given'):
        lines.append(f'length {volumes[0].length}')
    write_keys(name, out, lines + [f'word {word}', f'status {status}', f'verify {verify}'])
    files = COLUMNS if name.startswith('columns') else STICK
    kept = ' '.join(path for path in files.split() if path not in lost.split())
    write_vector(name, out, bundle.compartments[0], word, files, (kept,))
    if status in (0, 5):
        put(out, name + '.expect', expected(bundle.compartments[0]).encode())


def put(directory_name, name, data):
    with open(os.path.join(directory_name, name), 'wb') as out:
        out.write(data)


def write_case(name, out, bundle, volumes):
    """NAME.keys and NAME.expect, and the keys themselves."""
    case = CASES[name]
    lines = [f'bundle {volumes[i].name}' for i in case.files or range(len(volumes))]
    for word, secret in (('passphrase-file', case.key.passphrase), ('key-file', case.key.key_file),
                         ('identity', case.key.identity)):
        if secret:
            lines.append(f'{word} {secret}')
            put(out, secret, SECRETS[secret])
    for option in case.options:
        lines.append(f'length {volumes[0].length}' if option == 'length' else option)
    lines += case.damage(volumes) if case.damage else []
    lines.append(f'status {case.status}')
    put(out, name + '.keys', ''.join(line + '\n' for line in lines).encode())
    if case.status < 10:
        put(out, name + '.expect', expected(bundle.compartments[case.compartment], case.errors).encode())


def write_cases(names, out):
    built = {}
    for name in names:
        wanted = CASES[name].bundle
        if wanted not in built:
            bundle = BUNDLES[wanted]()
            built = {wanted: (bundle, bundle.write(out))}
        write_case(name, out, *built[wanted])


DAMAGE = 'flip', 'zero', 'swap', 'cut', 'append'


def harm(data, word, *values):
    """One of DAMAGE."""
    at, length = values[0], values[-1]
    if word == 'flip':
        data[at:at + length] = bytes(b ^ 0xff for b in data[at:at + length])
    elif word == 'zero':
        data[at:at + length] = bytes(length)
    elif word == 'swap':
        other = values[1]
        data[at:at + length], data[other:other + length] = data[other:other + length], data[at:at + length]
    elif word == 'cut':
        del data[at:]
    else:
        data += bytes(at)


def write_kit(out):
    """What can be used as it stands: sound bundles, flaws and sticks."""
    sound = [name for name, case in CASES.items()
             if case.golden and not case.damage and 'missing' not in name]
    assert not {*sound} & {*FLAWS, *STICKS}
    write_cases(sorted(sound, key=lambda name: CASES[name].bundle), out)
    for name in sound:
        word = {0: 'fine', 10: 'altered', 12: 'no key fits'}[CASES[name].status]
        put(out, name + '.vector', f'expect: {word}\n'.encode())
    for name in FLAWS:
        write_flaw(name, out)
    for name in STICKS:
        write_stick(name, out)


def unfold(keys, out):
    here, files = os.path.dirname(os.path.abspath(keys)), {}
    name = os.path.basename(keys).removesuffix('.keys')
    with open(keys) as lines:
        lines = [line.split() for line in lines]
    for word, file_name, *values in (line for line in lines if line[0] in DAMAGE):
        if file_name not in files:
            with open(os.path.join(here, file_name), 'rb') as source:
                files[file_name] = bytearray(source.read())
        harm(files[file_name], word, *map(int, values))
    for file_name, data in files.items():
        put(out, f'{name}.{file_name}', data)
    left = []
    for word, *values in lines:
        if word in ('passphrase-file', 'key-file', 'identity'):
            values = [os.path.join(here, values[0])]
        elif word == 'bundle':
            damaged = os.path.join(os.path.abspath(out), f'{name}.{values[0]}')
            values = [damaged if values[0] in files else os.path.join(here, values[0])]
        if word not in DAMAGE:
            left.append(' '.join([word, *values]) + '\n')
    put(out, name + '.case', ''.join(left).encode())


def main(argv):
    if argv == ['--list']:
        print('\n'.join(CASES))
    elif len(argv) == 2 and argv[0] == '--golden':
        write_cases(sorted((n for n in CASES if CASES[n].golden), key=lambda n: CASES[n].bundle), argv[1])
    elif len(argv) > 2 and argv[0] == '--unfold':
        for keys in argv[1:-1]:
            unfold(keys, argv[-1])
    elif argv == ['--flaws']:
        print('\n'.join([*FLAWS, *STICKS]))
    elif len(argv) > 2 and argv[0] == '--flaw':
        for name in [*FLAWS, *STICKS] if argv[1:-1] == ['all'] else argv[1:-1]:
            (write_flaw if name in FLAWS else write_stick)(name, argv[-1])
    elif len(argv) == 2 and argv[0] == '--kit':
        write_kit(argv[1])
    elif argv == ['--bombs']:
        print('\n'.join(BOMBS))
    elif len(argv) > 2 and argv[0] == '--bomb':
        for name in BOMBS if argv[1:-1] == ['all'] else argv[1:-1]:
            write_bomb(name, argv[-1])
    elif len(argv) >= 2 and all(name in CASES for name in argv[:-1]):
        write_cases(argv[:-1], argv[-1])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
