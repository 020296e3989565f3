#!/bin/bash
# Large trees, packed and extracted, compared in every byte and attribute.
# Not part of "make check": it wants 20 GB of room and some minutes.
#
#   round-trip.sh [DIR...]      besides those made here: a 5 GiB file, a sparse
#                               one of 1 TB, a directory of 200,000 entries
cd "$(dirname "$0")/../.." || exit
export TMPDIR=${TMPDIR:-/var/tmp}
. tests/cli/lib.sh

printf 'correct horse battery staple of no use' >"$tmp/key"
key=(--passphrase-file "$tmp/key" -q)

seconds() { # WHAT COMMAND...: says how long it took and how much memory
	local what=$1
	shift
	/usr/bin/time -f "# $what: %e s, %U user, %M KiB" -o "$tmp/time" "$@"
	local status=$?
	cat "$tmp/time"
	return $status
}

round_trip() { # NAME DIR
	local out=$tmp/out
	mkdir "$out"
	seconds "$1: pack" "$pack" "${key[@]}" --metadata full -o "$tmp/bundle" "$2/."
	result $? "$1: packs"
	echo "# $1: $(du -s --apparent-size -B1 "$2" | cut -f1) bytes in, $(stat -c %s "$tmp/bundle") out"
	seconds "$1: verify" "$read" verify "${key[@]}" "$tmp/bundle"
	result $? "$1: verifies"
	seconds "$1: ls -lR" "$read" ls -lR "${key[@]}" "$tmp/bundle" >"$tmp/list"
	result $? "$1: lists"
	tail -n 1 "$tmp/list" # the time
	seconds "$1: extract" "$read" extract "${key[@]}" -C "$out" "$tmp/bundle"
	result $? "$1: extracts"
	python3 tests/describe.py "$2" full >"$tmp/expected"
	python3 tests/describe.py "$out" full >"$tmp/got"
	ok "$1: nothing differs in $(wc -l <"$tmp/expected") entries" cmp "$tmp/expected" "$tmp/got"
	rm -rf "$out" "$tmp/bundle"
}

for dir in "$@"; do
	round_trip "$(basename "$dir")" "$dir"
done

made=$tmp/made
mkdir -p "$made/many"
head -c 5G /dev/urandom >"$made/five gibibytes.mkv"
truncate -s 1T "$made/sparse"
for at in 0 1000000 500000000000 999999999999; do
	printf 'here %s' $at | dd of="$made/sparse" bs=1 seek=$at conv=notrunc status=none
done
(cd "$made/many" && seq -f 'entry %.0f' 1 200000 | xargs -d '\n' touch)
round_trip "large" "$made"
finish
