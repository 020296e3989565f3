#!/usr/bin/python3
"""Try to tell bundles from random bytes, as an inspector without a key would.

usage: inspector.py [--only TEST,...] [--exact] FILE...

One line for each tell, and exit code 1; what was asked goes to standard error.

  bytes     every byte and every bit of both headers, over all files
  curve     E as a key of this or that sort: on the curve or its twist, and in
            which subgroup; and the sides of the map that would hide a key
  repeated  16 aligned bytes that occur twice, in one file or in two
  multiples pages that are multiples of each other, as parity over what is
            sealed would be
  lengths   lengths that repeat, or whose low bits are not random
            (--exact: somebody chose them, do not look)
  files     the bytes of each file, and of all together
"""
import array
import collections
import getopt
import math
import sys

import curve
import figures
from decode import GF_TABLE, gf_inverse

HEADER = PAGE = 16384
BLOCK = 16
E = slice(16, 48)
IMPOSSIBLE = 0.0
LENGTH_BITS = 16  # a length is drawn from a range of 65,536 bytes at least


def both_headers(files):
    for name, offset in ('A', 0), ('B', -HEADER):
        yield name, [f[offset:][:HEADER] for f in files]


def check_bytes(files):
    n = len(files)
    masks = [int.from_bytes(bytes([1 << bit]) * n, 'little') for bit in range(8)]
    for name, headers in both_headers(files):
        pairs, ones = 0, [0] * 8
        data = b''.join(headers)
        for at in range(HEADER):
            column = data[at::HEADER]
            agree = figures.pairs_that_agree(collections.Counter(column).values())
            pairs += agree
            yield figures.so_many_pairs(agree, n, 256), 'byte', at, 'of header', name
            bits = int.from_bytes(column, 'little')
            for bit, mask in enumerate(masks):
                count = (bits & mask).bit_count()
                ones[bit] += count
                yield figures.coin(count, n), 'bit', bit, 'of byte', at, 'of header', name
        mean, variance, _ = figures.pair_moments(n, 256)
        z = (pairs - HEADER * mean) / math.sqrt(HEADER * variance)
        yield figures.normal(z), 'all bytes of header', name
        for bit in range(8):
            yield figures.coin(ones[bit], n * HEADER), 'bit', bit, 'of all bytes of header', name


def check_curve(files):
    for name, headers in both_headers(files):
        keys = [header[E] for header in headers]
        what = f'E of header {name},'
        yield from points(map(curve.represented, keys), what, 'as the map takes it')
        for sort, decode in ('X25519', curve.as_x25519), ('Ed25519', curve.as_ed25519):
            found = [point for point in map(decode, keys) if point]
            yield figures.coin(len(found), len(keys)), what, sort, 'keys'
            yield from points(found, what, 'as', sort, 'key')
        yield figures.coin(sum(map(curve.first_branch, keys)), len(keys)), what, 'side of the map'
        numbers = [int.from_bytes(e, 'little') for e in keys]
        for bit, word in (254, 'second bit'), (255, 'top bit'), (0, 'odd root'):
            yield figures.coin(sum(n >> bit & 1 for n in numbers), len(keys)), what, word
        large = sum((n & (1 << 255) - 1) > curve.P // 2 for n in numbers)
        yield figures.coin(large, len(keys)), what, 'larger root'


def points(found, *what):
    cosets = collections.Counter(map(curve.coset, found))
    total = sum(cosets.values())
    if total:
        yield figures.uniform(cosets.values(), total, 8), *what, 'subgroup'


def check_repeated(files):
    """Halves of blocks are sorted into bins, so that a bin fits into memory."""
    bins = [array.array('Q') for _ in range(64)]
    for f in files:
        for start, end in stretches(f):
            for half in memoryview(f)[start:end].cast('Q')[::2]:
                bins[half & 63].append(half)
    twice = set()
    for halves in bins:
        if len(set(halves)) < len(halves):
            twice.update(half for half, n in collections.Counter(halves).items() if n > 1)
    return locate(files, twice) if twice else []


def stretches(f):
    """Two runs of aligned blocks: header B has an alignment of its own."""
    whole = len(f) - len(f) % BLOCK
    yield 0, whole
    if whole < len(f):
        yield len(f) - HEADER, len(f)


def locate(files, twice):
    seen = {}
    for number, f in enumerate(files):
        for start, end in stretches(f):
            for at in range(start, end, BLOCK):
                block = f[at:at + BLOCK]
                if int.from_bytes(block[:8], sys.byteorder) in twice:
                    if block in seen:
                        yield IMPOSSIBLE, f'file {number} at {at} is {seen[block]}'
                    seen[block] = f'file {number} at {at}'


def check_multiples(files):
    seen = {}
    for number, f in enumerate(files):
        for at in range(PAGE, len(f) - HEADER - PAGE + 1, PAGE):
            front = f[at:at + BLOCK].lstrip(b'\0')
            if front:
                front = front.translate(GF_TABLE[gf_inverse(front[0])])
                if front in seen:
                    yield IMPOSSIBLE, f'the page at {at} of file {number} is a multiple of {seen[front]}'
                seen[front] = f'the page at {at} of file {number}'


def check_lengths(files):
    n, lengths = len(files), [len(f) for f in files]
    for bit in range(LENGTH_BITS):
        yield figures.coin(sum(length >> bit & 1 for length in lengths), n), 'bit', bit, 'of the length'
    for power in range(4, LENGTH_BITS + 1):
        whole = sum(length % (1 << power) == 0 for length in lengths)
        yield figures.rate(whole, n / (1 << power)), 'multiples of', 1 << power, 'as length'
    common, times = collections.Counter(lengths).most_common(1)[0]
    one = figures.rate(times, n / (1 << LENGTH_BITS))
    yield min(1.0, one * (1 << LENGTH_BITS)), times, 'times a length of', common


def check_files(files):
    total = collections.Counter()
    for number, f in enumerate(files):
        counts = collections.Counter(f)
        total.update(counts)
        yield figures.uniform(counts.values(), len(f), 256), 'bytes of file', number
    yield figures.uniform(total.values(), sum(total.values()), 256), 'bytes of all files'


CHECKS = {'bytes': check_bytes, 'curve': check_curve, 'repeated': check_repeated,
          'multiples': check_multiples, 'lengths': check_lengths, 'files': check_files}


def main(argv):
    options, paths = getopt.getopt(argv, '', ['only=', 'exact'])
    options = dict(options)
    names = options['--only'].split(',') if '--only' in options else list(CHECKS)
    if '--exact' in options:
        names = [name for name in names if name != 'lengths']
    files = []
    for path in paths:
        with open(path, 'rb') as file:
            files.append(file.read())
    results = [(p, name + ':', *what) for name in names for p, *what in CHECKS[name](files)]
    print(f'{len(files)} files, {sum(map(len, files))} bytes, {len(results)} questions; least:',
          figures.words(figures.least(results)), file=sys.stderr)
    found = figures.suspects(results)
    for result in found[:100]:
        print(figures.words(result))
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
