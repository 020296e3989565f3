#!/usr/bin/python3
"""What ent and rngtest make of a file, as probabilities.

usage: others.py FILE...         all of them end to end; 1: it is not random

rngtest refuses some of what is random, too: one block of 20,000 bits in 1,200.
"""
import os
import re
import subprocess
import sys
import tempfile

import figures

REFUSED = 1 / 1000  # a little more than is


def ent(path, size):
    said = subprocess.run(['ent', '-t', path], check=True, capture_output=True, text=True).stdout
    names, values = (line.split(',') for line in said.split())
    value = dict(zip(names, map(float, values[:len(names)])))
    yield figures.chi2(value['Chi-square'], 255), 'ent: chi-square'
    yield figures.normal((value['Mean'] - 127.5) / (256**2 / 12 / size)**0.5), 'ent: mean'
    yield figures.normal(value['Serial-Correlation'] * size**0.5), 'ent: serial correlation'


def rngtest(path):
    with open(path, 'rb') as file:
        said = subprocess.run(['rngtest'], stdin=file, check=False, capture_output=True, text=True).stderr
    good, bad = (int(re.search(f'FIPS 140-2 {word}: ([0-9]+)', said)[1]) for word in ('successes', 'failures'))
    yield figures.rate(bad, (good + bad) * REFUSED), f'rngtest: {bad} of {good + bad} blocks'


def main(paths):
    with tempfile.NamedTemporaryFile() as everything:
        for path in paths:
            with open(path, 'rb') as file:
                everything.write(file.read())
        everything.flush()
        size = os.path.getsize(everything.name)
        results = [*ent(everything.name, size), *rngtest(everything.name)]
    print('; '.join(map(figures.words, results)), file=sys.stderr)
    return 1 if figures.suspects(results) else 0


sys.exit(main(sys.argv[1:]))
