#!/bin/bash
# What is taken in, what is left out, and what is said about it.
. tests/cli/lib.sh

chmod 755 "$tmp"
src=$tmp/src
mkdir -p "$src/films" "$src/books/old"
head -c 300000 /dev/urandom >"$src/films/film.mp4"
seq 1 20000 >"$src/books/numbers.txt"
echo short >"$src/books/old/short.txt"
: >"$src/empty"
ln "$src/films/film.mp4" "$src/books/film too.mp4"
ln -s ../nowhere "$src/books/link"
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
with=(--kdf low --passphrase-file "$tmp/pw")
bundle=$tmp/b

decode() { # VERB [ARGUMENT...]
	tests/decode.py --passphrase-file "$tmp/pw" "${@:2}" "$1" "$bundle"
}

listing() { # KINDS AND PATHS, one to a line
	decode ls | jq -r 'select(.path != ".") | .kind[:1] + " " + .path'
}

ok "a tree is packed" exits 0 "$pack" "${with[@]}" -o "$bundle" "$src"
no "with no name of it in what is said" grep -E 'film.mp4|books|short' "$tmp/stderr"
is "everything is in it" "$(listing)" 'd src
d src/books
f src/empty
d src/films
f src/books/film too.mp4
s src/books/link
f src/books/numbers.txt
d src/books/old
h src/films/film.mp4
f src/books/old/short.txt'
is "with its content" \
	"$(decode hash | jq -r 'select(.sha256) | .sha256 + "  " + .path' | sort -k2)" \
	"$(cd "$tmp" && find src -type f -exec sha256sum {} + | sort -k2)"
is "a second name is a link to the first" \
	"$(decode ls | jq -r 'select(.kind == "hardlink") | .of, .links')" $'src/books/film too.mp4\n2'
is "private metadata is days, and no write permission" \
	"$(decode ls | jq -r 'select(.path == "src/empty") | .mode, .mtime % 86400')" $'0444\n0'

ok "the content of a directory is packed" exits 0 "$pack" -f -v "${with[@]}" -o "$bundle" \
	"$src/." --exclude 'film*' --exclude books/old --label 'a label' --series weekly --edition 12
is "without what was excluded" "$(listing)" 'd books
f empty
s books/link
f books/numbers.txt'
is "with -v each name is said" "$(grep -c '^satchel-pack: books/numbers.txt$' "$tmp/stderr")" 1
is "label, series and edition are in it" \
	"$(decode info --json | jq -c '[.label, .series, .edition]')" '["a label","weekly",12]'

if strace -o /dev/null true 2>/dev/null; then
	mkdir "$tmp/many"
	touch "$tmp/many"/{1..200} "$tmp/many/out" "$tmp/many/in" "$src/out"
	for what in "$tmp/many" "$tmp/many/." "$src"; do
		strace -f -e trace=newfstatat,statx -o "$tmp/trace" "$pack" "${with[@]}" -f -o "$tmp/looked" --exclude out "$what"
		ok "what is in $(basename "$what") is looked at" grep -q '"\(in\|books\)"' "$tmp/trace"
		no "but not what is left out" grep '"out"' "$tmp/trace"
	done
	rm "$src/out"
else
	skip "what is left out is not looked at" "strace is missing, or nobody can be traced"
fi

ok "several sources come together" exits 0 "$pack" -f "${with[@]}" -o "$bundle" "$src/books/" \
	"$src/empty" "$src/films/."
is "each under its own name" "$(listing | grep -v books/)" 'd books
f empty
f film.mp4'

ok "a clock from the environment" env SOURCE_DATE_EPOCH=1000000000 \
	"$pack" -q -f --metadata full "${with[@]}" -o "$bundle" "$src"
is "is the latest time" "$(decode ls | jq -r .mtime | sort -u)" 1000000000
ok "full metadata" exits 0 "$pack" -f --metadata full "${with[@]}" -o "$bundle" "$src"
is "is exact" "$(decode ls | jq -r 'select(.path == "src/empty") |
	[.mode, .uid, .gid, .mtime, .nanoseconds] | join(" ")')" \
	"$(stat -c '0%a %u %g %.9Y' "$src/empty" | tr . ' ' | sed 's/ 0*\([0-9]\+\)$/ \1/')"

# --- what is left out --------------------------------------------------------

mkfifo "$src/pipe"
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$src/socket"
ok "pipes and sockets are no failure" exits 0 "$pack" -f "${with[@]}" -o "$bundle" "$src"
like "and named" "$(cat "$tmp/stderr")" \
	'src/pipe: is a pipe: left out.*src/socket: is a socket: left out'
ok "quietly, if asked" exits 0 "$pack" -q -f "${with[@]}" -o "$bundle" "$src"
is "they are not" "$(cat "$tmp/stderr")" ''
ok "a program is told" exits 0 "$pack" --json -f "${with[@]}" -o "$bundle" "$src"
is "how many" "$(tail -n 1 "$tmp/stdout" | jq -c '[.code, .left_out, .skipped]')" '[0,0,2]'
rm "$src/pipe" "$src/socket"

