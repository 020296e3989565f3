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
up -v
find "$mnt" -type f -exec cat {} + >/dev/null 2>&1
lost=$(sed -n 's/^satchel-mount: \(.*\): damaged.*/\1/p' "$tmp/stderr" | head -1)
no "-v names the file" cat "$mnt/$lost"
down
finish
