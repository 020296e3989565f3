#!/bin/bash
# Every golden bundle, mounted in both modes, shows what was packed: names,
# attributes, links, holes, contents; what is damaged fails with EIO, alone.
. tests/fuse/lib.sh
. tests/fuse/golden.sh

# Those of the reference encoder, and those that satchel-pack itself once wrote.
for good in tests/data/good tests/data/golden-1; do
	mkdir "$tmp/cases"
	ok "$good: cases are made" tests/encode.py --unfold "$good"/*.keys "$tmp/cases"
	is "all of them" "$(find "$tmp/cases" -name '*.case' | wc -l)" "$(find $good -name '*.keys' | wc -l)"
	for case in "$tmp"/cases/*.case; do
		name=${case##*/}
		check "$case" "$good/${name%.case}.expect"
	done
	rm -r "$tmp/cases"
done

finish
