#!/bin/bash
# Every golden bundle, mounted in both modes, shows what was packed: names,
# attributes, links, holes, contents; what is damaged fails with EIO, alone.
. tests/fuse/lib.sh
. tests/fuse/golden.sh

mkdir "$tmp/cases"
tests/encode.py --unfold "$good"/*.keys "$tmp/cases"
for case in "$tmp"/cases/*.case; do
	name=${case##*/}
	check "$case" "$good/${name%.case}.expect"
done
finish
