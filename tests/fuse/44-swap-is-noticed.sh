#!/bin/bash
# Swap on a disk is warned of, or refused; compressed RAM is not.
. tests/fuse/lib.sh

[ "$(id -u)" -eq 0 ] || skip_all "only root can switch swap on"
[ "$(wc -l </proc/swaps)" -le 1 ] || skip_all "there is swap already"
bundle=$good/links.bundle
key=(--passphrase-file "$good/one.passphrase")
more_on_exit() { swapoff "$tmp/swap" /dev/zram0 2>/dev/null; }

says() { # OPTION...: what it says, and the exit code
	"$mount" "${key[@]}" "$@" "$bundle" "$mnt" 2>&1
	echo $?
	! is_mounted || "$mount" -u "$mnt"
}

is "without swap there is nothing to say" "$(says --require-no-swap)" 0

head -c 16M /dev/zero >"$tmp/swap"
chmod 600 "$tmp/swap"
if mkswap "$tmp/swap" >/dev/null 2>&1 && swapon "$tmp/swap" 2>/dev/null; then
	like "swap on a disk is warned of" "$(says)" 'swap is on.*0$'
	like "or refused" "$(says --require-no-swap)" 'swap is on.*1$'
	swapoff "$tmp/swap"
else
	skip "swap on a disk" "it cannot be switched on"
fi

if [ -e /sys/block/zram0 ] && [ "$(cat /sys/block/zram0/disksize)" = 0 ] &&
	echo 16M 2>/dev/null >/sys/block/zram0/disksize && mkswap /dev/zram0 >/dev/null && swapon /dev/zram0; then
	is "compressed RAM is no disk" "$(says --require-no-swap)" 0
	swapoff /dev/zram0
	echo 1 >/sys/block/zram0/reset
else
	skip "compressed RAM is no disk" "there is no zram to be had"
fi
finish
