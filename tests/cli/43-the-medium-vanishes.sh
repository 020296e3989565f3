#!/bin/bash
# A drive that is pulled out while it is read is not damage: whatever the verb, it ends with 10 and
# says so in one line, and what was begun is taken away.
. tests/cli/lib.sh

bundle=$tmp/stick/bundle
mkdir "$tmp/src" "$tmp/stick" "$tmp/out"
head -c 64 /dev/urandom >"$tmp/key"
key=(-q --key-file "$tmp/key")
for ((i = 0; i < 8; i++)); do head -c 300000 /dev/urandom >"$tmp/src/$i.jpg"; done
"$pack" "${key[@]}" -o "$bundle" "$tmp/src/." || exit 1
gone='cannot be read any more: the drive was pulled out, or fails'

# --- after so many reads, by a library in front of the C library's -------------------------

# after N COMMAND...: every place of the bundle fails after N reads.
after() {
	local all
	all=0+$(stat -c %s "$bundle")
	code=0
	env LD_PRELOAD="$tmp/bad.so" BAD_FILE="$bundle" BAD_AT="${at-$all}" BAD_AFTER="$1" \
		"$build/tests/satchel-read" "${@:2}" >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
}

# What is wrong with how it ended.
judge_gone() {
	[ "$code" -eq 10 ] || echo "exit $code"
	[ "$(cat "$tmp/stderr")" == "satchel-read: $bundle: $gone" ] || cat "$tmp/stderr"
}

# vanishes LEAST COMMAND...: after each of its reads, of which there must be so many.
vanishes() {
	local n ended=''
	for ((n = 1; n < 3000; n += 1 + n / 8)); do
		after "$n" "${@:2}"
		[ "$code" -ne 0 ] || { ended=yes; break; }
		wrong=$(judge_gone; leaves)
		[ -z "$wrong" ] || { echo "$n reads: $wrong"; return 1; }
	done
	[ "$ended" ] && [ "$n" -gt "$1" ]
}
leaves() { :; }

if sanitized || ! preload bad; then
	skip "a drive that vanishes after so many reads" "needs a compiler, and no sanitizer"
else
	ok "ls" vanishes 2 ls "${key[@]}" "$bundle"
	ok "cat" vanishes 3 cat "${key[@]}" "$bundle" 7.jpg
	leaves() { grep -E 'damage|loss|summary|lost' "$tmp/stdout"; }
	ok "verify" vanishes 20 verify "${key[@]}" "$bundle"
	leaves() { tail -n 1 "$tmp/stdout" | grep -vxF '{"type": "error", "code": 10}'; }
	ok "verify --json" vanishes 20 verify --json "${key[@]}" "$bundle"
	leaves() { ls -A "$tmp/out"; }
	ok "repair" vanishes 9 repair "${key[@]}" -o "$tmp/out/copy" "$bundle"
	rm "$tmp/out/copy"
	leaves() {
		local file
		(cd "$tmp/out" && find . -type f) | while read -r file; do cmp "$tmp/src/$file" "$tmp/out/$file"; done
		rm -rf "$tmp/out/"*
	}
	ok "extract: what is there is whole" vanishes 8 extract "${key[@]}" -C "$tmp/out" "$bundle"
	rm -rf "$tmp/out/"*

	# Over a copy that is well.
	cp "$bundle" "$tmp/out/copy"
	leaves() { cmp "$bundle" "$tmp/out/copy"; find "$tmp/out" -mindepth 1 ! -name copy; }
	ok "repair --force: the old copy stays" vanishes 9 repair --force "${key[@]}" -o "$tmp/out/copy" "$bundle"

	# A control: of a place here and there it is damage.
	at=200000+1,900000+1,1500000+1,2500000+1 after 20 verify "${key[@]}" "$bundle"
	is "some places that cannot be read are damage" $code 5
	at=0+$(($(stat -c %s "$bundle") - 300000)) after 4 verify "${key[@]}" "$bundle"
	is "and nearly all of them" $code 4
fi

# --- a copy that lacks something ------------------------------------------------------------

