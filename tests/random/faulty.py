#!/usr/bin/python3
"""Real bundles, as a build would write them that deals wrongly.  Controls for
analyst.py, written by the reference encoder and never by the product.

usage: faulty.py right|contiguous|slots WITH N OUTDIR

N bundles of one length and one known content, for the key file OUTDIR/a.keyfile;
WITH is 0 or 1 further compartment.
"""
import random
import secrets
import sys

import encode

OWNED = 8  # slices of either: a page of data, four of parity, three of the root


def contiguous(parts, about):
    at = 0
    for part in random.sample(parts, len(parts)):
        part.slices = list(range(at, at + part.k))
        at += part.k


HOOKS = {'right': {}, 'contiguous': {'deal': contiguous},
         'slots': {'slot number': lambda n, about: about.used}}


def write(deal, further, out):
    known = encode.Compartment(encode.small_tree('known'), encode.Key(key_file='a.keyfile'), m=4)
    hidden = encode.Compartment(encode.small_tree('hidden'), encode.Key(key_file='b.keyfile'), m=4)
    compartments = [hidden, known] if further else [known]
    name = 'faulty ' + secrets.token_hex(8)
    bundle = encode.Bundle(name, *compartments, free=4 * OWNED - OWNED * len(compartments), hooks=HOOKS[deal])
    bundle.write(out)


def main(deal, further, n, out):
    encode.put(out, 'a.keyfile', encode.SECRETS['a.keyfile'])
    for _ in range(int(n)):
        write(deal, int(further), out)


main(*sys.argv[1:])
