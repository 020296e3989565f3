#!/bin/bash
# Every golden bundle, mounted in both modes, shows what was packed: names,
# attributes, links, holes, contents; what is damaged fails with EIO, alone.
. tests/fuse/lib.sh

# What decode.py and satchel-mount call differently: another publisher is refused,
# and what lies in a volume that is not here cannot be read.
translate() {
	case $1 in
	*-missing) [ "$wanted" -eq 0 ] || wanted=4 ;;
	signed-other-publisher) wanted=1 ;;
	esac
}

agrees() { # EXPECT [OPTION...]
	local expect=$1
	shift
	up "$@" || { cat "$tmp/stderr"; return 1; }
	python3 tests/fuse/compare.py "$expect" "$mnt" || { down; return 1; }
	down
	echo "exit code $code, expected $wanted"
	[ "$code" -eq "$wanted" ]
}

check() { # CASE EXPECT
	local name=${1##*/}
	name=${name%.case}
	key_and_bundle "$1"
	translate "$name"
	if [ -e "$2" ]; then
		ok "$name: private" agrees "$2"
		ok "$name: cached" agrees "$2" --cache
	else
		ok "$name: exit code $wanted" exits "$wanted" ask "$mount" -f "${key[@]}" "$bundle" "$mnt"
	fi
}

mkdir "$tmp/cases"
tests/encode.py --unfold "$good"/*.keys "$tmp/cases"
for case in "$tmp"/cases/*.case; do
	name=${case##*/}
	check "$case" "$good/${name%.case}.expect"
done

# Too large to be kept.
mkdir "$tmp/large"
for name in columns-scattered cut-extents cut-extents-third-missing cut-extents-signed deep wide; do
	tests/encode.py "$name" "$tmp/large" && tests/encode.py --unfold "$tmp/large/$name.keys" "$tmp/large" &&
		check "$tmp/large/$name.case" "$tmp/large/$name.expect"
	rm -f "$tmp"/large/*
done
finish
