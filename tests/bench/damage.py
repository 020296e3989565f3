#!/usr/bin/python3
"""One page in a hundred of a bundle, by chance, gives something else: a stick that goes bad.

    damage.py BUNDLE"""
import os
import random
import sys

PAGE = 16384


def main(path):
    chance = random.Random(1)
    with open(path, 'r+b') as file:
        pages = os.fstat(file.fileno()).st_size // PAGE
        for page in chance.sample(range(1, pages - 1), pages // 100):
            file.seek(page * PAGE)
            file.write(chance.randbytes(PAGE))


main(sys.argv[1])
