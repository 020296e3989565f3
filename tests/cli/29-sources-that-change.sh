#!/bin/bash
# What was there when it was staged and is not when it is written; what cannot be
# read to its end.  It is named, the exit status is right, and nothing is left that
# looks like a bundle.  tests/preload/fail.c makes it happen at the right moment.
. tests/cli/lib.sh

if ! preload fail 2>"$tmp/.said"; then
	skip "sources that change" "needs a compiler"
	finish
fi
head -c 32 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key" --jobs 1)
mkdir "$tmp/src" "$tmp/out"
bundle=$tmp/out/b

# A film, read once for its class and once for each target; a text, read in chunks of
# 256 KiB, some twice.
plant() {
	rm -rf "$tmp/src" && mkdir "$tmp/src"
	(printf '\0\0\0\040ftypisom' && head -c 8388600 /dev/zero) >"$tmp/src/film.mp4"
	seq 1 400000 >"$tmp/src/text.txt"
	echo small >"$tmp/src/small.txt"
	head -c 100000 /dev/urandom >"$tmp/src/another"
}

# shimmed FILE AT WHAT ARGUMENT...
shimmed() {
	local file=$1 at=$2 what=$3
	shift 3
	rm -f "$bundle"
	env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$tmp/fail.so" SHIM_FILE="$file" \
		SHIM_AT="$at" SHIM_DO="$what" "$pack" "${key[@]}" -o "$bundle" "$@"
}

# fails WHEN... CODE REGEX: packing ends so, says so, and leaves nothing.
fails() {
	local code=$4 regex=$5
	plant
	exits "$code" shimmed "$1" "$2" "$3" "$tmp/src" "${@:6}" &&
		grep -qE "^satchel-pack: $regex\$" "$tmp/stderr" && [ -z "$(ls -A "$tmp/out")" ]
}

# leaves_out WHEN... REGEX: the rest is packed, and nothing of it.
leaves_out() {
	plant
	exits 3 shimmed "$1" "$2" "$3" "$tmp/src" && grep -qE "^satchel-pack: $4\$" "$tmp/stderr" &&
		"$read" verify -q --key-file "$tmp/key" "$bundle" &&
		! "$read" ls --key-file "$tmp/key" "$bundle" "src/$1" 2>/dev/null
}

# The bytes that the content of a bundle of $tmp/src has.
content() {
	"$pack" --dry-run --json "$tmp/src" 2>/dev/null | tail -n 1 | jq .content
}

# --- between staging and the end of writing ----------------------------------------

film=$tmp/src/film.mp4
ok "shorter while it is written" fails film.mp4 2 truncate 1 \
	"$film: changed while it was being packed; pack again"
ok "longer" fails film.mp4 2 grow 1 "$film: changed while it was being packed; pack again"
ok "gone" fails film.mp4 2 unlink 1 "$film: changed while it was being packed; pack again"
ok "another byte, the same size and time" fails film.mp4 2 alter 1 \
	"$film: changed while it was being packed; pack again"
another="leave it out \(--exclude\), or pack another copy of it"
ok "it cannot be read any more" fails film.mp4 2 eio 1 "$film: Input/output error; $another"
ok "nor from its middle on" fails film.mp4 5 eio 1 "$film: Input/output error; $another"

# Signed, it is read nine times to be hashed, after the one time for its class.
printf 'pw\npw\n' | minisign -G -f -W -s "$tmp/minisign.key" -p "$tmp/minisign.pub" >/dev/null 2>&1
sign=(--sign "$tmp/minisign.key")
ok "other bytes from a file that looks the same, signed" fails film.mp4 15 other 1 \
	"$film: changed while it was being packed; pack again" "${sign[@]}"
plant
ok "the control: signed, and left alone" shimmed film.mp4 1000000 other "${sign[@]}" "$tmp/src"
ok "the control: unsigned, nobody can know" shimmed film.mp4 5 other "$tmp/src"
rm -f "$bundle"
ok "it cannot be read while it is hashed" fails film.mp4 5 eio 1 \
	"$film: Input/output error; $another" "${sign[@]}"

# What stands in the stage is not read again.
plant
ok "a text may go when it is staged" shimmed text.txt 100 unlink "$tmp/src"

# --- while it is staged ----------------------------------------------------------------

ok "a text that cannot be read" leaves_out text.txt 1 eio "$tmp/src/text.txt: Input/output error: left out"
ok "or only half of it" leaves_out text.txt 7 eio "$tmp/src/text.txt: Input/output error: left out"
ok "a film that cannot be read" leaves_out film.mp4 1 eio "$film: Input/output error: left out"
ok "a small file" leaves_out small.txt 1 eio "$tmp/src/small.txt: Input/output error: left out"
ok "a text that goes" leaves_out text.txt 7 unlink "$tmp/src/text.txt: No such file or directory: left out"
plant
rm "$tmp/src/text.txt"
expected=$(content)
plant
is "nothing of it stays in the content" "$(
	LD_PRELOAD=$tmp/fail.so ASAN_OPTIONS=verify_asan_link_order=0 SHIM_FILE=text.txt SHIM_AT=7 \
		SHIM_DO=eio content
)" "$expected"
ok "where it would be seen" test "$(content)" -gt "$expected"

