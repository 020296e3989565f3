#!/bin/bash
# Archives of trees that break archivers, packed and extracted.  What a format keeps
# is what comes back; what it does not keep is said here.
. tests/cli/lib.sh
. tests/cli/trees.sh

printf 'correct horse battery staple of no use' >"$tmp/key"
key=(--key-file "$tmp/key" -q)
src=$tmp/src
mkdir "$src"
names
links
contents
attributes
mkdir -p "$src/names/$(printf 'deep/%.0s' {1..60})"
touch -d '2001-02-03 04:05:06 UTC' "$src/names/" "$src/attributes/400"
umask 022

# back NAME METADATA [OPTION...]: pack an archive, extract it to $tmp/NAME.
back() {
	local name=$1 metadata=$2
	shift 2
	mkdir "$tmp/$name"
	"$pack" "${key[@]}" -f --metadata "$metadata" -o "$tmp/bundle" "$@" &&
		"$read" verify "${key[@]}" "$tmp/bundle" &&
		"$read" extract "${key[@]}" -C "$tmp/$name" "$tmp/bundle"
}

# same NAME METADATA: is it what is in $src, or in $3?
same() {
	diff <(describe "${3:-$src}" "$2") <(describe "$tmp/$1" "$2")
}

# How long the content of a bundle is.
content() {
	"$pack" --dry-run --json --metadata full "$@" | tail -n 1 | jq .content
}

# --- tar, which keeps everything ----------------------------------------------

# In GNU's own format names are bytes; times are seconds, and there are no attributes.
tar -C "$src" -cf - names | gzip >"$tmp/names.tgz"
ok "names of any bytes: packs" back bytes private --archive "$tmp/names.tgz"
ok "and nothing differs" diff <(describe "$src" private | grep "^b.names[/ ]") \
	<(describe "$tmp/bytes" private)

# As POSIX has it they are Unicode, which is composed when it is read (NFC); of times
# before 1970 only whole seconds are read right.
rm -rf "$src/names/$(printf '\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab')"
touch -d '1969-12-31 23:59:58 UTC' "$src/attributes/400"
mkdir "$tmp/more"
src=$tmp/more holes
mv "$tmp/more/holes" "$src"
tar --format=posix --xattrs -S -C "$src" -cf "$tmp/t.tar" .
for metadata in private full; do
	ok "tar.zst on standard input, $metadata: packs" \
		back "in-$metadata" "$metadata" --archive - < <(zstd -qc "$tmp/t.tar")
	ok "and nothing differs" same "in-$metadata" "$metadata"
done
no "a change would be seen" diff <(describe "$src" full | sed '$d') <(describe "$tmp/in-full" full)
is "a terabyte of holes is not stored" \
	"$(du -s --block-size=1M "$tmp/in-full/holes/sparse" | cut -f 1)" 1
is "the content is as long as that of the directory" "$(content --archive "$tmp/t.tar")" \
	"$(content "$src/.")"
for filter in gzip bzip2 'xz -0' lzma; do
	is "also compressed with $filter" "$($filter -c <"$tmp/t.tar" | content --archive -)" \
		"$(content "$src/.")"
done
rm -rf "$src/holes" "$tmp"/in-*
touch -d '2001-02-03 04:05:06 UTC' "$src/attributes/400"

# Beside a path, and from several archives.
bsdtar --format=cpio -C "$src" -cf "$tmp/attributes.cpio" attributes
ok "archives and paths together" back together private --archive "$tmp/names.tgz" \
	--archive "$tmp/attributes.cpio" "$src/links" "$src/contents"
rm -f "$tmp/together/names/$(printf '\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab')"
ok "are one tree" same together private
rm -rf "$tmp/together"

# --- other formats: what they keep is what bsdtar gets out of them ---------------

# Zip, 7z: no second names (each becomes a file), no attributes, times in seconds or
# in 100 ns.  ISO 9660: not who may write.  Cpio: times in seconds, no attributes.
# Where a format keeps names as Unicode they come out composed, and one that is no
# Unicode cannot be in it; ISO 9660 has no long paths either.
rm -rf "$src"/names/broken* "$src/names/deep"
truncate -s 100000 "$src/contents/film.mp4" "$src/contents/numbers.txt"
for format in pax gnutar cpio zip 7zip iso9660; do
	bsdtar --format=$format -C "$src" -cf "$tmp/a.$format" .
	mkdir "$tmp/expected"
	bsdtar -xpf "$tmp/a.$format" -C "$tmp/expected"
	ok "$format: packs" back got full --archive "$tmp/a.$format"
	ok "$format: nothing differs from what bsdtar extracts" same got full "$tmp/expected"
	rm -rf "$tmp/got"
	ok "$format: packs on standard input" back got full --archive - < <(cat "$tmp/a.$format")
	ok "$format: nothing differs there" same got full "$tmp/expected"
	ok "$format: every content is there" diff \
		<(cd "$tmp/got" && find . -type f -exec sha256sum {} + | sort) \
		<(cd "$src" && find . -type f -exec sha256sum {} + | sort)
	chmod -R u+w "$tmp/expected" "$tmp/got"
	rm -rf "$tmp/expected" "$tmp/got"
done

finish
