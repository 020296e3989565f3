#!/usr/bin/python3
"""What is to be found in a memory: that of a machine, or of a process in a core file.

    search.py keys BUNDLE KIND=FILE...   a line for each secret that the bundle is opened
                                         with: KIND passphrase, key-file or identity
    search.py find MEMORY WANTED         WANTED: lines of a name and of what is searched,
                                         in hexadecimal

find prints, for each line: the name, how often it is there, and with how many different
four bytes behind it: what is marked has its number there."""
import mmap
import sys

import decode


def secrets_of(bundle, kind, data):
    volume = decode.Volume(bundle)
    header = next(volume.headers(None))[1]
    if kind == 'passphrase':
        text = decode.passphrase_of(data)
        given = (text, None, [])
        stretched = decode.argon2.low_level.hash_secret_raw(
            text, header[:16], time_cost=3, memory_cost=65536, parallelism=1,
            hash_len=32, type=decode.argon2.low_level.Type.ID, version=19)
        yield 'passphrase', text
        yield 'stretched', stretched
    elif kind == 'key-file':
        given = (None, decode.key_file_of(data), [])
        yield 'key-file', given[1]
    else:
        given = (None, None, decode.identities_of(data))
        yield 'identity', given[2][0]
    for key in decode.combinations(header, 65536, *given):
        if found := decode.fitting(header, key):
            yield 'kek-of-' + kind, key
            yield 'slot-key-of-' + kind, found[1]
            yield 'slot-subkey-of-' + kind, decode.hchacha20(*found[1:])
    assert volume.find_slot(given, None)
    yield 'ck', volume.ck
    yield 'page-key', volume.key


def find(memory, wanted):
    count, numbers, at = 0, set(), memory.find(wanted)
    while at >= 0:
        count += 1
        numbers.add(memory[at + len(wanted):at + len(wanted) + 4])
        at = memory.find(wanted, at + 1)
    return count, len(numbers)


if sys.argv[1] == 'keys':
    found = {}
    for argument in sys.argv[3:]:
        kind, path = argument.split('=')
        with open(path, 'rb') as f:
            found.update(secrets_of(sys.argv[2], kind, f.read()))
    for name, secret in found.items():
        print(name, secret.hex())
else:
    with open(sys.argv[2], 'rb') as f, open(sys.argv[3]) as wanted:
        memory = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        for line in wanted:
            name, text = line.split()
            print(name, *find(memory, bytes.fromhex(text)))
