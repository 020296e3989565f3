#!/bin/bash
# Every read and write of files and pipes is interrupted or does half of what it is
# asked for, now and then: what comes out is the same to the byte.
. tests/cli/lib.sh
. tests/cli/nth.sh

if ! nth_build || ! ${CC:-gcc} -D_GNU_SOURCE -I. -O1 -shared -fPIC -o "$tmp/fixed.so" \
	tests/preload/fixed_random.c -lsodium 2>/dev/null; then
	skip "calls that do half" "needs a compiler"
	finish
fi
dynamic=$build/tests/satchel-read

mkdir -p "$tmp/src/sub" "$tmp/out"
seq 1 200000 >"$tmp/src/numbers.txt"
head -c 3000000 /dev/urandom >"$tmp/src/film.mp4"
cp "$tmp/src/film.mp4" "$tmp/src/sub/again.mp4"
echo small >"$tmp/src/sub/small.txt"
tar -C "$tmp" -cf "$tmp/archive.tar" src
head -c 32 /dev/urandom >"$tmp/key"
echo 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"
key=(-q --key-file "$tmp/key")

# fixed WHERE COMMAND...: with the same "random" bytes in every run; WHERE: a library
# to put in front, or nothing.
fixed() {
	local first=$1
	shift
	env ASAN_OPTIONS=verify_asan_link_order=0 NTH_CALL=short NTH_SEEN="$tmp/seen" \
		LD_PRELOAD="$first $tmp/fixed.so" "$@"
}

# same WHAT ARGUMENT...: packed so and so, it is one bundle.
same() {
	local what=$1
	shift
	rm -f "$tmp/out/"* "$tmp/seen"
	fixed '' "$pack" -q --jobs 1 --size 8M -o "$tmp/out/whole" "$@" <"$tmp/archive.tar"
	ok "$what: packed" fixed "$library" "$pack" -q --jobs 1 --size 8M -o "$tmp/out/short" "$@" \
		< <(cat "$tmp/archive.tar")
	is "$what: some were short" "$(head -c 1 "$tmp/seen")" y
	ok "$what: the same bundle" cmp "$tmp/out/whole" "$tmp/out/short"
}

same "a directory" --key-file "$tmp/key" "$tmp/src"
same "an archive" --key-file "$tmp/key" --archive "$tmp/archive.tar"
same "an archive on standard input" --key-file "$tmp/key" --archive -
same "a passphrase" --kdf low --passphrase-file "$tmp/passphrase" "$tmp/src/sub"

rm -f "$tmp/out/"*
"$pack" "${key[@]}" -o "$tmp/bundle" "$tmp/src" || exit 1
short() { fixed "$library" "$dynamic" "$@"; }
ok "extracted" short extract "${key[@]}" -C "$tmp/got" "$tmp/bundle"
ok "it is the same" diff -r "$tmp/src" "$tmp/got/src"
ok "printed" cmp <(short cat "${key[@]}" "$tmp/bundle" src/film.mp4 | cat) "$tmp/src/film.mp4"
is "listed" "$(short ls -l "${key[@]}" "$tmp/bundle" src | cat)" "$("$read" ls -l "${key[@]}" "$tmp/bundle" src)"
ok "verified" short verify "${key[@]}" "$tmp/bundle"
cp "$tmp/bundle" "$tmp/out/hurt"
dd if=/dev/zero of="$tmp/out/hurt" bs=16384 count=2 seek=20 conv=notrunc status=none
exits_5() { exits 5 short repair "${key[@]}" -o "$tmp/out/new" "$tmp/out/hurt"; }
ok "repaired" exits_5
ok "the copy is the same" cmp "$tmp/out/new" "$tmp/bundle"

finish
