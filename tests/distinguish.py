#!/usr/bin/python3
"""Try to tell bundles from random bytes, as an inspector without a key would.

distinguish.py FILE...      one line for each tell that is found; exit code 1

  fixed       a byte of a header that is the same in all files
  biased      a bit of a header that is set far too often or too seldom
  repeated    16 aligned bytes that occur twice, in one file or in two
  lengths     lengths that repeat, or lie on multiples of a power of two
  uneven      the bytes of a file are not evenly spread
"""
import collections
import math
import sys

HEADER = 16384
BLOCK = 16
SIGMA = 6.5  # over 262,144 bits of two headers: a false alarm in 25,000 runs


def headers(files):
    for offset in (0, -HEADER):
        yield 'A' if offset == 0 else 'B', [f[offset:][:HEADER] for f in files]


def fixed_bytes(files):
    for which, group in headers(files):
        for at, column in enumerate(zip(*group)):
            if len(set(column)) == 1:
                yield f'fixed: byte {at} of header {which} is always {column[0]:02x}'


def biased_bits(files):
    n = len(files)
    limit = SIGMA * math.sqrt(n) / 2
    for which, group in headers(files):
        for at, column in enumerate(zip(*group)):
            for bit in range(8):
                ones = sum(byte >> bit & 1 for byte in column)
                if abs(ones - n / 2) > limit:
                    yield f'biased: bit {bit} of byte {at} of header {which}: {ones} of {n}'


def repeated_blocks(files):
    seen = {}
    for number, f in enumerate(files):
        starts = list(range(0, len(f) - BLOCK + 1, BLOCK))
        if len(f) % BLOCK:  # header B has an alignment of its own
            starts += range(len(f) - HEADER, len(f), BLOCK)
        for at in starts:
            block = f[at:at + BLOCK]
            if block in seen:
                yield f'repeated: file {number} at {at} is file {seen[block][0]} at {seen[block][1]}'
            seen[block] = (number, at)


def lengths(files):
    sizes = [len(f) for f in files]
    common, times = collections.Counter(sizes).most_common(1)[0]
    if times > max(3, len(sizes) // 20):
        yield f'lengths: {times} of {len(sizes)} files have {common} bytes'
    for power in (16, 512, 4096, 16384, 65536):
        on = sum(size % power == 0 for size in sizes)
        expected = len(sizes) / power
        if on > expected + 6 * math.sqrt(expected) + 1:
            yield f'lengths: {on} of {len(sizes)} are multiples of {power}'


def uneven(files):
    for number, f in enumerate(files):
        expected = len(f) / 256
        chi2 = sum((n - expected)**2 for n in
                   (f.count(bytes([value])) for value in range(256))) / expected
        # Chi-square with 255 degrees of freedom, as a normal deviate.
        z = (chi2 - 255) / math.sqrt(2 * 255)
        if abs(z) > SIGMA:
            yield f'uneven: file {number}: chi-square {chi2:.0f} where 255 is expected'


def main(paths):
    files = [open(path, 'rb').read() for path in paths]
    found = 0
    for test in (fixed_bytes, biased_bits, repeated_blocks, lengths, uneven):
        for tell in test(files):
            print(tell)
            found += 1
            if found >= 20:
                break
    return 1 if found else 0


sys.exit(main(sys.argv[1:]))
