#!/bin/bash
# A bundle of several volumes: of one length, each readable alone, whatever they are
# called and wherever they lie.
. tests/cli/lib.sh

src=$tmp/src out=$tmp/out
mkdir -p "$src/films" "$src/texts" "$out"
for i in 1 2 3 4 5 6; do head -c $((900000 + i * 100000)) /dev/urandom >"$src/films/$i.mp4"; done
head -c 6M /dev/urandom >"$src/films/long.mkv"
seq 1 200000 >"$src/texts/numbers.txt"
for i in {1..40}; do echo "note $i" >"$src/texts/$i"; done
head -c 64 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")
limit=$((4 << 20))
files=$(find "$src" -type f | wc -l)

names() { "$read" ls -R "${key[@]}" "$@" 2>/dev/null | grep -v ':$' | sort; }

# What a set of volumes gives out: no file that is not whole.
extract() { # TO VOLUME...
	rm -rf "$1"
	mkdir "$1"
	"$read" extract -q "${key[@]}" -C "$1" "${@:2}" 2>"$tmp/stderr"
}

count_files() { find "$1" -type f | wc -l; }
same_files() { # FROM: all that it has is as it was
	(cd "$1" && find . -type f -exec cmp {} "$tmp/{}" \;)
}

ok "a dry run" exits 0 "$pack" --json -n --volume-size 4M "$src"
planned=$(tail -n 1 "$tmp/stdout" | jq .volumes)
is "says how long a volume is" "$(tail -n 1 "$tmp/stdout" | jq -c .length)" \
	"[$((limit - limit / 100)),$limit]"
"$pack" -n --volume-size 4M "$src" >"$tmp/dry"
like "to people too" "$(cat "$tmp/dry")" "volumes    $planned, each of the length"
ok "packs into volumes" exits 0 "$pack" --json "${key[@]}" --volume-size 4M -o "$out/x.bin" "$src"
mapfile -t volume < <(printf '%s\n' "$out"/x-*.bin | sort -V)
is "as many as were planned" "${#volume[@]}" "$planned"
is "and nothing else" "$(find "$out" -type f | wc -l)" "$planned"
is "which are reported each" \
	"$(jq -r 'select(.type == "output" and .written) | .file' "$tmp/stdout")" \
	"$(printf '%s\n' "${volume[@]}")"
is "and counted" "$(tail -n 1 "$tmp/stdout" | jq -c '[.bundles, .volumes]')" "[1,$planned]"
length=$(stat -c %s "${volume[0]}")
is "all of one length" "$(stat -c %s "${volume[@]}" | uniq)" "$length"
ok "within the limit, and by one percent at most" \
	test "$length" -le "$limit" -a "$length" -ge $((limit - limit / 100))
is "no block of 16 bytes is there twice" "$(for f in "${volume[@]}"; do
	od -An -v -tx1 -w16 "$f"
done | awk 'length == 48' | sort | uniq -d | wc -l)" 0
like "people are told too" "$("$pack" "${key[@]}" --volume-size 4M -o "$tmp/y.bin" "$src" 2>&1)" \
	"in a bundle of $planned volumes of 4.1 MB, .*/y-1.bin to .*/y-$planned.bin;"
rm "$tmp"/y-*

