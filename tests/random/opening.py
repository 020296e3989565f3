#!/usr/bin/python3
"""What satchel-read does when it opens bundles: for how long, and what it reads.

usage: opening.py time VERB READER KEYFILE ROUNDS WITHOUT WITH    directories of bundles
       opening.py reads VERB READER KEYFILE 1 WITHOUT WITH
       opening.py slower VERB READER KEYFILE ROUNDS WITHOUT WITH  a control: those
                                      with a further compartment take 5 % longer

Exit code 1 if there is a difference.  Bundles are opened in random order, so that
whatever else the machine does falls on both.
"""
import os
import random
import re
import subprocess
import sys
import tempfile
import time

import figures


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def reads(command):
    """How many reads there are of the bundle, of how many bytes, how often the next one
    is in front of the one before, and how long each is."""
    with tempfile.NamedTemporaryFile('r') as log:
        subprocess.run(['strace', '-f', '-qq', '-s', '0', '-e', 'trace=pread64', '-P', command[-1], '-o', log.name,
                        *command], check=True, stdout=subprocess.DEVNULL)
        found = [tuple(map(int, m.groups())) for m in re.finditer(r', ([0-9]+), ([0-9]+)\) += ', log.read())]
    return (len(found), sum(length for length, _ in found),
            sum(a[1] > b[1] for a, b in zip(found, found[1:])), *(length for length, _ in found))


def main(what, verb, reader, key_file, rounds, *directories):
    bundles = [(sample, os.path.join(directory, name)) for sample, directory in enumerate(directories)
               for name in os.listdir(directory)] * int(rounds)
    random.shuffle(bundles)
    seen = [], []
    for sample, bundle in bundles:
        command = [reader, verb, '-q', '--key-file', key_file, bundle]
        if what == 'reads':
            seen[sample].append(reads(command))
        else:
            seen[sample].append((seconds(command) * (1.05 if what == 'slower' and sample else 1),))
    results = []
    for i in range(min(map(len, seen[0] + seen[1]))):
        results += figures.compare(*([row[i] for row in sample] for sample in seen), what, i)
    results += figures.compare(*(list(map(len, sample)) for sample in seen), what, 'count')
    middle = [sorted(sample)[len(sample) // 2][0] for sample in seen]
    print(f'{len(seen[0])} and {len(seen[1])} openings; in the middle {middle}; least:',
          figures.words(figures.least(results)), file=sys.stderr)
    found = figures.suspects(results)
    for result in found:
        print(figures.words(result))
    return 1 if found else 0


sys.exit(main(*sys.argv[1:]))
