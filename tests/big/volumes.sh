#!/bin/bash
# 12 GiB as volumes for FAT32: any of them alone, all but one, renamed and shuffled.
# Not part of "make check": it wants 32 GB of room and some minutes.
cd "$(dirname "$0")/../.." || exit
export TMPDIR=${TMPDIR:-/var/tmp}
. tests/cli/lib.sh

src=$tmp/films out=$tmp/out
mkdir "$src" "$out"
head -c 64 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")

# Films of 360 MB to 1.3 GB, which nothing can compress: a key stream each.
total=0
for i in {1..13}; do
	len=$((300000000 + i * 7919 % 17 * 60000000))
	head -c "$len" /dev/zero | openssl enc -aes-128-ctr -K "$(printf %032x "$i")" -iv 0 2>/dev/null \
		>"$src/film $i.mkv"
	total=$((total + len))
done
head -c $(((12 << 30) - total)) /dev/urandom >"$src/the rest.mkv"
is "there are 12 GiB" "$(du -sb "$src" | awk '{ printf "%.0f", $1 - 4096 }')" $((12 << 30))

seconds() { # WHAT COMMAND...: says how long it took and how much memory
	/usr/bin/time -f "# $1: %e s, %U user, %S system, %M KiB" -o "$tmp/time" "${@:2}"
	local status=$?
	cat "$tmp/time"
	return $status
}
seconds pack "$pack" -q "${key[@]}" --volume-size fat32 -o "$out/x.bin" "$src"
result $? "packs"
volume=("$out"/x-*)
echo "# ${#volume[@]} volumes of $(stat -c %s "${volume[0]}") bytes"
is "all of one length that FAT32 can hold" \
	"$(stat -c %s "${volume[@]}" | sort -u | awk '$1 < 2^32 && $1 > 0.99 * 2^32 - 2 { n++ } END { print n, NR }')" "1 1"
seconds "verify" "$read" verify -q "${key[@]}" "${volume[0]}"
result $? "verifies"

# The films that a bundle gives out, all of them right; nothing of the others.
yields() { # VOLUME [OPTION...]
	local film
	for film in "$src"/*; do
		if "$read" cat "${key[@]}" "${@:2}" "$1" "films/${film##*/}" 2>/dev/null |
			cmp -s - "$film"; then
			echo "${film##*/}"
		fi
	done
}
list() { "$read" ls -lR "${key[@]}" "$1" 2>/dev/null | grep -o '.*mkv'; }

everything=$(list "${volume[0]}")
mkdir "$tmp/some"
place() {
	rm -f "$tmp/some"/*
	ln "$@" "$tmp/some"
}
whole=0
for v in "${volume[@]}"; do
	place "$v"
	is "${v##*/} alone lists everything" "$(list "$tmp/some/${v##*/}")" "$everything"
	yields "$tmp/some/${v##*/}" >"$tmp/alone-${v##*/}"
	echo "# and yields $(wc -l <"$tmp/alone-${v##*/}") films"
	whole=$((whole + $(wc -l <"$tmp/alone-${v##*/}")))
done
ok "all but $((14 - whole)) of the films are whole in one of them" test "$whole" -gt $((14 - ${#volume[@]}))

# Without one of them, the films that are in the others alone are all there.
for v in "${volume[@]}"; do
	others=()
	for other in "${volume[@]}"; do [ "$other" == "$v" ] || others+=("$other"); done
	place "${others[@]}"
	yields "$tmp/some/${others[0]##*/}" >"$tmp/got"
	no "without ${v##*/} its own are gone" grep -qxFf "$tmp/alone-${v##*/}" "$tmp/got"
	is "and all of the others' are there" \
		"$(cat "${others[@]/#$out\//$tmp/alone-}" | grep -vxFf "$tmp/got")" ""
done

mkdir "$tmp/left" "$tmp/right"
given=()
for v in $(printf '%s\n' "${volume[@]}" | shuf); do
	if [ ${#given[@]} -lt 4 ]; then
		given+=(--volume "$tmp/right/IMG_$RANDOM$RANDOM")
		ln "$v" "${given[-1]}"
	else
		ln "$v" "$tmp/left/$RANDOM.raw"
	fi
done
is "renamed, shuffled, in two directories: everything" \
	"$(yields "$(find "$tmp/left" -type f | head -n 1)" "${given[@]}" | wc -l)" 14
finish