# Each alone.
mkdir "$tmp/alone"
everything=$(names "${volume[0]}")
total=0 listed=0 right=0
for v in "${volume[@]}"; do
	cp "$v" "$tmp/alone/"
	[ "$(names "$tmp/alone/${v##*/}")" != "$everything" ] || listed=$((listed + 1))
	extract "$tmp/got" "$tmp/alone/${v##*/}"
	[ -n "$(same_files "$tmp/got")" ] || right=$((right + 1))
	total=$((total + $(count_files "$tmp/got")))
	rm "$tmp/alone"/*
done
is "any of them lists everything" "$listed" "$planned"
like "which is all there is" "$everything" 'long.mkv'
is "any of them yields its files" "$right" "$planned"
# The others had to be cut: at most one for each volume but the first.
ok "every file but a few is in one of them" test "$total" -ge $((files - planned + 1)) -a \
	"$total" -lt "$files"

# All but one.
right=0 missing=0
for v in "${volume[@]}"; do
	others=()
	for other in "${volume[@]}"; do [ "$other" == "$v" ] || others+=("$other"); done
	cp "${others[@]}" "$tmp/alone/"
	extract "$tmp/got" "$tmp/alone/${others[0]##*/}"
	[ -n "$(same_files "$tmp/got")" ] || right=$((right + 1))
	missing=$((missing + files - $(count_files "$tmp/got")))
	rm "$tmp/alone"/*
done
is "without one of them the rest is as it was" "$right" "$planned"
ok "and only its files are missing" test "$missing" -gt "$files" -a \
	"$missing" -lt $((files + 2 * planned))

# Renamed, shuffled, in two directories, and opened from any of them.
mkdir "$tmp/left" "$tmp/right"
n=0
for v in $(printf '%s\n' "${volume[@]}" | shuf --random-source="$tmp/key"); do
	n=$((n + 1))
	if [ $((n % 2)) -eq 0 ]; then cp "$v" "$tmp/left/photo$n.jpg"; else cp "$v" "$tmp/right/$n"; fi
done
right=0
for v in "$tmp"/left/* "$tmp"/right/*; do
	given=()
	for other in "$tmp"/left/* "$tmp"/right/*; do
		[ "${other%/*}" == "${v%/*}" ] || given+=(--volume "$other")
	done
	extract "$tmp/got" "${given[@]}" "$v"
	diff -r "$src" "$tmp/got/src" >"$tmp/diff" && right=$((right + 1))
done
is "renamed and in two directories, from any of them" "$right" "$planned"
whole=$(tests/decode.py "${key[@]}" hash "${volume[@]}")
like "another reader reads them" "$whole" 'long.mkv'
"$pack" -q "${key[@]}" -o "$tmp/single" "$src"
is "as it does one file" "$whole" "$(tests/decode.py "${key[@]}" hash "$tmp/single")"
ok "they are healthy" exits 0 "$read" verify "${key[@]}" "${volume[1]}"

# Whatever protects and opens them.
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
age-keygen -o "$tmp/identity" 2>/dev/null
minisign -G -f -W -p "$tmp/pub" -s "$tmp/sec" >/dev/null
age=$(age-keygen -y "$tmp/identity")
for m in 0 2 4 8 16; do
	rm -rf "$out"
	mkdir "$out"
	"$pack" -q "${key[@]}" --parity $m --volume-size 5M --sign "$tmp/sec" -o "$out/s" "$src"
	extract "$tmp/got" --publisher "$tmp/pub" "$out/s-2"
	ok "signed, with parity $m" diff -r "$src" "$tmp/got/src"
done
is "another reader checks every leaf" "$(tests/decode.py "${key[@]}" hash "$out"/s-*)" "$whole"
mkdir "$tmp/recipients"
ok "for recipients only" exits 0 "$pack" -q --recipient "$age" --volume-size 4M \
	-o "$tmp/recipients/r" "$src"
rm -rf "$tmp/got"
ok "opens any of them" exits 0 "$read" extract -q --identity "$tmp/identity" -C "$tmp/got" \
	"$tmp/recipients/r-3"
ok "and all of them" diff -r "$src" "$tmp/got/src"
rm -rf "$out"
mkdir "$out"
"$pack" -q --kdf low --passphrase-file "$tmp/pw" --volume-size 8M --json -o "$out/p" "$src" >"$tmp/json"
ok "by a passphrase" exits 0 "$read" verify --passphrase-file "$tmp/pw" "$out/p-2"
is "each header takes one derivation" \
	"$(jq -r 'select(.phase == "making keys") | "\(.steps) of \(.total)"' "$tmp/json" | tail -n 1)" \
	"$((2 * $(find "$out" -type f | wc -l))) of $((2 * $(find "$out" -type f | wc -l)))"

# One is enough.
rm -rf "$out"
mkdir "$out"
ok "what needs but one file" exits 0 "$pack" "${key[@]}" --volume-size fat32 -o "$out/x.bin" "$src"
is "is called as asked" "$(ls "$out")" x.bin
like "and no longer than without" "$(cat "$tmp/stderr")" 'in a bundle of 1[4-9]\.'
for name in dvd cd DVD; do
	ok "$name is a size" exits 0 "$pack" -n --volume-size $name "$src"
done

# Together with a size.
rm -rf "$out"
mkdir "$out"
ok "a size is that of all volumes" exits 0 "$pack" -q "${key[@]}" --volume-size 8M --size 25000003 \
	-o "$out/x.bin" "$src"
is "as few as may be, all of one length" "$(stat -c %s "$out"/* | sort | uniq -c | tr -s ' ')" \
	" 3 8333334"
extract "$tmp/got" "$out/x-3.bin"
ok "and all is there" diff -r "$src" "$tmp/got/src"
total=0
mkdir "$tmp/one"
for v in "$out"/*; do
	mv "$v" "$tmp/one/"
	extract "$tmp/got" "$tmp/one"/*
	mv "$tmp/one"/* "$out/"
	total=$((total + $(count_files "$tmp/got")))
done
is "where there is room no file is cut" "$total" "$files"

finish
