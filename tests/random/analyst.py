#!/usr/bin/python3
"""Is there a further compartment?  What somebody with keys can compute, compared.

usage: analyst.py look KEYFILE,... BUNDLE...     a line of JSON for each bundle: all
                                                 that is to be seen of it
       analyst.py simulate DEAL N WITH KEYS VOLUMES
                                                 the same of N bundles that are dealt
                                                 but not written; WITH: 0 or 1 further
                                                 compartment beside those of the KEYS
       analyst.py compare LINES LINES            without and with: any difference?

A bundle is one file, or its volumes with commas between them.  compare names every
feature whose distribution differs, and whether a classifier trained on half of the
bundles is right more often than chance about the others; exit code 1 if so.

DEAL is `right', or what a build may do that has not thought of it:

  contiguous     compartments lie one behind the other, in any order
  leftover       one gets what the one before it has left at the front
  slots          their slots are in their order, the further one's first
  length         the file is as long as all of them need
  greedy         volumes are filled one after the other
"""
import collections
import hashlib
import itertools
import json
import random
import sys

import figures
from decode import PAGE, Volume, derive, kek, key_file_of

SLOTS = 32
HEADER = 48 + SLOTS * 128
BINS = 64


# Looking

def slot_of(header, kinds, secret):
    """The number of the slot that a secret opens."""
    key = derive(kek(kinds, header, secret), b'satchel slot tag 1')
    for n in range(SLOTS):
        slot = header[48 + 128 * n:][:128]
        tag = hashlib.blake2b(header[:48] + bytes([n]) + slot[:96], digest_size=32, key=key).digest()
        if tag == slot[96:]:
            return n
    return None


def look_with(secret, volumes):
    """What one key shows of each volume."""
    seen = []
    for v in volumes:
        v.find_slot((None, secret, []), None)
        v.read_root()
        headers = [header for _, header in v.headers(None)]
        slots = [slot_of(header, 2, secret) for header in headers]
        if v.count > 1:
            slots += [slot_of(header, 8, v.ck) for header in headers]
        seen.append({'owned': v.owned, 'slots': slots, 'roots': v.root_pages, 'total': v.slices,
                     'numbers': [v.number, v.count, v.data_pages, v.parity_pages, *v.begins]})
    return seen


def unevenness(v, owned):
    """Of some pages that no key at hand opens, and of the tail."""
    rest = [q for q in range(v.slices) if q not in owned]
    data = b''.join(v.read(PAGE * (1 + q * v.slice), PAGE) for q in rest[:2] + rest[-2:])
    data += v.read(PAGE * (1 + v.slices * v.slice), v.length - PAGE * (2 + v.slices * v.slice))
    return sum(n * n for n in collections.Counter(data).values()) / max(len(data), 1)


def look(key_files, bundle):
    volumes = [Volume(path) for path in bundle.split(',')]
    keys = []
    for key_file in key_files:
        with open(key_file, 'rb') as file:
            keys.append(look_with(key_file_of(file.read()), volumes))
    owned = [{q for key in keys for q in key[i]['owned']} for i in range(len(volumes))]
    seen = {'keys': keys, 'lengths': [v.medium for v in volumes],
            'unevenness': [unevenness(v, o) for v, o in zip(volumes, owned)],
            'headers': b''.join(h[:HEADER] for v in volumes for _, h in v.headers(None)).hex()}
    for v in volumes:
        v.file.close()
    return seen


# Dealing

NEEDS = 11, 9, 8        # slices: of the first key's, the second's, the further one
TOTAL = 40


def amounts(deal, needs, volumes):
    """How many slices each takes of each volume."""
    if deal != 'greedy':
        return [[need] * volumes for need in needs]
    room, taken = [TOTAL] * volumes, []
    for need in reversed(needs):
        left, row = need * volumes, []
        for i in range(volumes):
            row.append(min(left, room[i]) if i < volumes - 1 else left)
            left -= row[i]
            room[i] -= row[i]
        taken.insert(0, row)
    return taken


def deal_volume(deal, counts, total):
    if deal == 'contiguous':
        at, owned = 0, {}
        for i in random.sample(range(len(counts)), len(counts)):
            owned[i] = list(range(at, at + counts[i]))
            at += counts[i]
        return [owned[i] for i in range(len(counts))]
    left, owned = list(range(total)), []
    for count in reversed(counts):
        first = deal == 'leftover' and len(owned) > 0
        owned.append(left[:count] if first else sorted(random.sample(left, count)))
        left = [q for q in left if q not in owned[-1]]
    return owned[::-1]


