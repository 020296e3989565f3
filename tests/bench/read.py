"""Reading: list, show one file, verify, extract; from the page cache."""
import json
import os

from corpora import length, warm
from limits import LEVEL, fastest_hash, probe
from measure import Failed, ask, clear, rounds, run, say
from peers import READING, Contestant, pack_line

VERBS = ['ls', 'cat', 'verify', 'extract']
PAYLOAD = 16368  # bytes of a page: bundle(5)


def ourselves():
    return [Contestant('satchel', workers=1, pack=pack_line(verify=False), **READING),
            Contestant('satchel, signed', workers=1, signed=True,
                       pack=pack_line(signed=True, verify=False), **READING)]


def one_file(path):
    """A file of ordinary length from the middle of the tree."""
    found = []
    for directory, _, files in os.walk(path):
        for name in files:
            full = os.path.join(directory, name)
            if 10000 <= os.lstat(full).st_size <= 100000:
                found.append(os.path.relpath(full, path))
    return sorted(found)[len(found) // 2]


class Case:
    """One corpus, as everybody has packed it, once."""

    def __init__(self, setting, results, corpus):
        self.setting, self.results, self.name = setting, results, corpus
        self.path = setting.corpus(corpus)
        self.file = one_file(self.path)
        self.total, self.count = length(self.path)
        self.done, self.speed, self.failed, self.bundle = {}, {}, set(), {}

    def store(self, contestant):
        """satchel-read verify drops what is in the page cache: ours is where it cannot."""
        where = self.setting.memory if contestant.workers else self.setting.work
        return f'{where}/store-{contestant.name.replace("|", "-").replace(" ", "")}'

    def where(self, contestant, dest=''):
        return self.setting.environment(SRC=self.path, OUT=self.store(contestant), DEST=dest,
                                        FILE=self.file)

    def measure(self):
        say(f'read {self.name}: packing it once with each')
        ready = [c for c in ourselves() + self.setting.peers
                 if 'ls' in c.lines and self.pack(c)]
        rounds(self.setting.runs, ready, self.step, self.before, self.after)
        for contestant in ready:
            clear(self.store(contestant))

    def pack(self, contestant):
        if contestant.missing():
            self.miss(contestant, 'ls', f'{contestant.missing()} is not installed')
            return False
        clear(self.store(contestant))
        try:
            run(contestant.lines['pack'], self.where(contestant))
        except Failed as why:
            self.miss(contestant, 'ls', f'packing: {why}')
            return False
        return True

    def miss(self, contestant, verb, why):
        self.results.miss('read', self.name, contestant.name, verb, why)

    def before(self):
        cores = self.setting.cores
        self.done = {}
        self.speed = {'open': probe(self.setting, 'open-small', 1)[0] * cores,
                      'hash': fastest_hash(self.setting) * cores}
        if self.name != 'media':
            self.speed['unzstd'] = probe(self.setting, 'unzstd', 1, LEVEL, self.path)[0] * cores

    def step(self, contestant):
        warm(self.store(contestant))
        for verb in VERBS:
            if verb in contestant.lines and (contestant.name, verb) not in self.failed:
                for place, dest in self.setting.places() if verb == 'extract' else [('', '')]:
                    self.verb(contestant, verb, place, dest or self.setting.scratch)

    def verb(self, contestant, verb, place, dest):
        metric = f'{verb}, to {place}' if place else verb
        clear(dest)
        try:
            with open(f'{self.setting.work}/printed', 'w+b') as out:
                done = run(contestant.lines[verb], self.where(contestant, dest), out=out)
                self.check(verb, out.seek(0, 2), dest)
            self.done[contestant, metric] = done
        except Failed as why:
            self.failed.add((contestant.name, verb))
            self.miss(contestant, metric, str(why))
        clear(dest)

    def check(self, verb, printed, dest):
        """Was it done at all?"""
        if verb == 'cat' and printed != os.path.getsize(f'{self.path}/{self.file}'):
            raise Failed(f'showed {printed} bytes')
        if verb == 'ls' and printed < self.count:
            raise Failed(f'listed {printed} bytes')
        if verb == 'extract' and length(dest) != (self.total, self.count):
            raise Failed(f'extracted {length(dest)} of {(self.total, self.count)}')

    def after(self):
        for (contestant, metric), done in self.done.items():
            where = ('read', self.name, contestant.name)
            self.results.add(*where, metric, 's', done.wall, *self.limit(contestant, metric))
            self.results.add(*where, metric + ' CPU', 's', done.cpu)
            self.results.add(*where, metric + ' memory', 'MB', done.peak / 1e6)

    def held(self, contestant):
        """MB of content, and of pages that have something, parity too."""
        if contestant not in self.bundle:
            verified = json.loads(ask(READING['verify'] + ' -q --json', self.where(contestant)))
            told = json.loads(ask(READING['info'], self.where(contestant)))
            self.bundle[contestant] = (verified['pages'] * PAYLOAD * 64 / (64 + told['parity']) / 1e6,
                                       verified['pages'] * PAYLOAD / 1e6)
        return self.bundle[contestant]

    def limit(self, contestant, metric):
        """Seconds that it takes at best, and why; for ourselves, where all has to be read."""
        if not contestant.workers or not metric.startswith(('verify', 'extract')):
            return None, None
        content, pages = self.held(contestant)
        seconds = pages / self.speed['open']
        seconds += content / self.speed['hash'] if contestant.signed else 0
        if 'unzstd' in self.speed:
            seconds += self.total / 1e6 / self.speed['unzstd']
        writing = next((d.wall for (c, m), d in self.done.items()
                        if c.name == 'tar' and m == metric), 0)
        if writing > seconds:
            return writing, 'tar -x, which takes longer than opening all pages'
        return seconds, 'all cores open pages (libsodium), check what is signed, and expand'


def measure(setting, results):
    for corpus in setting.cases:
        if corpus != 'tiny':
            Case(setting, results, corpus).measure()
            results.save()
