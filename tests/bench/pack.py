"""Packing: each corpus, to a file system and to memory, beside every peer."""
import probing
from corpora import length, warm
from limits import LEVEL, fastest_hash, probe
from measure import Failed, clear, rounds, run, say
from peers import packers


class Bound:
    """What bounds packing, in one round."""

    def __init__(self, setting, corpus, path):
        self.seal, = probe(setting, 'seal', 1)
        self.hash = fastest_hash(setting)
        self.cp = self.zstd = None
        if corpus != 'media':
            self.tree = probe(setting, 'tree', path)[0]
            self.zstd, self.ratio = probe(setting, 'zstd', 1, LEVEL, path)

    def speed(self, workers, signed):
        """MB/s, and how that is computed."""
        kept = 1 / self.seal + (1 / self.hash if signed else 0)
        how = '1/seal + 1/hash' if signed else '1/seal'
        if self.zstd:
            return (workers / (1 / self.zstd + self.ratio * kept + 1 / self.tree),
                    f'{workers} / (1/zstd + ratio x ({how}) + 1/reading)')
        if self.cp and self.cp < workers / kept:
            return self.cp, f'cp, less than {workers} / ({how})'
        return workers / kept, f'{workers} / ({how})'


class Case:
    """One corpus, packed to one place by all."""

    def __init__(self, setting, results, corpus, place, out):
        self.setting, self.results, self.corpus, self.out = setting, results, corpus, out
        self.name = f'{corpus}, to {place}'
        self.path = setting.corpus(corpus)
        self.total, self.count = length(self.path)
        self.done, self.bound = [], None

    def measure(self):
        say(f'pack {self.name}: {self.count} files, {self.total / 1e6:.0f} MB')
        peers = [p for p in self.setting.peers if 'pack' in p.lines and not p.of]
        rounds(self.setting.runs, packers(self.setting.cores) + peers, self.step,
               self.before, self.after)
        clear(self.out)

    def before(self):
        warm(self.path)
        self.done, self.bound = [], Bound(self.setting, self.corpus, self.path)

    def step(self, contestant):
        missing = contestant.missing()
        if missing:
            self.miss(contestant, f'{missing} is not installed')
            return False
        clear(self.out)
        try:
            done = run(contestant.lines['pack'],
                       self.setting.environment(SRC=self.path, OUT=self.out))
        except Failed as why:
            self.miss(contestant, str(why))
            return False
        say(f'  {contestant.name}: {done.wall:.2f} s')
        if contestant.name == 'cp':
            self.bound.cp = self.total / 1e6 / done.wall
        self.done.append((contestant, done, length(self.out)[0]))
        return True

    def miss(self, contestant, why):
        self.results.miss('pack', self.name, contestant.name, 'time', why)

    def after(self):
        for contestant, done, size in self.done:
            self.add(contestant, done, size)

    def add(self, contestant, done, size):
        bound = how = None
        if contestant.workers == self.setting.cores:  # one worker is not one thread
            speed, how = self.bound.speed(contestant.workers, contestant.signed)
            bound = self.total / 1e6 / speed
        for metric, unit, value in (('speed', 'MB/s', self.total / 1e6 / done.wall),
                                    ('CPU', 's', done.cpu), ('memory', 'MB', done.peak / 1e6),
                                    ('size', 'MB', size / 1e6)):
            self.results.add('pack', self.name, contestant.name, metric, unit, value)
        self.results.add('pack', self.name, contestant.name, 'time', 's', done.wall, bound, how)


def measure(setting, results):
    for corpus in setting.cases:
        for place, out in setting.places():
            Case(setting, results, corpus, place, out).measure()
            results.save()
    if 'random' in setting.chosen:
        probing.measure(setting, results)
