#!/usr/bin/python3
"""What the fuzzers of bundles begin with: the bundles of encode.py, good ones and
flawed ones, as the targets want them.

seeds.py OUTDIR     writes OUTDIR/bundle, OUTDIR/volumes and OUTDIR/format, a file for
                    each seed

Blocks of the index are not compressed and digests are zero: see door.c."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import encode  # noqa: E402

LONGEST = {'bundle': 12000, 'format': 3000, 'volumes': 20000}
PARITY = [0, 2, 4, 8, 16]
SLOT, CONTENT, ROOT, REF, ENTRIES, SEGMENTS, RUN, XATTRS = range(8)

out, really_compress = sys.argv[1], encode.compress
for kind in LONGEST:
    os.makedirs(os.path.join(out, kind), exist_ok=True)


def save(kind, data):
    if len(data) <= LONGEST[kind]:
        with open(os.path.join(out, kind, hashlib.sha256(data).hexdigest()[:16]), 'wb') as seed:
            seed.write(data)


class Seeds(encode.Bundle):
    def add_table(self, *about):
        encode.compress = lambda data: data + b'longer'
        super().add_table(*about)
        encode.compress = really_compress

    def hook(self, point, value, **about):
        value = super().hook(point, value, **about)
        if point == 'entries block':
            first = 128 * about['number']
            count = min(128, len(about['c'].entries) - first)
            save('format', bytes([ENTRIES, count - 1, about['number'] % 256, about['c'].full]) + value)
        elif point == 'segments block':
            count = min(512, len(about['c'].segments) - 512 * about['number'])
            save('format', bytes([SEGMENTS]) + (count - 1).to_bytes(2, 'little') +
                 bytes([about['c'].signed]) + value)
        elif point == 'runs block':
            save('format', bytes([RUN]) + value[:24])
        elif point.endswith(' reference'):
            save('format', bytes([REF]) + value)
        elif point == 'content part':
            save('format', bytes([CONTENT]) + value)
        elif point == 'heap block':
            save('format', bytes([XATTRS]) + value)
        return value


def save_bundle(bundle):
    for part in bundle.lay_out_volume(0).parts:
        c = part.c
        save('bundle', bytes([PARITY.index(c.m) + 128 * c.front, 0]) + c.content_part + part.stream[:part.length])


def run(data):
    return min(len(data), 65535).to_bytes(2, 'little') + data


def save_volumes(bundle):
    seed = b''
    for number in range(min(bundle.volumes, 3)):
        volume = bundle.lay_out_volume(number)
        part = volume.parts[0]
        slot = b''.join(x.to_bytes(n, 'little') for x, n in (
            (1, 1), (part.c.m, 1), (number, 2), (bundle.volumes, 2), (0, 2), (volume.length, 8),
            (part.d, 4), (part.roots[0], 4), (part.roots[1], 4), (part.roots[2], 4)))
        root = bundle.root_payload(volume, part).rstrip(b'\0')
        seed += b'\0' + slot + bytes(64) + run(root) + run(part.stream[:part.length])
    save('volumes', seed)


def build(maker, hooks=None):
    bundle = maker(hooks) if hooks else maker()
    if bundle.volumes == 1:
        save_bundle(bundle)
    save_volumes(bundle)


encode.d = lambda data: bytes(32)
plain_bundle, encode.Bundle = encode.Bundle, Seeds
for name, maker in encode.BUNDLES.items():
    if name not in encode.LARGE:
        build(maker)
for base, point, function, word, status in encode.FLAWS.values():
    try:
        build(lambda: encode.flawed(base, {point: function}))
    except (AssertionError, IndexError, ValueError):
        pass  # what cannot be flawed without compression
