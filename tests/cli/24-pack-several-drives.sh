#!/bin/bash
# One stage, several drives: each bundle is its own, and a drive that is unfit
# does not stop the others.
. tests/cli/lib.sh

src=$tmp/src
mkdir "$src" "$tmp/out"
head -c 3M /dev/urandom >"$src/film.mp4"
seq 1 100000 >"$src/numbers.txt"
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
with=(--kdf low --passphrase-file "$tmp/pw")

hash_of() { tests/decode.py --passphrase-file "$tmp/pw" hash "$1"; }

ok "three bundles of one stage" exits 0 "$pack" "${with[@]}" --json -o "$tmp/out/1" -o "$tmp/out/2" \
	-o "$tmp/out/3" "$src"
is "are reported each" "$(jq -c 'select(.type == "output") | [.file, .written]' "$tmp/stdout")" \
	"$(printf '["%s",true]\n' "$tmp"/out/{1,2,3})"
is "with the length that they have" \
	"$(jq -r 'select(.type == "output") | .bytes' "$tmp/stdout")" "$(stat -c %s "$tmp"/out/{1,2,3})"
is "hold the same" "$(hash_of "$tmp/out/2")" "$(hash_of "$tmp/out/1")"
is "to the last" "$(hash_of "$tmp/out/3")" "$(hash_of "$tmp/out/1")"
# 16-byte blocks that occur twice, in one or in two of them.
is "and share no block" "$(for f in "$tmp"/out/[123]; do od -An -v -tx1 -w16 "$f"; done |
	awk 'length == 48' | sort | uniq -d | wc -l)" 0

ok "an output that exists already" exits 1 "$pack" "${with[@]}" --json -o "$tmp/out/1" -o "$tmp/out/4" "$src"
is "does not stop the other" \
	"$(jq -c 'select(.type == "output") | [.written, .message]' "$tmp/stdout")" \
	'[false,"'"$tmp"'/out/1: exists already; --force replaces it"]
[true,null]'
is "and decides the exit code" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .code]')" '["error",1]'
ok "in a dry run, too" exits 1 "$pack" --dry-run -o "$tmp/out/1" -o "$tmp/out/5" "$src"
like "which says what the other would have" "$(cat "$tmp/stdout")" 'packs      2 files, 1 directory.*drawn at random'
ok "and in JSON" exits 1 "$pack" --dry-run --json -o "$tmp/out/1" -o "$tmp/out/5" "$src"
is "with the same code" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .code]')" '["error",1]'
is "which is there" "$(hash_of "$tmp/out/4")" "$(hash_of "$tmp/out/1")"

# Drives that are too small, read-only, or full before they should be.
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	export tmp pack src
	outputs=()
	for n in 1 2 3 4; do outputs+=(-o "$tmp/drive$n/b"); done
	cat >"$tmp/drives" <<-'SCRIPT'
		mkdir "$tmp"/drive{1,2,3,4,5,6}
		mount -t tmpfs -o size=1M none "$tmp/drive1"
		mount -t tmpfs -o size=16M none "$tmp/drive2"
		mount -t tmpfs -o size=16M,ro none "$tmp/drive3"
		mount -t tmpfs -o size=16M none "$tmp/drive4"
		with=(--kdf low --passphrase-file "$tmp/pw")
		"$pack" "${with[@]}" "$@" "$src"
		echo "code $?"
		(cd "$tmp" && ls drive?/*)
		"$pack" "${with[@]}" -q --size "fill:$tmp/drive4" -o "$tmp/drive4/filled" "$src"
		echo "code $?, $(df --output=pcent "$tmp/drive4" | tail -n 1)"
		mkdir "$tmp"/drive7{,.b}
		for n in "$tmp"/drive7{,.b}; do mount -t tmpfs -o size=64M none "$n"; done
		"$pack" "${with[@]}" -q --size "fill:$tmp/drive7" -o "$tmp/drive7/x" -o "$tmp/drive7.b/x" "$src"
		echo "code $?, lengths: $(stat -c %s "$tmp"/drive7*/x | sort -u | wc -l)"
		umount "$tmp"/drive7*
		"$pack" "${with[@]}" -q -o "$tmp/drive3/b" -o "$tmp/drive1/b" "$src"
		echo "code $?"
		"$pack" -q -n -o "$tmp/drive1/b" -o "$tmp/drive2/b2" "$src"
		echo "rehearsed: $?, $(ls "$tmp/drive2")"
		rm "$tmp/drive2/b"
		low=$("$pack" -q -n --json "$src" | jq ".length[0]? // empty")
		mount -t tmpfs -o size="$low" none "$tmp/drive2"
		"$pack" -q -n -o "$tmp/drive2/b" "$src"
		echo "code $?"
		mount -t tmpfs -o size=1M none "$tmp/drive5"
		mount -t tmpfs -o size=8G none "$tmp/drive6"
		head -c 1M /dev/zero >"$tmp/drive5/full"
		"$pack" "${with[@]}" -q --size "fill:$tmp/drive5" -o "$tmp/out/none" "$src"
		echo "code $?"
		"$pack" "${with[@]}" -q --size "fill:$tmp/drive6" --volume-size 1M -o "$tmp/out/many" "$src"
		echo "code $?"
		"$pack" "${with[@]}" -q --size "fill:$tmp/drive6" --volume-size 16M -n "$src"
	SCRIPT
	said=$(unshare -m bash "$tmp/drives" "${outputs[@]}" 2>&1)
	like "a small drive is named" "$said" \
		'drive1/b: the bundle needs at least [0-9.]+ MB, and 1.0 MB are free there; pack less, or take a larger drive'
	like "a read-only one too" "$said" 'drive3/b: nothing can be written there: Read-only'
	like "the others are written" "$said" 'in each of 2 bundles'
	like "and the exit code is of the drives" "$said" $'code 13\ndrive2/b\ndrive4/b'
	like "a dry run says so, too" "$said" $'drive1/b: the bundle needs .*\npacks .*\nrehearsed: 13, b\n'
	like "one that has room for a shorter bundle" "$said" \
		$'drive2/b: the bundle has up to [0-9.]+ MB, drawn at random, and [0-9.]+ MB are free there; --size .*\npacks .*\ncode 13\n'
	like "a drive is filled" "$said" $'code 0, +(99|100)%'
	like "each one to a length of its own" "$said" 'code 0, lengths: 2'
	like "if none is fit, nothing is done" "$said" $'Read-only file system; is it write-protected\\?\n.*drive1/b: .*\ncode 13\n'
	like "what fills a full drive is no bundle" "$said" \
		$'drive5: --size=fill: too little is free there for any bundle\ncode 13\n'
	no "and not another one" test -e "$tmp/out/none"
	like "nor what takes too many volumes" "$said" \
		$'drive6: --size=fill: more than 1024 volumes of --volume-size\ncode 2\n'
	like "fewer do" "$said" $'volumes    5[0-9][0-9], '
else
	skip "unfit drives" "no right to mount"
fi

finish
