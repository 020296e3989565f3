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
for v in "${volume[@]}"; do
	place "$v"
	is "${v##*/} alone lists everything" "$(list "$tmp/some/${v##*/}")" "$everything"
	yields "$tmp/some/${v##*/}" >"$tmp/alone-${v##*/}"
	echo "# and yields $(wc -l <"$tmp/alone-${v##*/}") films"
done

# Without one of them exactly the films that ls marks are gone.
for v in "${volume[@]}"; do
	others=()
	for other in "${volume[@]}"; do [ "$other" == "$v" ] || others+=("$other"); done
	place "${others[@]}"
	yields "$tmp/some/${others[0]##*/}" >"$tmp/got"
	(cd "$src" && printf "%s\n" *) | grep -vxFf "$tmp/got" >"$tmp/needs-${v##*/}"
	is "without ${v##*/} what ls marks is gone, and all else is there" \
		"$("$read" ls -R --json "${key[@]}" "$tmp/some/${others[0]##*/}" 2>/dev/null |
			jq -r 'select(.missing_volumes and .kind == "file") | .path' | sed 's,.*/,,' | sort)" "$(cat "$tmp/needs-${v##*/}")"
done

# Both agree: what needs one volume only is what that one yields alone.
for v in "${volume[@]}"; do
	is "${v##*/} alone yields its films" "$(cat "$tmp/alone-${v##*/}")" \
		"$(sort "$tmp"/needs-* | uniq -u | grep -xFf - "$tmp/needs-${v##*/}")"
done
ok "a film that is cut is so once, and at most one for each end of a volume" \
	test "$(sort "$tmp"/needs-* | uniq -d | wc -l)" -lt ${#volume[@]}

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
