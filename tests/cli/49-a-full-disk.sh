#!/bin/bash
# A drive that fills up while a bundle is written: it is named, nothing is left on
# it, what was there is untouched, and the other drive gets its bundle.
. tests/cli/lib.sh

on_exit() { umount "$tmp/drive" 2>/dev/null; }
truncate -s 48M "$tmp/image"
mkdir "$tmp/drive" "$tmp/src" "$tmp/out"
if [ "$(id -u)" -ne 0 ] || ! mkfs.ext4 -q -m 0 "$tmp/image" 2>/dev/null ||
	! mount -o loop "$tmp/image" "$tmp/drive" 2>/dev/null; then
	skip "a full disk" "needs a loop device"
	finish
fi
head -c 24M /dev/urandom >"$tmp/src/film.mp4"
head -c 64 /dev/urandom >"$tmp/key"
echo 'what was there' >"$tmp/drive/b"

# Stopped when it has begun to write, a megabyte in a tenth of a second; then somebody else
# takes the room.
strace -D -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=100000 \
	"$pack" --json --force --key-file "$tmp/key" -o "$tmp/drive/b" -o "$tmp/out/b" "$tmp/src" \
	>"$tmp/stdout" 2>"$tmp/stderr" &
pid=$!
for ((i = 0; i < 12000; i++)); do
	[ -z "$(find "$tmp/drive" -maxdepth 1 -type f -size +64k)" ] || break
	sleep 0.005
done
kill -STOP "$pid"
is "it is caught in the middle" "$(find "$tmp/drive" -maxdepth 1 -type f -size -23M -size +60k | wc -l)" 1
dd if=/dev/zero of="$tmp/drive/somebody" bs=1M 2>/dev/null
kill -CONT "$pid"
wait "$pid"
is "the drive is unfit" $? 13
like "and named" "$(cat "$tmp/stderr")" "$tmp/drive/b: No space left on device"
is "in JSON, too" "$(jq -c 'select(.type == "output") | .written' "$tmp/stdout" | tr '\n' ' ')" 'false true '
rm "$tmp/drive/somebody"
is "what was there is untouched" "$(cat "$tmp/drive/b")" 'what was there'
is "and alone" "$(find "$tmp/drive" -type f)" "$tmp/drive/b"
ok "the other drive has its bundle" exits 0 "$read" verify --key-file "$tmp/key" "$tmp/out/b"
ok "with room it is written" exits 0 "$pack" -q --force --key-file "$tmp/key" -o "$tmp/drive/b" "$tmp/src"

finish
