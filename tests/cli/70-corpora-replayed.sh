#!/bin/bash
# What fuzzers have found worth keeping, read once more by every target: in bounded
# memory and time, and without a sanitizer's complaint where there is one.  A target
# without a corpus, and a corpus of which little is any longer what it is taken for
# (the format has changed: tests/fuzz/seeds.py), test nothing.
. tests/cli/lib.sh

replay() { # PERCENT NAME FILE...: so many are good, and one at least
	local percent=$1 name=$2 files good
	shift 2
	(
		sanitized || ulimit -v 1500000 # KiB
		exec timeout 300 "$build/tests/fuzz/replay_$name" "$@"
	) 2>"$tmp/replayed" || {
		tail -n 40 "$tmp/replayed"
		return 1
	}
	read -r files _ good _ < <(tail -n 1 "$tmp/replayed")
	echo "$files files, $good good"
	[ "$files" -eq $# ] && [ "$good" -gt 0 ] && [ $((good * 100)) -ge $((files * percent)) ]
}

for target in tests/fuzz/fuzz_*.c; do
	name=$(basename "$target" .c)
	name=${name#fuzz_}
	case $name in
	bundle | frame | index | ops | volumes) percent=25 ;;
	archive | verbs) percent=15 ;;
	reader) percent=10 ;; # a verb may not find what it wants
	format | mount | options) percent=5 ;;
	*) percent=1 ;;
	esac
	ok "$name" replay $percent "$name" "tests/fuzz/corpus/$name"/*
done

no "a target without a corpus is seen" replay 1 bundle "$tmp"/none/*
head -c 3000 /dev/zero >"$tmp/zeros"
no "bundles that do not open are seen" replay 25 bundle "$tmp/zeros"

finish
