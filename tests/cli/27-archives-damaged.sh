#!/bin/bash
# Archives that are cut short or have wrong bytes: an error in one line, and no bundle
# that lacks things and does not say so.
. tests/cli/lib.sh

src=$tmp/src
mkdir -p "$src/sub"
seq 1 5000 >"$src/numbers.txt"
head -c 50000 /dev/urandom >"$src/film.mp4"
echo short >"$src/sub/short"
ln -s short "$src/sub/link"
ln "$src/numbers.txt" "$src/sub/numbers again"
: >"$src/sub/empty"

for format in posix gnu; do
	tar --format=$format -b 1 -C "$src" -cf "$tmp/$format.tar" .
done
for format in zip 7zip iso9660 cpio xar; do
	bsdtar --format=$format -C "$src" -cf "$tmp/a.$format" .
done
for filter in gzip bzip2 xz zstd; do
	$filter -qc <"$tmp/posix.tar" >"$tmp/tar.$filter"
done
archives=("$tmp"/{posix,gnu}.tar "$tmp"/a.{zip,7zip,iso9660,cpio,xar} "$tmp"/tar.{gzip,bzip2,xz,zstd})

# try FILE: pack it, writing nothing; the exit code.
try() {
	bounded "$pack" --dry-run --json --archive "$1" >"$tmp/stdout" 2>"$tmp/stderr"
	echo $?
}

# A whole one has this many files and bytes.
whole=$(for a in "${archives[@]}"; do
	try "$a" >"$tmp/code"
	tail -n 1 "$tmp/stdout" | jq -c '[.code, .left_out]'
done | sort -u)
is "they are whole to begin with" "$whole" '[0,0]'

# cuts ARCHIVE: how packing it ends at some thirty lengths.
cuts() {
	local size at
	size=$(stat -c %s "$1")
	for at in $(seq 1 $((size / 25 + 1)) "$size") $((size - 1)) $((size - 16)) $((size - 1024)); do
		if [ "$at" -le 0 ] || [ "$at" -ge "$size" ]; then continue; fi
		head -c "$at" "$1" >"$tmp/cut"
		echo "$(try "$tmp/cut") $(wc -l <"$tmp/stderr")"
	done | sort -u
}
# The end of an ISO 9660 image and of an xar is padding, or content that is not there
# to be missed; gzip's is a sum.  Of an image whose list of files is gone it is said that it
# holds nothing, and then that there is nothing to pack.
for a in "${archives[@]}"; do
	is "cut anywhere: ${a##*/} fails, in one line" "$(cuts "$a" | grep -vE '^0 0$|^3 1$|^1 2$')" '1 1'
done
for a in "$tmp"/{posix,gnu}.tar "$tmp"/a.{zip,7zip,cpio} "$tmp"/tar.{bzip2,xz,zstd}; do
	is "and never passes for whole" "$(cuts "$a" | grep -c '^0')" 0
done

# Tar: between two members, where only the mark at the end tells.
boundary=$(python3 -c 'import sys, tarfile
print(tarfile.open(sys.argv[1]).getmembers()[3].offset)' "$tmp/posix.tar")
head -c "$boundary" "$tmp/posix.tar" >"$tmp/cut"
is "between two members, too" "$(try "$tmp/cut")" 1
for at in $((boundary - 512)) $((boundary - 1)) "$boundary"; do
	head -c "$at" "$tmp/posix.tar" >"$tmp/cut.$at"
	is "also if what is cut would be left out, at $at" "$("$pack" --dry-run --exclude '*' \
		--archive "$tmp/cut.$at" >/dev/null 2>&1; echo $?)" 1
	is "and in a pipe" "$("$pack" --dry-run --exclude '*' \
		--archive - < <(cat "$tmp/cut.$at") >/dev/null 2>&1; echo $?)" 1
done
is "cut, it fails" "$(try "$tmp/cut")" 1
like "it is said how" "$(cat "$tmp/stderr")" 'cut: cut short: the mark at the end of an archive is missing; nothing is packed'
ok "where tar would say nothing" tar -tf "$tmp/cut"
is "in a pipe, too" "$("$pack" --dry-run --archive - <"$tmp/cut" >/dev/null 2>&1; echo $?)" 1

# A failed packing leaves nothing.
head -c 32 /dev/urandom >"$tmp/key"
mkdir "$tmp/out"
ok "no bundle" exits 1 "$pack" --key-file "$tmp/key" -o "$tmp/out/b" --archive "$tmp/cut"
is "and nothing else is left" "$(ls -A "$tmp/out")" ''

# Wrong bytes, drawn the same each time: never a crash, and where there is a sum over
# the content, it is found.
python3 - "$tmp" "${archives[@]}" <<'END'
import os, random, sys
r = random.Random(27)
os.mkdir(sys.argv[1] + '/wrong')
for path in sys.argv[2:]:
    whole = open(path, 'rb').read()
    for i in range(int(os.environ.get('WRONG', 20))):
        b = bytearray(whole)
        for _ in range(r.choice([1, 1, 4, 64])):
            b[r.randrange(len(b))] = r.randrange(256)
        open('%s/wrong/%s.%d' % (sys.argv[1], os.path.basename(path), i), 'wb').write(b)
END
is "wrong bytes end in an error, something left out, or nothing" "$(for f in "$tmp"/wrong/*; do
	try "$f"
	grep -qE 'Sanitizer|runtime error' "$tmp/stderr" && cat "$tmp/stderr"
done | sort -nu | grep -vxE '[013]')" ''
middle=$(($(grep -abo 'ftyp\|film.mp4' "$tmp/a.zip" | head -n 1 | cut -d : -f 1) + 20000))
cp "$tmp/a.zip" "$tmp/bad.zip"
printf 'not by chance' | dd of="$tmp/bad.zip" bs=1 seek=$middle conv=notrunc status=none
is "zip has sums" "$(try "$tmp/bad.zip")" 1
like "and says so" "$(cat "$tmp/stderr")" 'bad.zip: ./film.mp4: damaged or cut short \(.*\); nothing is packed'

finish