# A name on FAT may be longer than a bundle's.
if preload long_name 2>"$tmp/.said"; then
	ok "what has a longer name" exits 3 env ASAN_OPTIONS=verify_asan_link_order=0 \
		LD_PRELOAD="$tmp/long_name.so" "$pack" --json -f "${with[@]}" -o "$bundle" "$src" "$src/books/."
	like "is told of by its directory" "$(cat "$tmp/stderr")" \
		"$src/books: what has a name of more than 255 bytes in it: left out"
	is "and counted" "$(tail -n 1 "$tmp/stdout" | jq .left_out)" "$(grep -c 'more than 255' "$tmp/stderr")"
else
	skip "longer names" "needs a compiler"
fi

# Equal, as far as anybody could live to see: their holes are not compared.
if truncate -s 8T "$tmp/terabytes" "$tmp/terabytes too" 2>/dev/null; then
	ok "terabytes of nothing, twice" exits 0 timeout -k 5 60 "$pack" -n "$tmp/terabytes" "$tmp/terabytes too"
	rm "$tmp/terabytes" "$tmp/terabytes too"
else
	skip "terabytes of nothing" "the file system has no files as long"
fi

# As somebody who may not read everything.
nobody=() theirs=$pack
if [ "$(id -u)" -eq 0 ]; then
	nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	# Where the program lies he may not be able to look.
	cp "$pack" "$tmp"
	theirs=$tmp/${pack##*/}
fi
mkdir -m 777 "$tmp/anybody"
mkdir "$src/closed"
echo secret >"$src/closed/inside"
echo secret >"$src/locked.txt"
chmod 000 "$src/closed" "$src/locked.txt"
bundle=$tmp/anybody/b
ok "what cannot be read" exits 3 "${nobody[@]}" "$theirs" "${with[@]}" -o "$bundle" "$src"
like "is named" "$(cat "$tmp/stderr")" 'src/closed: Permission denied: left out'
like "each" "$(cat "$tmp/stderr")" 'src/locked.txt: Permission denied: left out'
like "and counted" "$(tail -n 1 "$tmp/stderr")" '\(2 left out\)'
chmod 644 "$bundle" 2>/dev/null
is "and the rest is packed" "$(listing | grep -c .)" 10
ok "a program is told as well" exits 3 "${nobody[@]}" "$theirs" --json -f "${with[@]}" -o "$bundle" "$src"
is "by its number" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .code, .left_out, .files, .bundles]')" \
	'["summary",3,2,4,1]'
is "and no name" "$(grep -c film "$tmp/stdout")" 0
ok "unless it was asked for by name" exits 1 "${nobody[@]}" "$theirs" -f "${with[@]}" -o "$bundle" \
	"$src/locked.txt"
ok "in which case nothing is done" exits 1 "${nobody[@]}" "$theirs" -f "${with[@]}" \
	-o "$tmp/anybody/new" "$src" "$src/closed"
is "at all" "$(ls "$tmp/anybody")" b
# A drive that lists its files and gives none of them must not cost the last bundle.
mkdir "$src/closed-too"
echo secret >"$src/closed-too/film.mp4"
chmod 000 "$src/closed-too/film.mp4"
sum=$(sha256sum "$bundle")
ok "where nothing of it can be read" exits 1 "${nobody[@]}" "$theirs" -f "${with[@]}" -o "$bundle" "$src/closed-too"
like "it is said" "$(tail -n 1 "$tmp/stderr")" 'there is no file in what is to be packed'
is "and last night's bundle is there" "$(sha256sum "$bundle")" "$sum"
printf '[bundle]\nsize = 4M\n[compartment a]\nsource = %s\nkey-file = %s\n[compartment b]\nsource = %s\nkey-file = %s\n' \
	"$src/books" "$src/books/numbers.txt" "$src/closed-too" "$src/books/film too.mp4" >"$tmp/anybody/recipe.ini"
ok "of one compartment, too" exits 1 "${nobody[@]}" "$theirs" -f --kdf low -o "$bundle" --recipe "$tmp/anybody/recipe.ini"
like "which is named" "$(tail -n 1 "$tmp/stderr")" ': b: there is no file in what is to be packed'
is "and it is still there" "$(sha256sum "$bundle")" "$sum"
rm -rf "$src/closed-too"
chmod 755 "$src/closed" "$src/locked.txt"

# --- outputs among the sources ----------------------------------------------

bundle=$src/books/b
ok "a bundle is written into its source" exits 0 "$pack" "${with[@]}" -o "$bundle" "$src"
is "before it was there" "$(listing | grep -c books/b)" 0
sum=$(sha256sum "$bundle")
ok "it is not replaced as long as it is packed" exits 1 "$pack" -f "${with[@]}" -o "$bundle" "$src"
like "this is said" "$(cat "$tmp/stderr")" 'src/books/b: lies in what is packed, and --force would replace it; '
is "and it is as it was" "$(sha256sum "$bundle")" "$sum"
ok "it is, when it is left out" exits 0 "$pack" -f "${with[@]}" --exclude '*/books/b' -o "$bundle" "$src"
isnt=$(sha256sum "$bundle")
ok "and is another then" test "$isnt" != "$sum"
is "and it is not in itself" "$(listing | grep -c books/b)" 0
is "nothing is left beside it" "$(ls -A "$src/books")" $'b\nfilm too.mp4\nlink\nnumbers.txt\nold'

finish
