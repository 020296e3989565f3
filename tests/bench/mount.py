"""Mounts: one long file, in order and at random; many small ones; walking; memory."""
import json
import os
import subprocess
import time

from corpora import cool, largest, length, warm
from measure import Failed, ask, clear, rounds, run, say
from peers import MOUNT, Contestant, pack_line

RANDOM = [('4K', 1), ('4K', 4), ('128K', 1), ('128K', 4)]
READY_SECONDS = 60
DAMAGE = f'/usr/bin/python3 {os.path.dirname(os.path.abspath(__file__))}/damage.py'


def ourselves():
    """Private and cached, of a good stick and of a bad one, and what each of them could be at
    best: a FUSE file system that does nothing, and asks for the same requests."""
    plain, signed = pack_line(verify=False), pack_line(signed=True, verify=False)
    damaged = pack_line(parity=8, verify=False) + f' && {DAMAGE} "$OUT/bundle"'
    null = 'exec "$BUILD/tests/bench/null_fuse" %s "$SRC" "$MNT"'
    return [Contestant('satchel', pack=plain, mount=f'{MOUNT} "$OUT/bundle" "$MNT"'),
            Contestant('satchel --cache', pack=plain,
                       mount=f'{MOUNT} --cache "$OUT/bundle" "$MNT"'),
            Contestant('satchel, signed', pack=signed, signed=True,
                       mount=f'{MOUNT} "$OUT/bundle" "$MNT"'),
            Contestant('satchel, damaged', pack=damaged, mount=f'{MOUNT} "$OUT/bundle" "$MNT"'),
            Contestant('satchel --cache, damaged', pack=damaged,
                       mount=f'{MOUNT} --cache "$OUT/bundle" "$MNT"'),
            Contestant('null, direct', encrypts=False, pack=':', mount=null % 'direct'),
            Contestant('null, cached', encrypts=False, pack=':', mount=null % 'cached')]


LIMIT = {'satchel': 'null, direct', 'satchel, signed': 'null, direct',
         'satchel --cache': 'null, cached'}


