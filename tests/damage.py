#!/usr/bin/python3
"""Loses pages of a bundle, and says by decode.py alone what that costs.

usage: damage.py tree DIR PAGES              files that fill about so many pages
       damage.py plan BUNDLE KEYFILE OUT [--real] LOSS...
       damage.py bursts BUNDLE KEYFILE WHICH what LOSS may be: "few" or "all"
       damage.py chance BUNDLE KEYFILE P N   files lost in N draws, computed
       damage.py apply BUNDLE OUT/NAME       the damage of a plan is done,
       damage.py undo BUNDLE OUT/NAME        and taken back
       damage.py differ ONE OTHER            numbers of the pages that differ
       damage.py mounted TREE MOUNT OUT/NAME is a mount what the plan says?

A LOSS is rate:P:SEED, each page and copy of the root by chance,
burst:FIRST:COUNT, of logical pages, or index:COPIES, of all pages of the "last" copy of the
index, of that in "front" of the content or of "both", and so much of their columns that
nothing brings them back.  The bundle is whole, has one volume and
opens with KEYFILE.  For each loss, NAME, there is then

  OUT/NAME.pages   numbers of the pages of the file that are overwritten
  OUT/NAME.gone    those of them that nothing can bring back
  OUT/NAME.lost    paths of the files that cannot be had
  OUT/NAME.holes   of these files, what of them cannot be had: path, a tab, numbers
                   of blocks of 4,096 bytes
  OUT/NAME.says    what satchel-read verify --json is to say: these paths, and a summary

and NAME and a word is printed: healthy, repaired, lost, copy (of the index, which is
there once more, and of nothing else), index (of both; then names can be lost, and there
are no .holes and .says), or rootless.  With --real, decode.py reads
the damaged bundle as well, and finds the same.
"""

import errno
import json
import math
import os
import random
import sys

sys.dont_write_bytecode = True

PAGE, BLOCK = 16384, 4096


# A tree

