#!/usr/bin/python3
"""The benchmark.  README, beside this file, says what is measured, how, and what the
columns mean; "make bench" makes what is needed and starts it.

  bench.py BUILD

BUILD: the folder that was built into.  The rest comes from the environment:
  SECTIONS   which of: limits pack read mount scale    (all of them)
  RUNS       rounds; every figure is a median of so many (5)
  PLACES     where to: disk memory  (both)
  PEERS      which peers: names as in the tables, or "all" or "none" (all)
  CASES      which of: media source documents tiny random bytes  (all)
  BENCH_DIR  where corpora, packages and results are kept (/var/tmp/satchel-bench)
  BENCH_HUGE 1: five million files, too"""
import fcntl
import os
import signal
import subprocess
import sys
import time

import goals
import limits
import mount
import pack
import read
import report
import scale
from corpora import Corpora
from measure import OTHERS, Failed, Results, remove, say
from peers import PEERS

SECTIONS = {'limits': limits, 'pack': pack, 'read': read, 'mount': mount, 'scale': scale}
CORPORA = ['media', 'source', 'documents', 'tiny']


def words(name, known, default=None):
    """The words of a variable; each must be known."""
    given = os.environ.get(name, '').split() or default or list(known)
    for word in given:
        if word not in known:
            sys.exit(f'bench: {name}: there is no "{word}", but {" ".join(known)}')
    return given


class Setting:
    """What the sections are to do, and with what."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.runs = int(os.environ.get('RUNS') or 5)
        self.huge = os.environ.get('BENCH_HUGE', '0') not in ('', '0')
        self.sections = words('SECTIONS', SECTIONS)
        self.chosen = words('CASES', CORPORA + ['random', 'bytes'])
        self.cases = [case for case in self.chosen if case in CORPORA]
        names = [peer.name for peer in PEERS]
        chosen = words('PEERS', names + ['all', 'none'], ['all'])
        self.peers = [p for p in PEERS if 'all' in chosen or p.name in chosen]
        self.root = os.environ.get('BENCH_DIR') or '/var/tmp/satchel-bench'
        self.cores = len(os.sched_getaffinity(0))
        self.tiny = int(os.environ.get('BENCH_TINY') or 1000000)
        self.corpora = Corpora(f'{self.root}/corpora', f'{self.root}/packages')
        self.work, self.state = f'{self.root}/work', f'{self.root}/state'
        self.memory = f'/dev/shm/satchel-bench-{os.getpid()}'
        self.scratch = f'{self.memory}/out'

    def corpus(self, name):
        return self.corpora.get(name, self.tiny if name == 'tiny' else 0)

    def environment(self, **more):
        """For a contestant's lines."""
        return dict(os.environ, LC_ALL='C.UTF-8', BUILD=self.build, WORK=self.work,
                    STATE=self.state, PW='correct horse battery staple', **more)

    def places(self):
        """Where to: what it is called, and the directory."""
        known = {'disk': ('a file system', f'{self.work}/out'), 'memory': ('memory', self.scratch)}
        return [known[place] for place in words('PLACES', known)]

    def __enter__(self):
        self.lock = open(f'{self.root}/lock', 'w')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f'bench: another one is at work in {self.root}')
        for path in (self.work, self.state, self.memory):
            remove(path)
            os.makedirs(path, mode=0o700)
        make_keys(self)
        return self

    def __exit__(self, *_):
        for _, path in self.places():
            remove(path)
        for path in (self.work, self.state, self.memory):
            remove(path)


def make_keys(setting):
    subprocess.run(['bash', '-ec', '''
        head -c 64 /dev/urandom >"$STATE/key"
        minisign -G -f -W -p "$STATE/sign.pub" -s "$STATE/sign.key"
        age-keygen -o "$STATE/age.key"; age-keygen -y "$STATE/age.key" >"$STATE/age.pub"
        '''], env=setting.environment(), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def describe_machine(setting):
    with open('/proc/cpuinfo') as file:
        model = next((line.split(':')[1].strip() for line in file
                      if line.startswith('model name')), os.uname().machine)
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
    kind = subprocess.run(['stat', '-f', '-c', '%T', setting.root], stdout=subprocess.PIPE,
                          text=True, check=True).stdout.strip()
    return {'cpu': model, 'cores': setting.cores, 'memory': memory, 'file_system': kind,
            'kernel': os.uname().release.split('-')[0], 'runs': setting.runs, 'sections': setting.sections,
            'date': time.strftime('%Y-%m-%d'), 'unfinished': [], 'others': OTHERS}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith('-'):
        print(__doc__)
        return 0 if '--help' in sys.argv or '-h' in sys.argv else 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    setting = Setting(sys.argv[1])
    results = Results(f'{setting.root}/results.jsonl')
    with setting:
        results.head = describe_machine(setting)
        for name in setting.sections:
            say(f'{name}: {SECTIONS[name].__doc__.splitlines()[0]}')
            try:
                SECTIONS[name].measure(setting, results)
            except (Failed, OSError, subprocess.SubprocessError) as why:
                say(f'{name} is not finished: {why}')
                results.head['unfinished'].append(f'{name}: {why}')
            results.save()
    table = report.render(results) + goals.render(results)
    with open(f'{setting.root}/table.txt', 'w') as file:
        file.write(table)
    print(table)
    print(f'these tables: {setting.root}/table.txt; all figures: {results.path}')
    return 1 if results.head['unfinished'] else 0


if __name__ == '__main__':
    sys.exit(main())
