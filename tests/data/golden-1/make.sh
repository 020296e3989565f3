#!/bin/bash
# What wrote the bundles in this directory, kept with them: one of each kind, by
# satchel-pack of format version 1, as small as they can be.  They are never written
# again, or changed: every later version opens them.  As root, for the owners:
#
#   BUILD=$PWD/build bash tests/data/golden-1/make.sh EMPTYDIR
#
# NAME.keys and NAME.expect are as encode.py describes them; what decode.py finds
# becomes what is expected after satchel-read has extracted just the sources.
set -euo pipefail
export LC_ALL=C.UTF-8

out=$1
build=${BUILD:-build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Sources: the same bytes every time.
noise() { openssl enc -aes-128-ctr -nosalt -K "$(printf '%032x' "$1")" -iv 0 </dev/zero 2>/dev/null | head -c "$2" || true; }
sources() {
	local src=$tmp/src
	mkdir -p "$src/letters/older" "$src/пісні" "$src/empty"
	seq 1 900 >"$src/letters/numbers.txt"
	echo 'short' >"$src/letters/older/short.txt"
	ln "$src/letters/older/short.txt" "$src/letters/again.txt"
	ln -s older/short.txt "$src/letters/link"
	noise 1 3000 >"$src/пісні/перша.mp3"
	noise 1 3000 >"$src/same.mp3"
	: >"$src/nothing"
	truncate -s 300000 "$src/hole"
	echo 'behind a hole' >>"$src/hole"
	chmod 500 "$src/letters/numbers.txt"
	mkdir "$tmp/full" "$tmp/other" "$tmp/long"
	cp -a "$src" "$tmp/full/src"
	setfattr -n user.note -v 'kept' "$tmp/full/src/same.mp3"
	chown 1000:100 "$tmp/full/src/letters/older/short.txt"
	chmod 4711 "$tmp/full/src/nothing"
	echo 'another compartment' >"$tmp/other/note.txt"
	for i in 1 2 3; do noise "$i" 60000 >"$tmp/long/film-$i.mp4"; done
	find "$tmp" -exec touch -h -d '2026-03-04 05:06:07.123456789 UTC' {} +
}

keys() {
	echo 'abacus abdomen ability ablaze able about' >"$out/one.passphrase"
	echo 'zucchini zoom zone zodiac zip zigzag' >"$out/two.passphrase"
	noise 7 64 >"$out/a.keyfile"
	age-keygen -o "$out/an.identity" 2>/dev/null
	minisign -G -W -p "$out/a.publisher" -s "$tmp/secret" >/dev/null
	recipient=$(age-keygen -y "$out/an.identity")
	publisher=$(tail -n 1 "$out/a.publisher")
}

# NAME METADATA SOURCES BUNDLE... -- WORD VALUE...: its case.
expect() {
	local name=$1 metadata=$2 from=$3 bundles=() options=()
	shift 3
	while [ "$1" != -- ]; do
		bundles+=("$out/$1")
		echo "bundle $1"
		shift
	done >"$out/$name.keys"
	shift
	while [ $# -gt 0 ]; do
		echo "$1 $2" >>"$out/$name.keys"
		case $1 in
		publisher) options+=("--$1" "$2") ;;
		*) options+=("--$1" "$out/$2") ;;
		esac
		shift 2
	done
	echo 'status 0' >>"$out/$name.keys"
	"$build/satchel-read" extract -q "${options[@]}" -C "$tmp/got" "${bundles[0]}"
	diff <(tests/describe.py "$from" "$metadata") <(tests/describe.py "$tmp/got" "$metadata")
	rm -rf "$tmp/got"
	tests/decode.py "${options[@]}" hash "${bundles[@]}" >"$out/$name.expect"
}

pack() { # NAME SIZE OPTION... SOURCE
	local name=$1 size=$2
	shift 2
	"$build/satchel-pack" -q --kdf low --parity 0 --size "$size" -o "$out/$name.bundle" "$@"
}

one() { # NAME OPTION... -- WORD VALUE...: of the ordinary sources
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	pack "$name" 99081 "${options[@]}" --label 'Пісні й листи' --series songs --edition 7 "$tmp/src/."
	expect "$name" private "$tmp/src" "$name.bundle" "$@"
}

sources
keys
one passphrase --passphrase-file "$out/one.passphrase" -- passphrase-file one.passphrase
one key-file --key-file "$out/a.keyfile" -- key-file a.keyfile
one second-factor --passphrase-file "$out/one.passphrase" --second-factor "$out/a.keyfile" -- \
	passphrase-file one.passphrase key-file a.keyfile
one recipient --recipient "$recipient" -- identity an.identity
one signed --key-file "$out/a.keyfile" --sign "$tmp/secret" -- key-file a.keyfile publisher "$publisher"

pack full-metadata 99081 --key-file "$out/a.keyfile" --metadata full "$tmp/full/src/."
expect full-metadata full "$tmp/full/src" full-metadata.bundle -- key-file a.keyfile
pack parity 163841 --parity 4 --key-file "$out/a.keyfile" "$tmp/src/."
expect parity private "$tmp/src" parity.bundle -- key-file a.keyfile
pack volumes 540001 --volume-size 256K --key-file "$out/a.keyfile" "$tmp/long/."
expect volumes private "$tmp/long" volumes-{1,2,3}.bundle -- key-file a.keyfile

cat >"$tmp/recipe.ini" <<RECIPE
[bundle]
size = 240001
parity = 0
kdf = low
[compartment first]
source = $tmp/src/.
passphrase-file = $out/one.passphrase
[compartment second]
source = $tmp/other/.
passphrase-file = $out/two.passphrase
recipient = $recipient
sign = $tmp/secret
[compartment third]
source = $tmp/full/src/.
metadata = full
key-file = $out/a.keyfile
RECIPE
"$build/satchel-pack" -q --recipe "$tmp/recipe.ini" -o "$out/compartments.bundle"
expect compartments-first private "$tmp/src" compartments.bundle -- passphrase-file one.passphrase
expect compartments-second private "$tmp/other" compartments.bundle -- identity an.identity publisher "$publisher"
expect compartments-third full "$tmp/full/src" compartments.bundle -- key-file a.keyfile