def content(random_, number, size):
    if number % 5:
        return random_.randbytes(size)
    words = [b'%x' % random_.getrandbits(20) for _ in range(300)]
    return b' '.join(random_.choice(words) for _ in range(size // 4 + 1))[:size]


def make_tree(directory, pages):
    """Mostly small files, some that are compressed, one that takes a tenth."""
    random_, left = random.Random(pages), pages * 16368
    number = 0
    while left > 0:
        size = random_.choice((0, 100, 3000, 9000, 20000, 40000, 16368, 70000))
        if number == 7:
            size = left // 10
        size = min(left, size + random_.randrange(1 + size // 2))
        name = '%04d.%s' % (number, 'jpg' if number % 5 else 'txt')
        path = os.path.join(directory, *(() if number % 3 else ('part %d' % (number // 100),)), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as out:
            out.write(content(random_, number, size))
        number, left = number + 1, left - size


# What lies where

class Oracle:
    """A healthy bundle, and which pages decode.py reads for which block of which file."""

    def __init__(self, path, key_file):
        with open(key_file, 'rb') as source:
            self.secrets = None, decode.key_file_of(source.read()), []
        self.path, self.bundle = path, decode.Bundle([path], self.secrets)
        self.volume = v = self.bundle.root
        self.all = v.data_pages + v.parity_pages
        self.at = [v.place_of(t) for t in range(self.all)]
        # Band, column and data page (or none) of each logical page.
        self.role = []
        for band in range(v.bands if v.m else 1):
            full = 64 * v.columns if v.m else v.data_pages
            d = min(full, v.data_pages - band * full)
            self.role += [((band, i % v.columns if v.m else i), band * full + i if i < d else None)
                          for i in range(d + v.m * v.columns)]
        self.index = set(range(v.index_begins // decode.PAYLOAD, v.data_pages))
        self.front = set(range(-(-v.content_begins // decode.PAYLOAD)))
        self.blocks = {}
        self.learn()

    def learn(self):
        seen, data_page = set(), self.volume.data_page

        def watched(i):
            seen.add(i)
            return data_page(i)

        files = [line['path'] for line in decode.walk(self.bundle, False) if line['kind'] == 'file']
        for number in range(-(-self.bundle.tables['segments'][0] // 512)):
            self.bundle.block('segments', number)   # is not a page of the first file's
        self.volume.data_page = watched
        for path in files:
            entry = decode.find(self.bundle, path.encode())
            self.blocks[path] = []
            for at in range(0, entry.size, BLOCK):
                for key in [key for key in self.bundle.cache if key[1] == 'leaves']:
                    del self.bundle.cache[key]
                seen.clear()
                for _ in self.bundle.plain(entry.address + at, min(BLOCK, entry.size - at)):
                    pass
                self.blocks[path].append(frozenset(seen))
        self.volume.data_page = data_page

    def judge(self, lost, roots):
        """lost: logical pages; the result: a word, and what else is to be known."""
        v, per_column = self.volume, {}
        for t in lost:
            per_column.setdefault(self.role[t][0], []).append(t)
        gone = {t for pages in per_column.values() if len(pages) > v.m for t in pages}
        data = {self.role[t][1] for t in gone} - {None}
        holes = {}
        for path, blocks in self.blocks.items():
            hole = [n for n, pages in enumerate(blocks) if pages & data]
            if hole:
                holes[path] = hole
        word = 'repaired' if lost or roots else 'healthy'
        if data:
            word = 'lost' if holes else 'copy'
        if data & self.index and (data & self.front or not self.front):
            word = 'index'
        if len(roots) == 3:
            word = 'rootless'
        parity = sum(self.role[t][1] is None for t in lost)
        says = {'result': 'lost' if data else word, 'files_lost': len(holes), 'pages': self.all,
                'repaired': len(lost) - len(data) - parity, 'lost': len(data),
                'parity_damaged': parity}
        return word, gone, holes, says


def lose_index(oracle, copies):
    """All pages of these copies, and all parity of their columns."""
    wanted = {'front': oracle.front, 'last': oracle.index, 'both': oracle.front | oracle.index}[copies]
    columns = {column for column, data in oracle.role if data in wanted}
    return {t for t, (column, data) in enumerate(oracle.role)
            if data in wanted or data is None and column in columns}


def losses(oracle, loss):
    """The logical pages and the copies of the root that are lost."""
    kind, *values = loss.split(':')
    if kind == 'index':
        return lose_index(oracle, *values), set()
    if kind == 'burst':
        first, count = map(int, values)
        return set(range(first, min(first + count, oracle.all))), set()
    random_, chance = random.Random(loss), float(values[0])
    return ({t for t in range(oracle.all) if random_.random() < chance},
            {copy for copy in range(3) if random_.random() < chance})


def put(path, lines):
    with open(path, 'w') as out:
        out.writelines(f'{line}\n' for line in lines)


def lines_of(path):
    with open(path) as lines:
        return [line.rstrip('\n') for line in lines]


def read_damaged(oracle, name):
    """What decode.py itself cannot have of the damaged bundle."""
    apply(oracle.path, name)
    try:
        bundle = decode.Bundle([oracle.path], oracle.secrets)
        sound = {line['path'] for line in decode.walk(bundle, True) if 'sha256' in line}
    except decode.Damaged:
        sound = set()
    finally:
        undo(oracle.path, name)
    return set(oracle.blocks) - sound


def plan(path, key_file, out, *wanted):
    oracle = Oracle(path, key_file)
    real, decode.complain = '--real' in wanted, lambda text: None
    for loss in wanted:
        if loss == '--real':
            continue
        lost, roots = losses(oracle, loss)
        word, gone, holes, says = oracle.judge(lost, roots)
        name = os.path.join(out, loss)
        put(name + '.pages', sorted([oracle.at[t] for t in lost] + [oracle.volume.root_pages[c] for c in roots]))
        put(name + '.gone', sorted(oracle.at[t] for t in gone))
        if real or word == 'index':
            missed = read_damaged(oracle, name)
            assert word in ('index', 'rootless') or missed == set(holes), (loss, missed ^ set(holes))
            assert missed >= set(holes)
        put(name + '.lost', sorted(missed if word == 'index' else holes))
        if word != 'index':
            said = [json.dumps(line, separators=(',', ':')) for line in [*holes, says]]
            put(name + '.says', sorted(said))
            put(name + '.holes', ('\t'.join([path, *map(str, blocks)]) for path, blocks in sorted(holes.items())))
        print(loss, word)


def bursts(path, key_file, which):
    """One page, as many as is promised, and one more, at every class of offset: each
    column at the front of a band, over the end of its data, where bands meet, and at
    the end of all."""
    with open(key_file, 'rb') as source:
        v = decode.Bundle([path], (None, decode.key_file_of(source.read()), [])).root
    most, length, end = v.m * v.columns, (64 + v.m) * v.columns, v.data_pages + v.parity_pages
    firsts = set(range(end - most))
    if which == 'few':
        last = (v.bands - 1) * length
        data = last + v.data_pages - (v.bands - 1) * 64 * v.columns
        firsts = {1, data - most // 2 - 1, end - most - 1}
        firsts |= {length - most, length - most // 2, length - 1} if v.bands > 1 else set()
        print('burst:2:1')
    for first in sorted(firsts):
        for count in (most, most + 1):
            print(f'burst:{max(first, 0)}:{count}')


def more_than(m, n, p):
    """More than m of n are lost, each by chance."""
    return 1 - sum(math.comb(n, k) * p**k * (1 - p)**(n - k) for k in range(m + 1))


def chance(path, key_file, p, draws):
    """A file is lost if one of its pages is, in a column that has lost too many."""
    oracle, p, total = Oracle(path, key_file), float(p), 0
    pages_of, m = {}, oracle.volume.m
    for column, data in oracle.role:
        pages_of.setdefault(column, []).append(data)
    column_of = {data: column for column, data in oracle.role}
    for blocks in oracle.blocks.values():
        ours, whole = {}, 1
        for i in frozenset().union(*blocks):
            ours[column_of[i]] = ours.get(column_of[i], 0) + 1
        for column, k in ours.items():
            n = len(pages_of[column])
            whole *= 1 - more_than(m, n, p) + (1 - p)**k * more_than(m, n - k, p)
        total += 1 - whole
    print('%.3g of %d' % (int(draws) * total, int(draws) * len(oracle.blocks)))


# Damage

def apply(path, name):
    random_ = random.Random(os.path.basename(name))
    with open(path, 'r+b') as medium, open(name + '.saved', 'wb') as saved:
        for page in map(int, lines_of(name + '.pages')):
            medium.seek(PAGE * (page + 1))
            saved.write(medium.read(PAGE))
            medium.seek(PAGE * (page + 1))
            medium.write(random_.randbytes(PAGE))


def undo(path, name):
    with open(path, 'r+b') as medium, open(name + '.saved', 'rb') as saved:
        for page in map(int, lines_of(name + '.pages')):
            medium.seek(PAGE * (page + 1))
            medium.write(saved.read(PAGE))
    os.unlink(name + '.saved')


def differ(one, other):
    with open(one, 'rb') as one, open(other, 'rb') as other:
        number = -1
        while True:
            a, b = one.read(PAGE), other.read(PAGE)
            if a != b:
                print(number)
            if not a and not b:
                break
            number += 1


def mounted(tree, mount, name):
    """Every block of every file: as it was packed, or EIO where it is lost."""
    holes = {}
    for line in lines_of(name + '.holes'):
        path, *blocks = line.split('\t')
        holes[path] = set(map(int, blocks))
    read = wrong = errors = 0
    for at, _, files in os.walk(tree):
        for file in files:
            full = os.path.join(at, file)
            path = os.path.relpath(full, tree)
            hole = holes.get(path, set())
            with open(full, 'rb') as packed, open(os.path.join(mount, path), 'rb', buffering=0) as shown:
                wrong += os.fstat(shown.fileno()).st_size != os.path.getsize(full)
                for n in range(-(-os.path.getsize(full) // BLOCK)):
                    try:
                        got = os.pread(shown.fileno(), BLOCK, n * BLOCK)
                    except OSError as e:
                        wrong += e.errno != errno.EIO
                        got = None
                    read, errors = read + 1, errors + (got is None)
                    if got != (None if n in hole else os.pread(packed.fileno(), BLOCK, n * BLOCK)):
                        wrong += 1
                        print(path, n, 'is' if n in hole else 'is not', 'to be lost')
    print(f'{read} blocks, {errors} lost, {wrong} not as they should be')
    return 1 if wrong or not read else 0


if __name__ == '__main__':
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb in ('plan', 'bursts', 'chance'):
        import decode
    verbs = {'tree': lambda directory, pages: make_tree(directory, int(pages)), 'plan': plan,
             'bursts': bursts, 'chance': chance, 'apply': apply, 'undo': undo, 'differ': differ, 'mounted': mounted}
    sys.exit(verbs[verb](*arguments))
