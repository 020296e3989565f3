"""Reading: list, show one file, verify, extract; from the page cache."""
import os

from corpora import length, warm
from limits import probe
from measure import Failed, clear, rounds, run, say
from peers import READING, Contestant, pack_line

VERBS = ['ls', 'cat', 'verify', 'extract']


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
        self.bound = {}
        self.failed = set()

    def store(self, contestant):
        return f'{self.setting.work}/store-{contestant.name.replace("|", "-").replace(" ", "")}'

    def where(self, contestant, dest=''):
        return self.setting.environment(SRC=self.path, OUT=self.store(contestant), DEST=dest,
                                        FILE=self.file)

    def measure(self):
        say(f'read {self.name}: packing it once with each')
        ready = [c for c in ourselves() + self.setting.peers
                 if 'ls' in c.lines and self.pack(c)]
        rounds(self.setting.runs, ready, self.step, before=self.before)
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
        """The reader opens with libsodium."""
        cores = self.setting.cores
        self.bound = {'open': probe(self.setting, 'open-small', 1)[0] * cores,
                      'hash': probe(self.setting, 'hash-small', 1)[0] * cores}

    def limit(self, contestant):
        """Seconds that verifying takes at best."""
        kept = 1 / self.bound['open'] + (1 / self.bound['hash'] if contestant.signed else 0)
        return length(self.store(contestant))[0] / 1e6 * kept

    def step(self, contestant):
        warm(self.store(contestant))
        for verb in VERBS:
            if verb in contestant.lines and (contestant.name, verb) not in self.failed:
                for place, dest in self.setting.places() if verb == 'extract' else [('', '')]:
                    self.verb(contestant, verb, place, dest)

    def verb(self, contestant, verb, place, dest):
        metric = f'{verb}, to {place}' if place else verb
        dest = dest or self.setting.scratch
        clear(dest)
        try:
            done = run(contestant.lines[verb], self.where(contestant, dest))
        except Failed as why:
            self.failed.add((contestant.name, verb))
            self.miss(contestant, metric, str(why))
            return
        bound = self.limit(contestant) if verb == 'verify' and contestant.workers else None
        where = ('read', self.name, contestant.name)
        self.results.add(*where, metric, 's', done.wall, bound,
                         'opening every page on all cores, libsodium; signed: hashing, too')
        self.results.add(*where, metric + ' CPU', 's', done.cpu)
        self.results.add(*where, metric + ' memory', 'MB', done.peak / 1e6)
        clear(dest)


def measure(setting, results):
    for corpus in setting.cases:
        if corpus != 'tiny':
            Case(setting, results, corpus).measure()
            results.save()
