#!/usr/bin/python3
"""Is anything left in a process with which a bundle could be opened?

usage: memory.py dump PID FILE                 its writable memory
       memory.py find FILE IDENTITY BUNDLE     which secrets of the bundle are in the dump,
                                               one a line
       memory.py scalars FILE BUNDLE           the same of the ephemeral scalars
       memory.py plant FILE IDENTITY BUNDLE OUTFILE OUTBUNDLE
                                               a control: all of them are in OUTFILE,
                                               the scalars those of OUTBUNDLE

Of a bundle for one recipient.  The scalars are known to nobody, the recipient included;
whether some 32 bytes are one is seen by its public key.
"""
import re
import secrets
import sys

import nacl.bindings
from decode import PAGE, Volume, combinations, derive, elligator, identities_of, montgomery, x25519
from encode import Random, hidden_key

CLAMPED = re.compile(rb'(?s)(?=([\x00\x08\x10\x18\x20\x28\x30\x38\x40\x48\x50\x58\x60\x68\x70\x78'
                     rb'\x80\x88\x90\x98\xa0\xa8\xb0\xb8\xc0\xc8\xd0\xd8\xe0\xe8\xf0\xf8].{30}[\x40-\x7f]))')
VARIED = 20  # of 32 random bytes more are different


def dump(pid, out):
    with open(f'/proc/{pid}/maps', encoding='utf-8') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory, \
            open(out, 'wb') as file:
        for line in maps:
            begin, end, rights = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+)', line).groups()
            if 'w' in rights:
                try:
                    memory.seek(int(begin, 16))
                    file.write(memory.read(int(end, 16) - int(begin, 16)))
                except (OSError, OverflowError, ValueError):
                    continue


def secrets_of(identity, bundle):
    """What opens the bundle, or one of its headers; by name."""
    volume = Volume(bundle)
    volume.find_slot((None, None, [identity]), None)
    yield 'compartment key', volume.ck
    yield 'page key', volume.key
    for name, header in volume.headers(None):
        yield f'secret shared in header {name}', x25519(identity, montgomery(elligator(header[16:48])))
        key, = combinations(header, 65536, None, None, [identity])
        yield f'key-encryption key of header {name}', key
        yield f'slot key of header {name}', derive(key, b'satchel slot encryption 1')
        yield f'tag key of header {name}', derive(key, b'satchel slot tag 1')


def scalars(memory, bundle):
    """The headers whose ephemeral scalar is in memory."""
    wanted = {montgomery(elligator(header[16:48])): name for name, header in Volume(bundle).headers(None)}
    tried = set()
    for match in CLAMPED.finditer(memory):
        scalar = match[1]
        if len(set(scalar)) >= VARIED and scalar not in tried:
            tried.add(scalar)
            name = wanted.get(nacl.bindings.crypto_scalarmult_base(scalar))
            if name:
                yield f'ephemeral scalar of header {name}'
    print(f'{len(memory)} bytes, {len(tried)} tried as scalars', file=sys.stderr)


def plant(memory, found, bundle, out_dump, out_bundle):
    """A dump in which all that is found and the scalars of new headers lie, at odd
    places; and a bundle with these headers."""
    with open(bundle, 'rb') as file:
        data = bytearray(file.read())
    lost = list(found.values())
    for offset in 0, len(data) - PAGE:
        scalar, data[offset + 16:offset + 48] = hidden_key(Random(secrets.token_hex(16)))
        lost.append(scalar)
    at = len(memory) // 3 | 1
    for path, content in (out_dump, memory[:at] + b'|'.join(lost) + memory[at:]), (out_bundle, data):
        with open(path, 'wb') as file:
            file.write(content)


def main(verb, *arguments):
    if verb == 'dump':
        return dump(*arguments)
    with open(arguments[0], 'rb') as file:
        memory = file.read()
    if verb == 'scalars':
        found = scalars(memory, arguments[1])
    else:
        with open(arguments[1], 'rb') as file:
            identity, = identities_of(file.read())
        known = dict(secrets_of(identity, arguments[2]))
        if verb == 'plant':
            return plant(memory, known, *arguments[2:])
        found = (name for name, secret in known.items() if secret in memory)
    for name in found:
        print(name)
    return None


main(*sys.argv[1:])
