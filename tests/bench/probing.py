"""What it costs to find out that something does not compress."""
import os
import subprocess

from measure import Failed, clear, rounds, run, say
from peers import Contestant, pack_line

CASE = 'random files, to memory'
COUNT, LENGTH = 200, 4 * 2**20
MP4 = b'\0\0\0\x20ftypisom\0\0\2\0'


def make_trees(where):
    """The same bytes twice but for the first few: in 'known' they say that the file is a
    film, which ends the matter; in 'unknown' they say nothing."""
    for n in range(COUNT):
        body = os.urandom(LENGTH - len(MP4))
        for kind, head, ending in (('known', MP4, 'mp4'), ('unknown', os.urandom(len(MP4)), 'dat')):
            os.makedirs(f'{where}/{kind}', exist_ok=True)
            with open(f'{where}/{kind}/{n:03d}.{ending}', 'wb') as file:
                file.write(head + body)


def measure(setting, results):
    where, out = f'{setting.memory}/probing', f'{setting.memory}/out'
    say(f'pack {CASE}: {COUNT} files, {COUNT * LENGTH / 1e6:.0f} MB')
    make_trees(where)

    def step(kind):
        clear(out)
        line = Contestant(kind, pack=pack_line(1, 0, False, False)).lines['pack']
        done = run(line, setting.environment(SRC=f'{where}/{kind}', OUT=out))
        for metric, unit, value in (('CPU', 's', done.cpu), ('memory', 'MB', done.peak / 1e6),
                                    ('speed', 'MB/s', COUNT * LENGTH / 1e6 / done.wall),
                                    ('size', 'MB', os.path.getsize(f'{out}/bundle') / 1e6),
                                    ('time', 's', done.wall)):
            results.add('pack', CASE, f'satchel, {kind} by name and head', metric, unit, value)
    try:
        rounds(setting.runs, ['known', 'unknown'], step)
    except Failed as why:
        results.miss('pack', CASE, 'satchel', 'time', str(why))
    clear(out)
    subprocess.run(['rm', '-rf', where], check=True)
