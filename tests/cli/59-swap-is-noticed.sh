#!/bin/bash
# Swap on a disk is warned of by who packs and who reads; where that is encrypted it is not, and
# with -q nothing is.
. tests/cli/lib.sh

mkdir "$tmp/src"
echo content >"$tmp/src/file"
head -c 64 /dev/urandom >"$tmp/key"

# What sysfs says of the device that a file here is on.
touch "$tmp/swapfile"
number=$(stat -c %d "$tmp/swapfile")
sys=$tmp/sys/$(((number >> 8) & 0xfff)):$(((number & 0xff) | ((number >> 12) & 0xfff00)))
mkdir -p "$sys/dm"
uuid() { echo "$1" >"$sys/dm/uuid"; }
uuid ''

# swapping NAME COMMAND...: with that in /proc/swaps, or nothing; two, with a blank between them.
swapping() {
	{
		printf 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
		# shellcheck disable=SC2086  # each of the names
		[ -z "$1" ] || printf '%s\tpartition\t8388604\t\t0\t\t-2\n' $1
	} >"$tmp/swaps"
	unshare -m sh -c 'mount --bind "$1" /proc/swaps && mount --bind "$2" /sys/dev/block && shift 2 && exec "$@"' \
		- "$tmp/swaps" "$tmp/sys" "${@:2}"
}
if ! has_cap 21 || ! swapping '' true 2>/dev/null; then
	skip "swap is noticed" "no right to mount"
	finish
fi

packs() { swapping "$1" "$pack" -f --key-file "$tmp/key" -o "$tmp/b" "${@:2}" "$tmp/src"; }
lists() { swapping "$1" "$read" ls --key-file "$tmp/key" "${@:2}" "$tmp/b"; }

for line in /dev/sda9 "$tmp/swapfile"; do
	ok "$line: packs" exits 0 packs "$line"
	like "and warns" "$(cat "$tmp/stderr")" 'satchel-pack: warning: swap is on, and what is packed may reach it; swapoff -a turns it off'
	ok "$line: lists" exits 0 lists "$line"
	like "and warns" "$(cat "$tmp/stderr")" 'satchel-read: swap is on: what other programs show might reach the disk'
done
uuid CRYPT-LUKS2-0123456789abcdef-cryptswap
for line in "$tmp/swapfile" ''; do
	ok "${line:-none}: packs" exits 0 packs "$line"
	no "and says nothing of it" grep 'swap is on' "$tmp/stderr"
	ok "${line:-none}: lists" exits 0 lists "$line"
	no "and says nothing of it" grep 'swap is on' "$tmp/stderr"
done
ok "where one of two is not: lists" exits 0 lists "$tmp/swapfile /dev/sda9"
ok "it warns" grep 'swap is on' "$tmp/stderr"
ok "quietly: packs" exits 0 packs /dev/sda9 -q
no "without a word of it" grep 'swap is on' "$tmp/stderr"
ok "quietly: lists" exits 0 lists /dev/sda9 -q
no "without a word of it" grep 'swap is on' "$tmp/stderr"
finish