cp "$bundle" "$tmp/hurt"
dd if=/dev/urandom of="$tmp/hurt" bs=100000 seek=8 count=10 conv=notrunc status=none
cp "$bundle" "$tmp/out/copy"
ok "repair --force of what cannot be repaired, over a file: 4" \
	exits 4 "$read" repair --force "${key[@]}" -o "$tmp/out/copy" "$tmp/hurt"
# kept_beside: the file stays, and the copy lies beside it, under the name that was said.
kept_beside() {
	local name
	name=$(sed -n "s|^satchel-read: $tmp/out/copy: exists, and stays as it is, as the copy lacks something: that is \([a-z]\{8,\}\), beside it$|\1|p" "$tmp/stderr")
	[ "$name" ] && cmp "$tmp/out/copy" "$bundle" && [ "$(find "$tmp/out" -mindepth 1 | wc -l)" -eq 2 ] &&
		[ "$(stat -c %s "$tmp/out/$name")" -eq "$(stat -c %s "$bundle")" ] && ! cmp -s "$tmp/out/$name" "$bundle"
	local code=$?
	rm -f "$tmp/out/$name"
	return "$code"
}
ok "the file stays, and the copy is beside it" kept_beside
like "what it lacks is said" "$(tail -n 1 "$tmp/stdout")" '^lost: [0-9]+ files?, named above; the copy has all others'
cp "$bundle" "$tmp/header"
dd if=/dev/zero of="$tmp/header" bs=16384 count=1 conv=notrunc status=none
ok "a header is lost: 5" exits 5 "$read" repair --force "${key[@]}" -o "$tmp/out/copy" "$tmp/header"
ok "the file stays, too, and the copy is beside it" kept_beside
ok "a control: a copy that lacks nothing" exits 0 "$read" repair --force "${key[@]}" -o "$tmp/out/copy" "$bundle"
is "is alone" "$(ls -A "$tmp/out")" copy
ok "with a name of its own it is written" exits 4 "$read" repair --force "${key[@]}" -o "$tmp/out/other" "$tmp/hurt"
ok "and there" test -s "$tmp/out/other"

# --- a stick that is pulled out, for the kernel --------------------------------------------

loop='' stick=$tmp/pulled
on_exit() {
	umount -l "$stick" 2>/dev/null
	[ -z "$loop" ] || losetup -d "$loop" 2>/dev/null
}
put_in() {
	mkdir -p "$stick"
	truncate -s 16M "$tmp/image"
	mkfs.ext4 -q -F "$tmp/image" && loop=$(losetup -f --show "$tmp/image") && mount "$loop" "$stick" &&
		cp "$bundle" "$stick/bundle" && sync "$stick/bundle"
}
# A file that is cut to nothing has no sector that can be read.
pull_out() {
	truncate -s 0 "$tmp/image"
	losetup -c "$loop"
}

if [ "$(id -u)" -ne 0 ] || ! put_in 2>"$tmp/why"; then
	skip "a stick that is pulled out" "no loop device to be had"
	finish
fi
dd if="$stick/bundle" iflag=nocache count=0 status=none
exec 3< <("$read" cat "${key[@]}" "$stick/bundle" 0.jpg 1.jpg 2.jpg 3.jpg 4.jpg 5.jpg 2>"$tmp/stderr"; echo $? >"$tmp/code")
head -c 1000 <&3 >"$tmp/got"
sleep 0.2 # until the pipe is full
pull_out
dd if="$stick/bundle" iflag=nocache count=0 status=none 2>/dev/null
cat <&3 >>"$tmp/got"
for _ in {1..600}; do [ ! -s "$tmp/code" ] || break; sleep 0.05; done
is "a stick pulled out while it is read: 10" "$(cat "$tmp/code")" 10
is "in one line" "$(cat "$tmp/stderr")" "satchel-read: $stick/bundle: $gone"
size=$(stat -c %s "$tmp/got")
ok "what came before was what there is" cmp "$tmp/got" <(cat "$tmp"/src/[0-5].jpg | head -c "$size")
finish
