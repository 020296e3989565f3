"""How time and memory grow: with the number of entries, and with the number of bytes."""
import os
import shutil
import subprocess

from corpora import TINY_IN_A_DIRECTORY, length, warm
from measure import Failed, clear, median, rounds, run, say
from mount import Mount
from peers import KEY, MOUNT, PACK, READ, Contestant

GIGA = 10**9
ONCE_FROM = 10  # GB: what is larger is measured once only
TEXT_FROM = 100  # GB: of what is larger two files of three compress, so that there is room
SPARE = 5 * GIGA

LIST_ROOT = f'{READ} ls {KEY} "$OUT/bundle"'
LIST_ALL = f'{READ} ls -R -l {KEY} "$OUT/bundle"'
VERIFY = f'{READ} verify {KEY} "$OUT/bundle"'
MOUNTED = Contestant('satchel --cache', mount=f'{MOUNT} --cache "$OUT/bundle" "$MNT"')
SOURCE = Contestant('null', mount='exec "$BUILD/tests/bench/null_fuse" direct "$TREE" "$MNT"')


class Scale:
    """Figures of one case.  who: the size, as it stands in the table."""

    def __init__(self, setting, results, case):
        self.setting, self.results, self.case = setting, results, case
        self.out = f'{setting.work}/out'

    def where(self, **more):
        return self.setting.environment(OUT=self.out, MNT=f'{self.setting.work}/mnt', **more)

    def put(self, who, metric, unit, value):
        self.results.add('scale', self.case, who, metric, unit, value)

    def pack(self, who, line, where):
        done = run(line, where, timeout=7200)
        self.put(who, 'pack', 's', done.wall)
        self.put(who, 'pack CPU', 's', done.cpu)
        self.put(who, 'pack memory', 'MB', done.peak / 1e6)
        self.put(who, 'size', 'MB', length(self.out)[0] / 1e6)

    def read(self, who, metric, line):
        done = run(line, self.where(), timeout=7200)
        self.put(who, metric, 's', done.wall)
        return done

    def mounted(self, who, mount):
        self.put(who, 'mount', 's', mount.ready)
        self.put(who, 'mount memory', 'MB', mount.status('VmRSS'))
        self.put(who, 'locked', 'MB', mount.status('VmLck'))


def pack_empty(scale, who, path, directories):
    """The same names, and nothing in them: what the packer has for each entry."""
    empty, out = f'{scale.setting.memory}/empty', f'{scale.setting.memory}/out'
    clear(empty)
    clear(out)
    subprocess.run(['cp', '-r', '--attributes-only', *(f'{path}/{d}' for d in directories), empty],
                   check=True)
    done = run(f'{PACK} --no-verify "$SRC"', scale.where(SRC=empty) | {'OUT': out})
    scale.put(who, 'memory, empty', 'MB', done.peak / 1e6)
    clear(empty)
    clear(out)


