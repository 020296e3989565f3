"""What this machine can do at best: sealing, hashing, compressing, copying, reading."""
from corpora import largest
from measure import ask, rounds

LEVEL = 3  # satchel-pack's, if not told otherwise


def probe(setting, *arguments):
    """What the program limits prints: MB/s, and for zstd the ratio."""
    line = '"$BUILD/tests/bench/limits" ' + ' '.join(f"'{a}'" for a in arguments)
    return [float(word) for word in ask(line, setting.environment()).split()]


def fastest_hash(setting):
    """MB/s of the fastest way to hash leaves, whichever is used."""
    return max(probe(setting, kind, 1)[0] for kind in ('hash', 'hash-small', 'hash-four'))


def kinds(setting):
    """Name, and what to ask for."""
    made = []
    for threads in sorted({1, setting.cores}):
        many = f'{threads} thread{"s" if threads > 1 else ""}'
        for verb, name in (('seal', 'seal a page, libcrypto'), ('open', 'open a page, libcrypto'),
                           ('seal-small', 'seal a page, libsodium'),
                           ('open-small', 'open a page, libsodium'),
                           ('hash', 'hash a leaf, libcrypto'),
                           ('hash-small', 'hash a leaf, libsodium'),
                           ('hash-four', 'hash four leaves side by side'),
                           ('copy', 'copy memory')):
            made.append((f'{name}, {many}', (verb, threads)))
        for corpus in (c for c in setting.cases if c in ('source', 'documents')):
            for verb, name in (('zstd', 'compress'), ('unzstd', 'expand')):
                made.append((f'{name} {corpus}, zstd {LEVEL}, {many}',
                             (verb, threads, LEVEL, setting.corpus(corpus))))
    for corpus in (c for c in setting.cases if c != 'tiny'):
        path = setting.corpus(corpus)
        made.append((f'read every file of {corpus}', ('tree', path)))
        made.append((f'read the largest file of {corpus}', ('file', f'{path}/{largest(path)}')))
    return made


def measure(setting, results):
    def step(kind):
        name, arguments = kind
        speed, *share = probe(setting, *arguments)
        results.add('limits', 'this machine', name, 'speed', 'MB/s', speed)
        if share and arguments[0] == 'zstd':
            results.add('limits', 'this machine', name, 'ratio', '%', share[0] * 100)
    rounds(setting.runs, kinds(setting), step)
