#!/bin/bash
# Bytes of a bundle are lost in every way: headers, roots, ends, sectors, pages that are
# swapped, a file that is cut off behind each page or longer than it was.  verify, ls,
# extract and repair have the right exit code, one line for each file that is lost, and
# give out all others; tests/decode.py says which those are.
# SATCHEL_LONG=1: at every page, with each sort of parity.
. tests/cli/lib.sh

every=6 parities='2 0'
[ -z "${SATCHEL_LONG-}" ] || every=1 parities='2 4 8 16 0'
mkdir -p "$tmp/src/d"
head -c 64 /dev/urandom >"$tmp/key"
for i in 1 2 3 4 5 6; do head -c $((i * 9000)) /dev/urandom >"$tmp/src/$i.jpg"; done
seq 1 3000 >"$tmp/src/numbers.txt"
seq 2 4000 >"$tmp/src/d/more.txt"
: >"$tmp/src/d/empty"
ln -s ../numbers.txt "$tmp/src/d/link"

lose() { # READ PARITY [ONLY]
	/usr/bin/python3 -B tests/every_loss.py "$1" "$tmp/key" "$tmp/bundle-$2" "$tmp/src" $every "${@:3}"
}

lose_all() { lose "$read" "$1" >"$tmp/tried"; }

for parity in $parities; do
	size=$((parity > 2 ? 430000 + parity * 16384 : 430000))
	"$pack" -q --key-file "$tmp/key" --parity "$parity" --size $size -o "$tmp/bundle-$parity" "$tmp/src/." || exit
	ok "parity $parity: all are tried" lose_all "$parity"
	while IFS=$'\t' read -r status what wrong; do
		is "parity $parity, $what" "$status $wrong" 'ok '
	done <"$tmp/tried"
done
ok "there were many" test $count -gt 100

# A pattern finds what of a directory is left, wherever in it a file would be that is called just
# like the pattern.  The names are long, so that a page has not all of them.
mkdir -p "$tmp/album/photos"
for ((i = 0; i < 400; i++)); do : >"$tmp/album/photos/IMG_$(head -c 90 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"; done
"$pack" -q --key-file "$tmp/key" --parity 0 -o "$tmp/whole" "$tmp/album/." || exit
found() { "$read" ls -q --key-file "$tmp/key" "$tmp/hurt" "$1" 2>/dev/null | wc -l; }
some=0
for at in $(tests/where.py data --key-file "$tmp/key" "$tmp/whole"); do
	cp "$tmp/whole" "$tmp/hurt"
	overwrite "$tmp/hurt" 16384 "$at"
	left=$(found photos)
	[ "$left" -eq 0 ] || [ "$left" -eq 400 ] || some=$((some + 1))
	is "page at $at lost: patterns find what is left" \
		"$(for pattern in '*' '[0-9a-f]*' '[!z]*' '?[!z]*' '[0-9a-f][0-9a-f]*' '????*'; do found "photos/IMG_$pattern"; done | sort -u)" "$left"
done
ok "of some something is" test $some -gt 0

# Controls: readers that say nothing, or too much, or lose what they need not.
liar() { # OF-WHAT WHAT-IT-DOES...
	printf '#!/bin/bash\n%s\n' "${*:2}" >"$tmp/liar"
	chmod +x "$tmp/liar"
	lose "$tmp/liar" 0 "$1"
}
like "a control: an honest one" "$(liar 'header B' exec "$read" '"$@"')" $'^ok\t'
# Half of it: before that there is no room for thirteen pages and a root, wherever they lie.
like "a control: one that names nothing" "$(liar 'cut to 212992' exec "$read" '"$@"' '2>/dev/null')" 'not ok.*named \[\] and not \['
like "one that names a good file" "$(liar 'header B' "echo 'satchel-read: d/empty: damaged beyond repair' >&2;" exec "$read" '"$@"')" \
	'not ok.*d/empty'
like "one that loses a file more" "$(liar 'header B' "$read" '"$@"; code=$?; rm -f "$6/d/empty"; exit $code')" \
	'not ok.*extract: \['
finish
