#!/bin/bash
# What fuzzers have found worth keeping, read once more by every target: in bounded
# memory and time, and without a sanitizer's complaint where there is one.
. tests/cli/lib.sh

for corpus in tests/fuzz/corpus/*/; do
	name=$(basename "$corpus")
	ok "$name: $(find "$corpus" -type f | wc -l) files" \
		timeout 300 "$build/tests/fuzz/replay_$name" "$corpus"/*
done

no "a file that is not there is said" "$build/tests/fuzz/replay_frame" "$tmp/absent"

finish
