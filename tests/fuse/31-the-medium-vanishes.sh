#!/bin/bash
# A medium that goes away ends the mount within a second, whether anybody reads or
# not; one unreadable page does not.
. tests/fuse/lib.sh

[ "$(id -u)" -eq 0 ] || skip_all "only root can make a medium vanish"
stick=$tmp/stick loop=''
mkdir "$stick"
more_on_exit() {
	umount -l "$stick" 2>/dev/null
	[ -z "$loop" ] || losetup -d "$loop" 2>/dev/null
}

key=(--passphrase-file "$good/one.passphrase")
bundle=$stick/bundle

# A stick is a file here; one whose end is cut off has size 0, as a card reader
# without its card has.
put_in() {
	truncate -s 8M "$tmp/image"
	mkfs.ext4 -q -F "$tmp/image" && loop=$(losetup -f --show "$tmp/image") && mount "$loop" "$stick" &&
		cp $good/links.bundle "$bundle" && sync
}

pull_out() {
	truncate -s 0 "$tmp/image"
	losetup -c "$loop"
}

take_away() {
	umount -l "$stick"
	losetup -d "$loop"
	loop=''
	rm -f "$tmp/image"
}

put_in 2>"$tmp/why" || skip_all "no loop device to be had: $(head -1 "$tmp/why")"

up
ok "with the medium it serves" cat "$mnt/again"
pull_out
gone
is "without it, and with nobody reading, it ends: exit code" "$code" 10
ok "within a second" within 1000
like "and says why" "$(cat "$tmp/stderr")" 'the medium is gone'
take_away

put_in
up
(while cat "$mnt/again"; do :; done) >/dev/null 2>&1 &
sleep 0.3
pull_out
gone
is "with somebody reading: exit code" "$code" 10
ok "within a second" within 1000
wait
take_away

# A page that cannot be read, of a bundle without parity, is damage.
tests/encode.py --unfold $good/no-parity-page-lost.keys "$tmp"
key_and_bundle "$tmp/no-parity-page-lost.case"
up
find "$mnt" -type f -exec cat {} + >/dev/null 2>&1
sleep 1
ok "a page that is lost ends nothing" ls "$mnt"
is "it is one line for each file" "$(sort "$tmp/stderr" | uniq -d)" ''
like "that has the words" "$(cat "$tmp/stderr")" 'inode [0-9]+: damaged'
number=$(sed -n 's/^satchel-mount: inode \([0-9]*\): damaged.*/\1/p' "$tmp/stderr" | head -1)
no "and the number is the file's" cat "$(find "$mnt" -inum "$number")"
down
is "and the exit code tells of it" "$code" 4
mv "$tmp/stderr" "$tmp/log"
up -v
find "$mnt" -type f -exec cat {} + >/dev/null 2>&1
for _ in {1..250}; do ! grep -q damaged "$tmp/stderr" || break; sleep 0.02; done
lost=$(sed -n 's/^satchel-mount: \(.*\): damaged.*/\1/p' "$tmp/stderr" | head -1)
no "-v names the file" cat "$mnt/$lost"
no "which a log has not without it" grep -F "$lost" "$tmp/log"
down

# On a terminal a damaged file has its name; not so what was read while the stick was
# being pulled out: reads fail before it is gone.
up_on_terminal() {
	script -qefc "'$mount' -f ${key[*]} '$bundle' '$mnt'" "$tmp/screen" >/dev/null </dev/null &
	pid=$!
	until [ "$(stat -f -c %t "$mnt" 2>/dev/null)" == "$FUSE" ]; do sleep 0.02; done
}
up_on_terminal
no "the file that is lost" cat "$mnt/$lost"
for _ in {1..250}; do ! grep -q damaged "$tmp/screen" || break; sleep 0.02; done
like "has its name on a terminal" "$(cat "$tmp/screen")" "satchel-mount: $lost: damaged"
down
is "exit code" "$code" 4
up_on_terminal
cat "$mnt/$lost" >/dev/null 2>&1
down
like "and where the end comes first, its number" "$(cat "$tmp/screen")" "satchel-mount: (inode [0-9]+|$lost): damaged"

put_in
mkdir "$tmp/titles"
head -c 3000000 /dev/urandom >"$tmp/titles/canary"
pack_tree "$tmp/titles" --parity 0
mv "$tmp/bundle" "$stick/bundle"
bundle=$stick/bundle
key=("${key[@]:1}")
sync "$bundle"
up_on_terminal
ls "$mnt/titles" >/dev/null
truncate -s 0 "$tmp/image"
dd if="$bundle" iflag=nocache count=0 status=none
no "of a stick that is being pulled out" cmp "$mnt/titles/canary" "$tmp/titles/canary"
pull_out
gone
is "exit code" "$code" 10
like "the end is told" "$(cat "$tmp/screen")" 'the medium is gone'
no "and no title" grep canary "$tmp/screen"
take_away