def simulate(deal, further, keys, volumes):
    counts = amounts(deal, NEEDS[:keys] + NEEDS[2:] * further, volumes)
    total = max(2 * sum(NEEDS[:keys + further]) if deal == 'length' else TOTAL, TOTAL if volumes > 1 else 0)
    seen = {'keys': [[] for _ in range(keys)], 'lengths': [PAGE * (total + 2)] * volumes,
            'unevenness': [random.random() for _ in range(volumes)], 'headers': ''}
    for i in range(volumes):
        owned = deal_volume(deal, [row[i] for row in counts], total)
        slots = [random.sample(range(SLOTS), 2 * keys) for _ in 'AB']
        if deal == 'slots':
            slots = [list(range(further, further + 2 * keys))] * 2
        for k, key in enumerate(seen['keys']):
            mine = owned[k] or [0]
            key.append({'owned': owned[k], 'slots': [slots[0][k], slots[1][k]], 'total': total, 'numbers': [],
                        'roots': [mine[0], mine[len(mine) // 2], mine[-1]]})
    return seen


# Comparing

def runs(owned):
    return 1 + sum(b - a > 1 for a, b in zip(owned, owned[1:]))


def of_one(part):
    """What one key's slices in one volume are like."""
    owned, n = part['owned'], max(len(part['owned']), 1)
    gaps = [b - a for a, b in zip(owned, owned[1:])] or [0]
    mean = sum(owned) / n
    yield from {'count': len(owned), 'mean': mean, 'spread': sum((q - mean)**2 for q in owned) / n,
                'first': min(owned, default=-1), 'last': max(owned, default=-1), 'runs': runs(owned),
                'largest gap': max(gaps), 'smallest gap': min(gaps), 'gaps squared': sum(g * g for g in gaps),
                'odd': sum(q & 1 for q in owned), 'of four': sum(q % 4 == 0 for q in owned),
                'in the front': sum(2 * q < part['total'] for q in owned), 'total': part['total']}.items()
    for name in 'roots', 'slots', 'numbers':
        yield from ((f'{name} {i}', value) for i, value in enumerate(part[name]))
    yield 'from slot to slot', (part['slots'][0] - part['slots'][1]) % SLOTS
    counts = collections.Counter(q * BINS // max(part['total'], BINS) for q in owned)
    yield from ((f'at {i} of {BINS}', counts[i]) for i in range(min(part['total'], BINS)))


def of_two(one, two):
    """How the slices of two keys lie to each other, in one volume."""
    both = sorted([(q, 0) for q in one['owned']] + [(q, 1) for q in two['owned']])
    yield 'turns', sum(a[1] != b[1] for a, b in zip(both, both[1:]))
    yield 'side by side', sum(b[0] - a[0] == 1 and a[1] != b[1] for a, b in zip(both, both[1:]))
    yield 'runs of both', runs([q for q, _ in both])
    yield 'slots apart', (one['slots'][0] - two['slots'][0]) % SLOTS
    yield 'slots apart in B', (one['slots'][1] - two['slots'][1]) % SLOTS
    yield 'slot before slot', one['slots'][0] < two['slots'][0]


def features(seen):
    found = {}
    for i, length in enumerate(seen['lengths']):
        found[f'volume {i}: length'] = length
        found[f'volume {i}: unevenness'] = seen['unevenness'][i]
        for k, key in enumerate(seen['keys']):
            found.update((f'volume {i}, key {k}: {name}', value) for name, value in of_one(key[i]))
        for one, two in itertools.combinations(seen['keys'], 2):
            found.update((f'volume {i}, both keys: {name}', value) for name, value in of_two(one[i], two[i]))
    for k, key in enumerate(seen['keys']):
        for (i, one), (j, two) in itertools.combinations(enumerate(key), 2):
            found[f'volumes {i} and {j}, key {k}: common'] = len({*one['owned']} & {*two['owned']})
    return found


def compare_headers(without, with_):
    headers = [[bytes.fromhex(seen['headers']) for seen in sample] for sample in (without, with_)]
    for at, (xs, ys) in enumerate(zip(*(zip(*sample) for sample in headers))):
        yield figures.same_shares(xs, ys), 'byte', at % HEADER, 'of header', at // HEADER


def compare(without, with_):
    rows = [[features(seen) for seen in sample] for sample in (without, with_)]
    names = sorted(set.union(*(set(row) for sample in rows for row in sample)))
    table = [[[float(row.get(name, -1)) for name in names] for row in sample] for sample in rows]
    results = list(compare_headers(without, with_))
    for i, name in enumerate(names):
        xs, ys = ([row[i] for row in sample] for sample in table)
        if len(set(xs) | set(ys)) > 1:
            results += figures.compare(xs, ys, name)
    right, of = figures.right_guesses(*table)
    results.append((figures.coin(right, of), f'the classifier is right about {right} of {of}'))
    return results, len(names)


def load(path):
    with open(path, encoding='ascii') as lines:
        return [json.loads(line) for line in lines]


def main(verb, *arguments):
    if verb == 'look':
        for bundle in arguments[1:]:
            print(json.dumps(look(arguments[0].split(','), bundle)))
    elif verb == 'simulate':
        n, *numbers = map(int, arguments[1:])
        for _ in range(n):
            print(json.dumps(simulate(arguments[0], *numbers)))
    else:
        samples = list(map(load, arguments))
        results, count = compare(*samples)
        print(f'{len(samples[0])} without, {len(samples[1])} with; {count} features, {len(results)} tests; '
              f'least: {figures.words(figures.least(results))}; {results[-1][1]}', file=sys.stderr)
        found = figures.suspects(results)
        for result in found[:100]:
            print(figures.words(result))
        return 1 if found else 0
    return 0


sys.exit(main(*sys.argv[1:]))