plant
ok "a text that changes once is read again" exits 0 shimmed text.txt 7 grow "$tmp/src"
ok "as it is then" cmp <("$read" cat --key-file "$tmp/key" "$bundle" src/text.txt) "$tmp/src/text.txt"

# Small files are read ahead, as many as these all before the first is taken.  What stays where
# it is must be there still when its turn comes.
later() { # WHAT [EXTENSION]
	plant
	(printf '\377\330\377\340' && head -c 20000 /dev/urandom) >"$tmp/src/zsmall.jpg"
	echo another text >"$tmp/src/zsmall.txt"
	SHIM_TO=zsmall.${2:-jpg} shimmed text.txt 3 "$1" "$tmp/src"
}

as_it_is() {
	cmp <("$read" cat --key-file "$tmp/key" "$bundle" "src/$1") "$tmp/src/$1"
}

ok "a picture that is another one when its turn comes" exits 0 later replace
ok "it is the new one" as_it_is zsmall.jpg
ok "one that has grown" exits 0 later grow
ok "with all there is" as_it_is zsmall.jpg
ok "one that is gone" exits 3 later unlink
like "it is left out" "$(cat "$tmp/stderr")" 'src/zsmall.jpg: No such file or directory: left out'
ok "all else is there" "$read" verify -q --key-file "$tmp/key" "$bundle"
ok "a text that is gone was read" exits 0 later unlink txt
is "and is packed" "$("$read" cat --key-file "$tmp/key" "$bundle" src/zsmall.txt)" "another text"
plant

# --- one file of two names, and another in place of the first --------------------------------

plant
rm "$tmp/src/another"
ln "$tmp/src/small.txt" "$tmp/src/zsame.txt"
ok "one of two names gets another file" exits 3 shimmed small.txt 1 replace "$tmp/src"
like "it is left out" "$(cat "$tmp/stderr")" 'src/small.txt: Stale file handle: left out'
is "the other name has what it had" \
	"$("$read" cat --key-file "$tmp/key" "$bundle" src/zsame.txt)" small
plant

# --- numbers that do not last ------------------------------------------------------------------

# renumbered KIND ARGUMENT...
renumbered() {
	local kind=$1
	shift
	rm -f "$bundle"
	env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$tmp/renumbers.so $tmp/drive.so" \
		DRIVE_AT="$tmp/src" DRIVE_TYPE="$kind" DRIVE_FREE=0 \
		"$pack" "${key[@]}" -o "$bundle" "$@"
}

preload renumbers
preload drive
ok "the control: on ext4 it is another file" exits 1 renumbered 0xef53 "$tmp/src"
like "which is said" "$(cat "$tmp/stderr")" 'src/.*: changed while it was being packed; pack again'
ok "on FAT it is the same" exits 0 renumbered 0x4d44 "$tmp/src"
ok "byte for byte" cmp <("$read" cat --key-file "$tmp/key" "$bundle" src/film.mp4) "$film"
ln "$tmp/src/small.txt" "$tmp/src/zsame.txt"
ok "nor are two names anything else, through FUSE" exits 0 renumbered 0x65735546 "$tmp/src"
rm "$tmp/src/zsame.txt"

# --- nothing but a link ---------------------------------------------------------------------

plant
rm "$tmp/src"/*.txt "$tmp/src/another"
ln -s film.mp4 "$tmp/src/latest"
shimmed film.mp4 1000 eio "$tmp/src"
sum=$(sha256sum "$bundle")
ok "where all that can be read is a link" exits 1 env LD_PRELOAD="$tmp/fail.so" \
	ASAN_OPTIONS=verify_asan_link_order=0 SHIM_FILE=film.mp4 SHIM_AT=1 SHIM_DO=eio \
	"$pack" "${key[@]}" -f -o "$bundle" "$tmp/src"
like "it is said" "$(tail -n 1 "$tmp/stderr")" 'there is no file in what is to be packed'
is "and last night's bundle is there" "$(sha256sum "$bundle")" "$sum"
rm "$tmp/src/film.mp4"
ok "a tree of links is one" exits 0 "$pack" "${key[@]}" -f -o "$bundle" "$tmp/src"

# --- archives -----------------------------------------------------------------------------

plant
tar -C "$tmp/src" -cf "$tmp/a.tar" .
rm -f "$bundle"
ok "an archive that cannot be read" exits 1 shimmed a.tar 3 eio --archive "$tmp/a.tar"
is "is named" "$(cat "$tmp/stderr")" "satchel-pack: $tmp/a.tar: Input/output error"
ok "one that changes" exits 1 shimmed a.tar 3 grow --archive "$tmp/a.tar"
is "as well" "$(cat "$tmp/stderr")" "satchel-pack: $tmp/a.tar: changed while it was read; pack again"
is "nothing is left" "$(ls -A "$tmp/out")" ''

finish
