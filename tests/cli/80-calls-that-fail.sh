#!/bin/bash
# Every allocation, read, write, sync, rename, thread... of the packer and the reader
# fails once, with all others as they should be: no crash, a documented exit code,
# some plain words, and either nothing or all of it under the final name.
. tests/cli/lib.sh
. tests/cli/nth.sh

if ! nth_build; then
	skip "calls that fail" "needs a compiler"
	finish
fi
dynamic=$build/tests/satchel-read
kinds=(memory map thread open stat read write sync rename)

mkdir -p "$tmp/src/sub" "$tmp/out" "$tmp/spill" "$tmp/got"
seq 1 90000 >"$tmp/src/numbers.txt" # three frames
head -c 300000 /dev/urandom >"$tmp/src/film.mp4"
cp "$tmp/src/film.mp4" "$tmp/src/sub/again.mp4"
echo small >"$tmp/src/sub/small.txt"
ln -s small.txt "$tmp/src/sub/link"
tar -C "$tmp" -cf "$tmp/archive.tar" src
head -c 32 /dev/urandom >"$tmp/key"
key=(-q --key-file "$tmp/key")

# --- packing ------------------------------------------------------------------------

# The tree that the bundle must hold.
comes_back() {
	local bundles=("$tmp/out"/b*) volumes=()
	for bundle in "${bundles[@]:1}"; do volumes+=(--volume "$bundle"); done
	rm -rf "$tmp/got"
	"$read" extract "${key[@]}" "${volumes[@]}" -C "$tmp/got" "${bundles[0]}" 2>&1 || return
	[ "$code" -eq 3 ] || diff -r "$tmp/src" "$tmp/got/src"
}

packed() {
	local left
	said satchel-pack
	left=$(ls -A "$tmp/out")
	case $code in
	0 | 3) comes_back ;;
	1 | 13) [ -z "$left" ] || echo "left: $left" ;;
	2) grep -q 'not enough memory$\|recipe' "$tmp/stderr" || echo "usage?" ;;
	*) echo "not a code of the packer" ;;
	esac
	left=$(find "$tmp/spill" "$tmp/out" -mindepth 1 ! -name b ! -name 'b-[0-9]')
	[ -z "$left" ] || echo "left behind: $left"
	rm -rf "$tmp/out" && mkdir "$tmp/out"
}

with=("$pack" "${key[@]}" --jobs 2 --spill "$tmp/spill" -o "$tmp/out/b")
name="pack a directory"
for kind in "${kinds[@]}"; do every "$kind" packed "${with[@]}" "$tmp/src"; done

few=8
cat >"$tmp/recipe" <<RECIPE
[bundle]
size = 4M
volume-size = 1M
[compartment one]
archive = $tmp/archive.tar
metadata = full
key-file = $tmp/key
RECIPE
if command -v minisign >/dev/null; then
	minisign -G -W -p "$tmp/publisher" -s "$tmp/secret" >/dev/null
	echo "sign = $tmp/secret" >>"$tmp/recipe"
fi
cat >>"$tmp/recipe" <<RECIPE
[compartment two]
source = $tmp/src/sub
generate-passphrase = no
recipient = age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg
RECIPE
name="pack an archive, signed, in volumes, with another compartment"
with=("$pack" -q --jobs 2 --spill "$tmp/spill" -o "$tmp/out/b")
for kind in "${kinds[@]}"; do every "$kind" packed "${with[@]}" --recipe "$tmp/recipe"; done

# --- reading ------------------------------------------------------------------------

bundle=$tmp/bundle
rm -rf "$tmp/got"
"$pack" "${key[@]}" -o "$bundle" "$tmp/src" || exit 1
cp "$bundle" "$tmp/hurt"
dd if=/dev/zero of="$tmp/hurt" bs=16384 count=2 seek=20 conv=notrunc status=none
few=10

# What is there after it is whole, and everything where all was well.
extracted() {
	local file
	said satchel-read
	case $code in
	0 | 5) diff -r "$tmp/src" "$tmp/got/src" ;;
	1 | 3 | 4 | 10)
		find "$tmp/got" -type f -printf '%P\n' 2>/dev/null | while read -r file; do
			cmp "$tmp/src/${file#src/}" "$tmp/got/$file" 2>&1
		done
		;;
	*) echo "not a code of the reader's" ;;
	esac
	rm -rf "$tmp/got"
}

# What is printed is the beginning of what there is.
printed() {
	local expected=$tmp/src/numbers.txt
	said satchel-read
	case $code in
	0 | 5) cmp "$expected" "$tmp/stdout" 2>&1 ;;
	1 | 4 | 10) cmp <(head -c "$(stat -c %s "$tmp/stdout")" "$expected") "$tmp/stdout" 2>&1 ;;
	*) echo "not a code of the reader's" ;;
	esac
}

# The copy is what was packed, or it is not there.
repaired() {
	said satchel-read
	case $code in
	0 | 5) cmp "$bundle" "$tmp/out/b" 2>&1 ;;
	# What is said at the end may find no room, when the copy is there.
	1) [ -z "$(ls -A "$tmp/out")" ] || cmp "$bundle" "$tmp/out/b" 2>&1 ;;
	10 | 13) ls -A "$tmp/out" ;;
	*) echo "not a code of the reader's" ;;
	esac
	rm -rf "$tmp/out" && mkdir "$tmp/out"
}

shown() {
	said satchel-read
	case $code in
	0 | 1 | 4 | 5 | 10) ;;
	*) echo "not a code of the reader's" ;;
	esac
}

for kind in "${kinds[@]}"; do
	name=extract
	every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$bundle"
	name="extract what is damaged"
	every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$tmp/hurt"
	name="cat"
	every "$kind" printed "$dynamic" cat "${key[@]}" "$bundle" src/numbers.txt
	name=repair
	every "$kind" repaired "$dynamic" repair "${key[@]}" -o "$tmp/out/b" "$tmp/hurt"
	for verb in ls tree info verify; do
		name=$verb
		every "$kind" shown "$dynamic" "$verb" "${key[@]}" "$bundle"
	done
done

finish
