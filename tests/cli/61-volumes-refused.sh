#!/bin/bash
# What cannot become volumes is refused before anything is read where that can be
# known, and leaves nothing.
. tests/cli/lib.sh

src=$tmp/src out=$tmp/out
mkdir "$src" "$out"
head -c 9M /dev/urandom >"$src/film.mp4"
head -c 64 /dev/urandom >"$tmp/key"
with=(--key-file "$tmp/key" --volume-size 4M)

refused() { # CODE REGEX ARGUMENT...
	local code=$1 regex=$2
	shift 2
	exits "$code" "$pack" -q "$@" && grep -qE -- "$regex" "$tmp/stderr" && [ -z "$(ls -A "$out")" ]
}

# Names that do not compress.
mkdir "$tmp/names"
(cd "$tmp/names" && head -c 384K /dev/urandom | od -An -v -tx1 -w32 | tr -d ' ' | xargs touch)

# A source that is not there: who complains of something else has not looked.
absent=$tmp/absent
ok "the control: a source is looked at" refused 1 'absent: No such file' "${with[@]}" -o "$out/b" "$absent"
for size in 0 100K 255K 33T fat16 "" -1; do
	ok "no volumes of \"$size\"" refused 2 '--volume-size: ' --volume-size "$size" -o "$out/b" "$absent"
done
ok "too many for a size" refused 2 'more than 1024 volumes' "${with[@]}" --size 4097M -o "$out/b" "$absent"
keys=()
for i in {1..32}; do
	head -c 32 /dev/urandom >"$tmp/key$i"
	keys+=(--key-file "$tmp/key$i")
done
ok "32 ways in are too many" refused 2 'more than 31 ' "${keys[@]}" --volume-size 4M -o "$out/b" "$absent"
for i in {1..32}; do age-keygen 2>/dev/null | grep -o 'age1.*'; done >"$tmp/recipients"
ok "in a file of recipients too" refused 2 'more than 31 ' --recipients-file "$tmp/recipients" \
	--volume-size 4M -o "$out/b" "$absent"
ok "not if there is one volume for sure" exits 0 "$pack" "${keys[@]}" --volume-size 1G --size 10M \
	-o "$out/b" "$src"
rm "$out/b"
ok "31 are not too many" exits 0 "$pack" "${keys[@]:2}" --volume-size 4M -o "$out/b" "$src"
ok "and each opens all volumes" exits 0 "$read" verify --key-file "$tmp/key32" "$out/b-2"
rm "$out"/b-*
ok "a size that is too small for them" refused 13 'needs [0-9.]+ MB, and --size leaves less' "${with[@]}" \
	--size 9M -o "$out/b" "$src"
needs=$(grep -oE '[0-9]+\.[0-9] MB' "$tmp/stderr" | tr -d ' .B' | sed 's/M/00KB/')
ok "it says what would do" exits 0 "$pack" -q "${with[@]}" --size "$((${needs%KB} + 100))KB" -o "$out/b" "$src"
rm "$out"/b-*
ok "an index longer than a volume" refused 1 'make --volume-size larger' --key-file "$tmp/key" \
	--volume-size 256K -o "$out/b" "$tmp/names"
# One file that has to be cut everywhere: as many volumes as it has pairs of leaves, or nearly.
mkdir "$tmp/one"
for length in 9900000 10000000 10010000; do
	head -c $length /dev/urandom >"$tmp/one/film.mp4"
	ok "the smallest volumes take a film of $length bytes" exits 0 "$pack" -q --key-file "$tmp/key" --parity 0 \
		--volume-size 256K -o "$out/b" "$tmp/one"
	volumes=$(find "$out" -name 'b-*' | wc -l)
	ok "in as many as it must be" test "$volumes" -le $((length / 131072 + 6))
	ok "which are whole" exits 0 "$read" verify -q --key-file "$tmp/key" "$out/b-1"
	rm "$out"/b-*
done

# Names that are taken.
touch "$src/b.bin"
for taken in b.bin b-1.bin; do
	touch "$tmp/taken-$taken"
	mkdir -p "$tmp/there"
	touch "$tmp/there/$taken"
	ok "$taken is there already" exits 1 "$pack" -q "${with[@]}" -o "$tmp/there/b.bin" "$absent"
	like "and is named" "$(cat "$tmp/stderr")" "there/$taken: exists already; --force"
	rm "$tmp/there/$taken"
done
echo precious >"$tmp/there/b-3.bin"
ok "the third one is there already" exits 1 "$pack" -q "${with[@]}" -o "$tmp/there/b.bin" "$src"
like "and is named" "$(cat "$tmp/stderr")" 'there/b-3.bin: exists already; --force'
is "and left alone, with nothing beside it" "$(ls "$tmp/there") $(cat "$tmp/there/b-3.bin")" \
	'b-3.bin precious'
ok "--force replaces it" exits 0 "$pack" -q -f "${with[@]}" -o "$tmp/there/b.bin" "$src"
ok "with what is right" exits 0 "$read" verify --key-file "$tmp/key" "$tmp/there/b-3.bin"
ok "two outputs that would be each other's" refused 2 'named twice' -f "${with[@]}" -o "$out/b.bin" \
	-o "$out/b-2.bin" "$src"
ok "in whatever order" refused 2 'named twice' -f "${with[@]}" -o "$out/b-2.bin" \
	-o "$out/../out/b.bin" "$src"
ok "two that would not" exits 0 "$pack" -q "${with[@]}" -o "$out/b.bin" -o "$out/b-x.bin" "$src"
is "are both written" "$(find "$out" -type f | wc -l)" 6

# Volumes that will be replaced are no sources.
rm -rf "$out"
mkdir "$out"
cp "$src/film.mp4" "$out/film.mp4"
"$pack" -q "${with[@]}" -o "$out/b.bin" "$out/."
ok "they are not taken for any, either" exits 1 "$pack" -q -f "${with[@]}" -o "$out/b.bin" "$out/."
ok "which is said" grep -q 'out/b-1.bin: lies in what is packed' "$tmp/stderr"
ok "unless they are left out" exits 0 "$pack" -q -f "${with[@]}" --exclude 'b-*' -o "$out/b.bin" "$out/."
is "a bundle beside its sources does not pack itself" \
	"$("$read" ls --key-file "$tmp/key" "$out/b-1.bin" 2>/dev/null)" film.mp4

finish