def step_entries(scale, path, count):
    who = f'{count} files'
    clear(scale.out)
    directories = sorted(os.listdir(path))[:count // TINY_IN_A_DIRECTORY]
    scale.pack(who, f'cd "$SRC"; {PACK} --no-verify {" ".join(directories)}', scale.where(SRC=path))
    warm(scale.out)
    scale.read(who, 'open', LIST_ROOT)
    scale.read(who, 'list', LIST_ALL)
    pack_empty(scale, who, path, directories)
    with Mount(MOUNTED, scale.where()) as mount:
        scale.mounted(who, mount)
    for metric, line in (('find', 'find "$MNT"'), ('find -ls', 'find "$MNT" -ls')):
        with Mount(MOUNTED, scale.where()):
            done = run(line, scale.where())
        scale.put(who, metric, '/s', (count + len(directories)) / done.wall)


def measure_entries(setting, results):
    counts = [10**3, 10**4, 10**5, 10**6] + [5 * 10**6] * setting.huge
    counts = [c for c in counts if c <= max(setting.tiny, 5 * 10**6 * setting.huge)]
    path = setting.corpora.get('tiny', max(counts))
    scale = Scale(setting, results, 'entries')
    warm(path)

    def step(count):
        say(f'  {count} files')
        step_entries(scale, path, count)
    rounds(setting.runs, counts, step)


def make_tree(path, gigabytes):
    """Files without a byte on the disk, each of a length of its own (so that none is taken
    for another's twin); what is read of them comes from the null file system."""
    subprocess.run(['rm', '-rf', path], check=True)
    os.makedirs(path)
    for n in range(gigabytes):
        text = gigabytes >= TEXT_FROM and n % 3
        with open(f'{path}/{n:03d}.{"txt" if text else "mp4"}', 'wb') as file:
            file.truncate(GIGA - n)


def name_of(gigabytes):
    return f'{gigabytes} GB' + (', text' if gigabytes >= TEXT_FROM else '')


def room_for(gigabytes):
    return int(gigabytes * GIGA * (0.65 if gigabytes >= TEXT_FROM else 1.2)) + SPARE


def step_bytes(scale, gigabytes):
    who, tree = name_of(gigabytes), f'{scale.setting.work}/tree'
    clear(scale.out)
    make_tree(tree, gigabytes)
    where = dict(scale.where(TREE=tree), MNT=f'{scale.setting.work}/source')
    with Mount(SOURCE, where):
        scale.pack(who, f'{PACK} --no-verify "$MNT/."', where)
    scale.read(who, 'open', LIST_ROOT)
    done = scale.read(who, 'verify', VERIFY)
    scale.put(who, 'verify memory', 'MB', done.peak / 1e6)
    with Mount(MOUNTED, scale.where()) as mount:
        scale.mounted(who, mount)


def measure_bytes(setting, results):
    scale = Scale(setting, results, 'bytes')
    for gigabytes in [1, 3, 10, 30, 100]:
        clear(scale.out)
        if shutil.disk_usage(setting.work).free < room_for(gigabytes):
            results.miss('scale', 'bytes', name_of(gigabytes), 'pack', 'no room for it here')
            continue
        say(f'  {gigabytes} GB')
        for _ in range(setting.runs if gigabytes < ONCE_FROM else 1):
            step_bytes(scale, gigabytes)
    clear(scale.out)


# The figures that are plotted, in the order of the columns of a data file.
PLOTTED = ['pack', 'pack memory', 'mount', 'mount memory']

HEAD = '''
set terminal svg size 900,640 font "sans,12"
set output "{svg}"
set multiplot layout 2,2
set grid
set key left top
set logscale xy
set format x "10^{{%L}}"
'''

PANELS = '''
set xlabel "{xlabel}"
set ylabel "seconds"
plot "{data}" using 1:2 with linespoints title "pack", \\
     "" using 1:6 with linespoints title "{third}", \\
     "" using 1:4 with linespoints title "mount"
set ylabel "MB of memory"
plot "{data}" using 1:3 with linespoints title "pack", \\
     "" using 1:5 with linespoints title "mount"
set format x "%g"
'''


def write_data(results, case, third, path):
    """A line for each size.  False: there is none."""
    sizes = dict.fromkeys(r['who'] for r in results.rows.values()
                          if r['section'] == 'scale' and r['case'] == case)
    count = 0
    with open(path, 'w') as file:
        for who in sizes:
            rows = [results.get('scale', case, who, metric) for metric in PLOTTED + [third]]
            if all(rows) and ',' not in who:  # what is not alike is in the table only
                print(who.split()[0], *(median(r['values']) for r in rows), file=file)
                count += 1
    return count > 0


def plot(setting, results):
    """scale.svg, beside the results."""
    svg = f'{setting.root}/scale.svg'
    text = HEAD.format(svg=svg)
    for case, xlabel, third in (('entries', 'entries', 'list'), ('bytes', 'GB', 'verify')):
        data = f'{setting.work}/{case}.dat'
        if write_data(results, case, third, data):
            text += PANELS.format(data=data, xlabel=xlabel, third=third)
    if shutil.which('gnuplot'):
        subprocess.run(['gnuplot'], input=text, text=True, check=False)
        say(f'plotted: {svg}')


def measure(setting, results):
    try:
        if 'tiny' in setting.cases:
            measure_entries(setting, results)
            results.save()
        if 'bytes' in setting.chosen:
            measure_bytes(setting, results)
        plot(setting, results)
    except Failed as why:
        results.miss('scale', 'entries', 'satchel', 'pack', str(why))
