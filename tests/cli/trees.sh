# shellcheck shell=bash
# Trees that break archivers, for scripts that compare what comes back; after lib.sh.
#
#   src=DIRECTORY
#   names; links; contents; holes; attributes; many    each makes one in $src
#   describe DIRECTORY private|full                    what a tree is, in text

: "${src=}"

describe() {
	python3 tests/describe.py "$@"
}

names() {
	local d=$src/names
	mkdir "$d"
	printf a >"$d/한국어"                            # NFC
	printf b >"$d/$(printf '\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab')" # NFD
	printf c >"$d/$(printf 'x%.0s' {1..255})"
	printf d >"$d/"$'two\nlines'
	printf e >"$d/"$'broken \xff\xfe'
	printf f >"$d/-rf"
	printf g >"$d/ "
	printf h >"$d/back\\slash"
	printf i >"$d/..."
	: >"$d/empty"
	mkdir "$d/empty directory"
}

links() {
	local d=$src/links
	mkdir "$d"
	echo one >"$d/file"
	ln "$d/file" "$d/again"
	mkdir "$d/sub"
	ln "$d/file" "$d/sub/and again"
	ln -s nowhere "$d/dangling"
	ln -s /etc/hostname "$d/absolute"
	ln -s loop "$d/loop"
	ln -s ../../../../etc/passwd "$d/out"
	ln "$d/dangling" "$d/dangling too" # a symbolic link of two names
}

contents() {
	local d=$src/contents
	mkdir "$d"
	head -c 3000000 /dev/urandom >"$d/film.mp4"
	seq 1 400000 >"$d/numbers.txt"
	(seq 1 30000 && head -c 1000000 /dev/urandom && seq 1 30000) >"$d/mixed.bin"
	cp "$d/film.mp4" "$d/film again.mp4"
	head -c 262144 /dev/zero >"$d/frame"
	head -c 262145 /dev/zero >"$d/frame and one"
}

holes() {
	local d=$src/holes
	mkdir "$d"
	truncate -s 1T "$d/sparse"
	printf begin | dd of="$d/sparse" conv=notrunc status=none
	printf end | dd of="$d/sparse" bs=1 seek=900000000000 conv=notrunc status=none
	truncate -s 7M "$d/all hole" "$d/one"
	printf one | dd of="$d/one" bs=1M seek=1 conv=notrunc status=none
	printf two | dd of="$d/one" bs=1M seek=5 conv=notrunc status=none
	cp --sparse=always "$d/one" "$d/one more"
}

attributes() {
	local d=$src/attributes m
	mkdir "$d"
	for m in 400 444 500 555 644 600 755 777; do
		echo "$m" >"$d/$m"
		chmod "$m" "$d/$m"
	done
	touch -d '1969-12-31 23:59:59.123456789 UTC' "$d/400"
	touch -d '2038-01-19 03:14:08.5 UTC' "$d/444"
	mkdir -m 700 "$d/private" && touch -d '2001-02-03 04:05:06 UTC' "$d/private"
	setfattr -n user.mood -v 'well $(printf x)' "$d/644" 2>/dev/null
	setfattr -n user.note -v '' "$d/644" 2>/dev/null
}

many() {
	local d=$src/many
	mkdir "$d"
	(cd "$d" && seq -f 'file %.0f' 1 5000 | xargs -d '\n' touch)
	# Deeper than what satchel-read keeps open of a way (reader/place.c), and forked there.
	local way
	way=$d/$(printf 'deep/%.0s' {1..200})
	mkdir -p "$way$(printf 'on/%.0s' {1..150})" "$way$(printf 'off/%.0s' {1..100})" "$way/no"
	echo way >"$way/file"
	echo off >"$way$(printf 'off/%.0s' {1..60})/file"
	ln "$way/file" "$way$(printf 'on/%.0s' {1..150})/hard link"
}
