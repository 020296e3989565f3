#!/bin/bash
# As 10-golden-files-mounted.sh, with bundles that are too large to be kept.
. tests/fuse/lib.sh
. tests/fuse/golden.sh

mkdir "$tmp/large"
for name in columns-scattered cut-extents cut-extents-third-missing cut-extents-signed deep wide; do
	ok "$name: is written" tests/encode.py "$name" "$tmp/large"
	ok "$name: the case is made" tests/encode.py --unfold "$tmp/large/$name.keys" "$tmp/large"
	check "$tmp/large/$name.case" "$tmp/large/$name.expect"
	rm -f "$tmp"/large/*
done
finish