# Where there is no block device the medium is asked: here it is a mount of ours, and
# what the kernel keeps of it (--cache) is not the medium.
below=$tmp/below
mkdir "$below" "$tmp/other" "$tmp/tree"
more_on_exit() {
	kill -KILL "$below_pid" "$below_server"
	umount -l "$stick" "$below" "$tmp/other"
} 2>/dev/null

put_below() { # OPTION...: what is in $tmp/tree, at $below
	"$mount" -f "${key_below[@]}" "$@" "$tmp/bundle" "$below" 2>/dev/null &
	below_pid=$!
	until [ "$(stat -f -c %t "$below" 2>/dev/null)" == "$FUSE" ]; do sleep 0.02; done
	below_server=$(cat "/proc/$below_pid/task/$below_pid/children")
	below_server=${below_server%% *}
}

take_below() {
	kill -KILL "$below_server"
	wait "$below_pid"
}

head -c 3000000 /dev/urandom >"$tmp/film"
pack_tree "$tmp/film" --parity 0
key_film=("${key[@]}")
mv "$tmp/bundle" "$tmp/tree/film"
cp "$good/links.bundle" "$good/volumes-3.1.bundle" "$tmp/tree"
bundle=$stick/bundle
put_in
umount "$stick"
losetup -d "$loop"
loop=''
mv "$tmp/image" "$tmp/tree"
pack_tree "$tmp/tree/." --parity 0
key_below=("${key[@]}")

key=(--passphrase-file "$good/one.passphrase")
bundle=$below/links.bundle
put_below --cache
cat "$below"/* >/dev/null
up
take_below
gone
is "what is in the page cache is not the medium: exit code" "$code" 10
ok "within a second" within 1000

# One volume there, the others where nothing can happen and no block device is, either.
mount -t tmpfs none "$tmp/other" && cp "$good"/volumes-3.[23].bundle "$tmp/other"
put_below --cache
cat "$below"/* >/dev/null
bundle=$below/volumes-3.1.bundle
up --key-file "$good/a.keyfile" --volume "$tmp/other/volumes-3.2.bundle" --volume "$tmp/other/volumes-3.3.bundle"
take_below
gone
is "one of several media vanishes: exit code" "$code" 10
ok "within a second" within 1000

# One that is silent is not gone, and holds up no end.
put_below
bundle=$below/links.bundle
cat "$bundle" >/dev/null # then the kernel no longer waits for an answer where it is closed
# LeakSanitizer stops all threads to look, and would wait for the one that reads.
leaks=${ASAN_OPTIONS-}
export ASAN_OPTIONS=${leaks:+$leaks:}detect_leaks=0
up
export ASAN_OPTIONS=$leaks
kill -STOP "$below_server"
sleep 1
ok "a silent one ends nothing" is_mounted
"$mount" -u "$mnt"
gone
is "and holds up no end: exit code" "$code" 0
ok "within a second" within 1000
kill -CONT "$below_server"
"$mount" -u "$below"
wait "$below_pid"

# A loop device under which nothing is to be seen stays when that is gone.
put_below
loop=$(losetup -r -f --show "$below/image")
ok "a file system in a file that lies elsewhere" mount -o ro,noload "$loop" "$stick"
bundle=$stick/bundle
up
sleep 1
ok "which lasts" is_mounted
take_below
gone
is "a loop device is not the medium: exit code" "$code" 10
ok "within a second" within 1000
umount -l "$stick"
losetup -d "$loop"
loop=''

# A quarter of it cannot be read.
length=$(stat -c %s "$tmp/bundle")
dd if=/dev/urandom of="$tmp/bundle" bs=4096 seek=$((length / 8192)) count=$((length / 16384)) \
	conv=notrunc status=none
put_below
key=("${key_film[@]}")
bundle=$below/film
no "the medium has places that cannot be read" cat "$bundle"
up
sleep 2
ok "which ends nothing" is_mounted
down
"$mount" -u "$below"
wait "$below_pid"

# A file system that spans devices has a number of its own; what it is mounted from tells.
if command -v mkfs.btrfs >/dev/null && grep -qw btrfs /proc/filesystems; then
	truncate -s 128M "$tmp/image"
	mkfs.btrfs -q "$tmp/image" && loop=$(losetup -f --show "$tmp/image") && mount "$loop" "$stick"
	cp $good/links.bundle "$stick/bundle" && sync
	key=(--passphrase-file "$good/one.passphrase")
	bundle=$stick/bundle
	up
	pull_out
	gone
	is "btrfs: exit code" "$code" 10
	ok "within a second" within 1000
	take_away
else
	skip "btrfs: it ends" "there is none to be had"
fi
finish
