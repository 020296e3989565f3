#!/bin/bash
# Every read and write of files and pipes is interrupted or does half of what it is
# asked for, now and then, and every other sync is interrupted: what comes out is the
# same to the byte.
. tests/cli/lib.sh
. tests/cli/nth.sh

nth_begin
if ! preload fixed_random -lsodium 2>/dev/null; then
	skip "calls that do half" "needs a compiler"
	finish
fi
dynamic=$build/tests/satchel-read

seq 1 200000 >"$tmp/src/numbers.txt"
head -c 3000000 /dev/urandom >"$tmp/src/film.mp4"
cp "$tmp/src/film.mp4" "$tmp/src/sub/again.mp4"
tar -C "$tmp" -cf "$tmp/archive.tar" src
echo 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"

# fixed WHERE COMMAND...: with the same "random" bytes in every run; WHERE: a library
# to put in front, or nothing.
fixed() {
	local first=$1
	shift
	env ASAN_OPTIONS=verify_asan_link_order=0 NTH_CALL=short NTH_SEEN="$tmp/seen" \
		LD_PRELOAD="$first $tmp/fixed_random.so" "$@"
}

# same WHAT ARGUMENT...: packed so and so, it is one bundle, or one set.
same() {
	local what=$1
	shift
	rm -rf "$tmp/whole" "$tmp/short" "$tmp/seen"
	mkdir "$tmp/whole" "$tmp/short"
	fixed '' "$pack" --jobs 1 --spill "$tmp/spill" -o "$tmp/whole/b" "$@" <"$tmp/archive.tar" >/dev/null
	fixed "$library" "$pack" --jobs 1 --spill "$tmp/spill" -o "$tmp/short/b" "$@" \
		< <(cat "$tmp/archive.tar") > >(cat >"$tmp/printed")
	is "$what: packed" $? 0
	is "$what: some were short" "$(head -c 1 "$tmp/seen")" y
	ok "$what: the same bundle" diff -r "$tmp/whole" "$tmp/short"
	ok "$what: there is one" test "$(find "$tmp/short" -size +100k)"
}

same "a directory" "${key[@]}" --size 8M "$tmp/src"
same "an archive that is spilled" "${key[@]}" --size 8M --memory 101M --archive "$tmp/archive.tar"
same "an archive on standard input" "${key[@]}" --size 8M --archive -
same "a passphrase" -q --size 1M --kdf low --passphrase-file "$tmp/passphrase" "$tmp/src/sub/small.txt"
same "for a program" --json --size 8M --key-file "$tmp/key" "$tmp/src"
is "what it is told ends well" "$(tail -n 1 "$tmp/printed" | jq -r .type)" summary

short() { fixed "$library" "$dynamic" "$@"; }

# reads_back ARGUMENT...: what was packed last, in all ways.
reads_back() {
	local files=("$tmp/short"/b*) volumes=() what=$1
	shift
	for file in "${files[@]:1}"; do volumes+=(--volume "$file"); done
	rm -rf "$tmp/got"
	ok "$what: extracted" short extract -q "$@" "${volumes[@]}" -C "$tmp/got" "${files[0]}"
	ok "$what: it is the same" diff -r "$tmp/src" "$tmp/got/src"
	is "$what: verified" "$(short verify --json "$@" "${volumes[@]}" "${files[0]}" | tail -n 1 | jq -r .type)" summary
	is "$what: listed" "$(short ls -R --json -q "$@" "${volumes[@]}" "${files[0]}" | cat)" \
		"$("$read" ls -R --json -q "$@" "${volumes[@]}" "${files[0]}")"
	is "$what: shown" "$(short info -q "$@" "${volumes[@]}" "${files[0]}" | cat)" \
		"$("$read" info -q "$@" "${volumes[@]}" "${files[0]}")"
}

if command -v age-keygen >/dev/null && command -v minisign >/dev/null; then
	age-keygen -o "$tmp/identity" 2>/dev/null
	age-keygen -y "$tmp/identity" >"$tmp/recipients"
	minisign -G -W -p "$tmp/publisher" -s "$tmp/secret" >/dev/null
	same "for recipients, signed, in volumes" -q --recipients-file "$tmp/recipients" \
		--sign "$tmp/secret" --size 9M --volume-size 3M "$tmp/src"
	reads_back "a signed set" --identity "$tmp/identity" --publisher "$tmp/publisher"
	cat >"$tmp/recipe" <<-RECIPE
		[bundle]
		size = 16M
		[compartment one]
		archive = $tmp/archive.tar
		sign = $tmp/secret
		recipient = $(cat "$tmp/recipients")
		[compartment two]
		source = $tmp/src/sub/small.txt
		key-file = $tmp/key
	RECIPE
	same "a recipe" -q --recipe "$tmp/recipe"
	reads_back "what it made" --identity "$tmp/identity"
else
	skip "signed sets and recipes" "need age-keygen and minisign"
fi

nth_hurt
ok "printed" cmp <(short cat "${key[@]}" "$tmp/bundle" src/film.mp4 | cat) "$tmp/src/film.mp4"
exits_5() { exits 5 short repair "${key[@]}" -o "$tmp/new" "$tmp/hurt"; }
ok "repaired" exits_5
ok "the copy is the same" cmp "$tmp/new" "$tmp/bundle"

finish