class Mount:
    """A mount that lasts as long as the block does.  ready: seconds until its root could be
    listed."""

    def __init__(self, contestant, where):
        self.contestant, self.where, self.at = contestant, where, where['MNT']

    def __enter__(self):
        os.makedirs(self.at, exist_ok=True)
        begin = time.perf_counter()
        self.server = subprocess.Popen(['bash', '-c', self.contestant.lines['mount']],
                                       env=self.where, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait(begin + READY_SECONDS)
            self.root = ask(self.contestant.lines.get('root_is', 'echo "$MNT"'), self.where).strip()
            os.listdir(self.root)
        except BaseException:
            self.end()
            raise
        self.ready = time.perf_counter() - begin
        return self

    def wait(self, until):
        while not os.path.ismount(self.at):
            if self.server.poll() not in (None, 0) or time.perf_counter() > until:
                raise Failed('does not mount')
            time.sleep(0.001)

    def __exit__(self, *_):
        self.end()

    def end(self):
        for _ in range(100):
            if not os.path.ismount(self.at):
                break
            subprocess.run(['umount' if self.contestant.root else 'fusermount3']
                           + ([] if self.contestant.root else ['-u']) + [self.at],
                           stderr=subprocess.DEVNULL)
            time.sleep(0.05)
        try:
            self.server.wait(30)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()

    def servers(self):
        """The process that serves, and those that it has started."""
        def children(pid):
            with open(f'/proc/{pid}/task/{pid}/children') as file:
                below = [int(word) for word in file.read().split()]
            return [pid] + [p for child in below for p in children(child)]
        return children(self.server.pid) if self.server.poll() is None else []

    def cpu(self):
        """Seconds, of all threads, until now."""
        ticks = 0
        for pid in self.servers():
            with open(f'/proc/{pid}/stat') as file:
                fields = file.read().rpartition(')')[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf('SC_CLK_TCK')

    def status(self, field):
        """MB of the largest of the processes: VmRSS, VmHWM, VmLck."""
        most = 0
        for pid in self.servers():
            with open(f'/proc/{pid}/status') as file:
                most = max([most] + [int(line.split()[1]) for line in file
                                     if line.startswith(field + ':')])
        return most * 1024 / 1e6


def fio(path, block, jobs):
    """Reads a second, at random, for two seconds or until all of the file was read, no block
    of it twice."""
    line = ['fio', '--name=r', '--readonly', f'--filename={path}', '--rw=randread',
            f'--bs={block}', f'--numjobs={jobs}', '--thread', '--ioengine=psync', '--runtime=2',
            '--invalidate=0', f'--size={100 // jobs}%', f'--offset_increment={100 // jobs}%',
            '--group_reporting', '--output-format=json', '--randseed=1', '--allow_file_create=0']
    out = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                         timeout=120, check=False).stdout
    try:
        return json.loads(out[out.index('{'):])['jobs'][0]['read']['iops']
    except (ValueError, KeyError, IndexError):
        raise Failed('fio does not read') from None


class Case:
    """One corpus, packed once by all who can mount it."""

    def __init__(self, setting, results, corpus):
        self.setting, self.results, self.name = setting, results, corpus
        self.path = setting.corpus(corpus)
        self.total, self.count = length(self.path)
        self.values, self.failed = {}, set()

    def where(self, contestant):
        named = contestant.name.replace('|', '-').replace(' ', '')
        named = named.replace('satchel--cache', 'satchel')
        named = contestant.of or named
        return self.setting.environment(SRC=self.path, OUT=f'{self.setting.work}/store-{named}',
                                        MNT=f'{self.setting.work}/mnt')

    def measure(self):
        say(f'mount {self.name}: packing it once with each')
        contestants = ourselves() + [p for p in self.setting.peers if 'mount' in p.lines]
        ready = [c for c in contestants if self.pack(c)]
        rounds(self.setting.runs, ready, self.step, self.before, self.after)
        for contestant in ready:
            clear(self.where(contestant)['OUT'])

    def pack(self, contestant):
        out = self.where(contestant)['OUT']
        try:
            if contestant.missing():
                raise Failed(f'{contestant.missing()} is not installed')
            if contestant.root and os.getuid():
                raise Failed('needs root')
            if 'pack' in contestant.lines and not (os.path.isdir(out) and os.listdir(out)):
                clear(out)
                run(contestant.lines['pack'], self.where(contestant))
        except Failed as why:
            self.results.miss('mount', self.name, contestant.name, 'ready', str(why))
            return False
        return True

    def before(self):
        self.values = {}

    def step(self, contestant):
        say(f'  {contestant.name}')
        warm(self.where(contestant)['OUT'])
        try:
            (self.step_long if self.name == 'media' else self.step_small)(contestant)
        except (Failed, OSError, subprocess.SubprocessError) as why:
            self.results.miss('mount', self.name, contestant.name, 'ready', str(why))
            return False
        finally:
            cool(self.where(contestant)['OUT'])
        return True

    def put(self, contestant, metric, unit, value):
        if metric != 'ready' or not contestant.name.startswith('null'):  # it reads a whole tree
            self.values[contestant.name, metric, unit] = value

    def after(self):
        """With what a file system that does nothing has reached in this round."""
        for (who, metric, unit), value in self.values.items():
            limit = self.values.get((LIMIT.get(who), metric, unit))
            if metric.startswith(('ready', 'memory', 'locked', 'CPU')):
                limit = None
            self.results.add('mount', self.name, who, metric, unit, value, limit,
                             'the null file system, direct for a private mount')

    def timed(self, contestant, metric, line, mount, wanted=None):
        """wanted: the last number that is printed, or at least so much."""
        with open(f'{self.setting.work}/printed', 'w+') as out:
            begin = time.perf_counter()
            run(line, dict(mount.where, ROOT=mount.root), out=out)
            taken = time.perf_counter() - begin
            out.seek(0)
            printed = out.read().split()
        if wanted and not (printed and float(printed[-1]) >= wanted):
            raise Failed(f'{metric}: {printed[-1:]} of {wanted}')
        self.put(contestant, metric, 's', taken)

    def step_long(self, contestant):
        """One long file of media."""
        name = largest(self.path)
        size = os.path.getsize(f'{self.path}/{name}') / 1e6
        with Mount(contestant, self.where(contestant)) as mount:
            self.put(contestant, 'ready', 's', mount.ready)
            before, begin = mount.cpu(), time.perf_counter()
            run('dd bs=1M of=/dev/null if="$ROOT/$NAME"',
                dict(mount.where, ROOT=mount.root, NAME=name))
            wall = time.perf_counter() - begin
            self.put(contestant, 'in order, 1 MiB', 'MB/s', size / wall)
            if mount.servers():
                self.put(contestant, 'CPU a GB', 's', (mount.cpu() - before) / size * 1000)
                self.put(contestant, 'memory', 'MB', mount.status('VmRSS'))
                self.put(contestant, 'locked', 'MB', mount.status('VmLck'))
        for block, jobs in RANDOM:
            with Mount(contestant, self.where(contestant)) as mount:
                self.put(contestant, f'random {block}, {jobs} job{"s" if jobs > 1 else ""}', 'IOPS',
                         fio(f'{mount.root}/{name}', block, jobs))

    def step_small(self, contestant):
        """Many small files."""
        with Mount(contestant, self.where(contestant)) as mount:
            self.put(contestant, 'ready', 's', mount.ready)
            self.timed(contestant, 'walk, find -ls', 'find "$ROOT" -ls | wc -l', mount, self.count)
            self.timed(contestant, 'read every file', '"$BUILD/tests/bench/limits" once "$ROOT"',
                       mount, self.total / 1e6 - 1e-6)
            if mount.servers():
                self.put(contestant, 'memory', 'MB', mount.status('VmRSS'))
                self.put(contestant, 'locked', 'MB', mount.status('VmLck'))
        with Mount(contestant, self.where(contestant)) as mount:
            self.timed(contestant, 'tar', 'tar cf - -C "$ROOT" . | wc -c', mount, self.total)
        with Mount(contestant, self.where(contestant)) as mount:
            self.timed(contestant, 'grep -r', 'grep -r "no such words" "$ROOT" || [ $? = 1 ]',
                       mount)


def measure(setting, results):
    for corpus in setting.cases:
        if corpus != 'tiny':
            Case(setting, results, corpus).measure()
            results.save()
