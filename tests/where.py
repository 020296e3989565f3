#!/usr/bin/python3
"""Where things lie in a volume, for scripts that damage them.

usage: where.py WHAT KEY-OPTION... VOLUME

WHAT:
  slots     those that the key itself opens, in header A and then in B
  siblings  those that the key of another volume opens, likewise
  roots     the three copies of the root
  pages     all logical pages, data and parity, in their order
  data      the data pages among them
  front     those of them that have some of the copy of the index in front of the content
  index     and of the last one, for a bundle of one volume

Prints the offset of each in bytes, one a line.
"""

import random
import sys

sys.dont_write_bytecode = True
import decode


def slots(volume, length, keys):
    """keys: from a header to the KEKs to try."""
    for base, (_, header) in zip((0, length - decode.PAGE), volume.headers(length)):
        for key in keys(header):
            for number in range(32):
                others = bytearray(random.randbytes(decode.PAGE))
                others[:48], at = header[:48], 48 + 128 * number
                others[at:at + 128] = header[at:at + 128]
                if decode.try_slots(bytes(others), key):
                    yield base + at


def ways(header, secrets):
    for profile in 65536, 262144:
        keys = list(decode.combinations(header, profile, *secrets))
        if any(decode.try_slots(header, key) for key in keys):
            return keys
    return []


def main(what, argv):
    _, (path,), _, secrets, length, _, _ = decode.arguments(['info'] + argv)
    v = decode.Volume(path)
    if not v.find_slot(secrets, length):
        raise decode.NoKey('no key fits')
    if what == 'slots':
        return slots(v, v.length, lambda header: ways(header, secrets))
    if what == 'siblings':
        return slots(v, v.length, lambda header: [decode.kek(8, header, v.ck)])
    if what == 'roots':
        return [decode.PAGE * (page + 1) for page in v.root_pages]
    v.read_root()
    offsets = [decode.PAGE * (v.place_of(t) + 1) for t in range(v.data_pages + v.parity_pages)]
    data = [offsets[i + (i // (64 * v.columns) * v.m * v.columns if v.m else 0)]
            for i in range(v.data_pages)]
    if what in ('front', 'index'):
        v = decode.Bundle([path], secrets, length).root
    if what == 'front':
        return data[:-(-v.content_begins // decode.PAYLOAD)]
    if what == 'index':
        return data[v.index_begins // decode.PAYLOAD:]
    return data if what == 'data' else offsets


for offset in main(sys.argv[1], sys.argv[2:]):
    print(offset)
