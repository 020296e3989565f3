#!/usr/bin/python3
"""Are a bundle's parity pages what its raw pages would give?

usage: parity.py KEYFILE BUNDLE...           0: nowhere; 1: somewhere, or a tell
       parity.py --plant KIND KEYFILE OUTDIR BUNDLE...

Encodes the bytes on the drive, with the key to know the groups, and compares the
result with the parity pages on the drive: as many bytes agree as chance has it.
KIND is what another build would do: `raw', parity over what is sealed, or
`unsealed', parity over the payloads and stored as it is.
"""
import collections
import os
import sys

import figures
from decode import PAGE, PAYLOAD, Bundle, add, gf_inverse, key_file_of, scale


def places(volume):
    """Where logical pages are in the file."""
    return [PAGE * (1 + volume.place_of(t)) for t in range(volume.data_pages + volume.parity_pages)]


def groups(volume):
    """For each parity page: its logical number, its own number, and (row, number) of
    each page of its column."""
    full, per_band = 64 * volume.columns, volume.m * volume.columns
    for band in range(volume.bands):
        start = band * (full + per_band)
        data = min(full, volume.data_pages - band * full)
        for j in range(per_band):
            column = (data + j) % volume.columns
            yield start + data + j, j // volume.columns, [
                (t // volume.columns, start + t) for t in range(column, data, volume.columns)]


def encode(q, rows, page):
    total = bytes(PAYLOAD)
    for row, t in rows:
        total = add(total, scale(gf_inverse((64 + q) ^ row), page(t)))
    return total


def volumes(key_file, path):
    with open(key_file, 'rb') as file:
        secret = key_file_of(file.read())
    with open(path, 'rb') as file:
        data = bytearray(file.read())
    yield from ((v, data) for v in Bundle([path], (None, secret, [])).volumes.values())


def check(key_file, paths):
    agree = total = pages = 0
    per_file = []
    for path in paths:
        for volume, data in volumes(key_file, path):
            at = places(volume)
            per_file.append((figures.uniform(collections.Counter(data).values(), len(data), 256), path))
            for t, q, rows in groups(volume):
                code = encode(q, rows, lambda t: bytes(data[at[t]:at[t] + PAYLOAD]))
                pages += 1
                total += PAYLOAD
                agree += PAYLOAD - sum(map(bool, add(code, data[at[t]:at[t] + PAYLOAD])))
    expected = total / 256
    z = (agree - expected) / (expected * 255 / 256)**0.5 if total else 1e9
    found = figures.suspects([(figures.normal(z), 'bytes that agree')] + per_file)
    print(f'{pages} parity pages: {agree} bytes agree where {expected:.0f} do by chance')
    for result in found[:5]:
        print(figures.words(result))
    return 1 if found or not pages else 0


def plant(kind, key_file, out, paths):
    for path in paths:
        for volume, data in volumes(key_file, path):
            at, raw = places(volume), bytes(data)
            for t, q, rows in groups(volume):
                page = (lambda t: raw[at[t]:at[t] + PAYLOAD]) if kind == 'raw' else volume.logical
                data[at[t]:at[t] + PAYLOAD] = encode(q, rows, page)
            with open(os.path.join(out, os.path.basename(path)), 'wb') as file:
                file.write(data)


if sys.argv[1] == '--plant':
    plant(*sys.argv[2:5], sys.argv[5:])
else:
    sys.exit(check(sys.argv[1], sys.argv[2:]))
