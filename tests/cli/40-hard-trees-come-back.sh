#!/bin/bash
# Trees that break archivers, packed and extracted, compared in every byte and
# attribute.
. tests/cli/lib.sh
. tests/cli/trees.sh

printf 'correct horse battery staple of no use' >"$tmp/key"
key=(--passphrase-file "$tmp/key" -q)
src=$tmp/src
mkdir "$src"

names
links
contents
holes
attributes
many

for metadata in private full; do
	out=$tmp/out-$metadata
	mkdir "$out"
	ok "$metadata: packs" "$pack" "${key[@]}" --kdf low --metadata $metadata -o "$tmp/$metadata" "$src/."
	ok "$metadata: verifies" "$read" verify "${key[@]}" "$tmp/$metadata"
	umask 022
	ok "$metadata: extracts" "$read" extract "${key[@]}" -C "$out" "$tmp/$metadata"
	describe "$src" $metadata >"$tmp/expected"
	describe "$out" $metadata >"$tmp/got"
	ok "$metadata: nothing differs" diff "$tmp/expected" "$tmp/got"
	no "$metadata: a change would be seen" diff <(describe "$src" $metadata | sed '$d') "$tmp/got"
	is "$metadata: a terabyte of holes is not stored" \
		"$(du -s --block-size=1M "$out/holes/sparse" | cut -f 1)" 1
	rm -rf "$out"
done

for file in numbers.txt mixed.bin 'film again.mp4' 'frame and one'; do
	ok "the second reader agrees on $file" cmp "$src/contents/$file" \
		<(tests/decode.py --passphrase-file "$tmp/key" cat "$tmp/private" -- "contents/$file")
done
is "a file of two names has one content" \
	"$("$read" cat "${key[@]}" "$tmp/private" 'links/sub/and again')" one
finish
