#!/bin/bash
# Under memory pressure neither what was read of a mount, nor its keys' passphrase,
# reaches swap.  A program that keeps the same text in ordinary memory is the control.
. tests/fuse/lib.sh

[ "$(id -u)" -eq 0 ] || skip_all "only root can switch swap on"
! sanitized || skip_all "a sanitizer keeps copies"
group=/sys/fs/cgroup/memory/satchel-mount-test-$$
swap=$tmp/swap
more_on_exit() {
	jobs -p | xargs -r kill -9 2>/dev/null
	wait 2>/dev/null
	swapoff "$swap" 2>/dev/null
	rmdir "$group" 2>/dev/null
}

swap_on() {
	dd if=/dev/zero of="$swap" bs=1M count=64 conv=notrunc status=none && chmod 600 "$swap" &&
		mkswap -q "$swap" >/dev/null 2>&1 && swapon "$swap" 2>/dev/null
}
mkdir "$group" 2>/dev/null || skip_all "there is no memory controller of cgroup v1; with that of v2 this was never tried"
swap_on || skip_all "no swap on a file to be had"

# Past the page cache, which shows old zeros.
in_swap() { dd if="$swap" bs=1M iflag=direct status=none | grep -a -c -F "$1"; }

press() { # LIMIT
	echo "$1" >"$group/memory.limit_in_bytes" 2>/dev/null
	echo 1 >"$group/memory.force_empty" 2>/dev/null
	sleep 0.5
}

inside() { # COMMAND...: in the background, in the group
	echo 400M >"$group/memory.limit_in_bytes"
	bash -c 'echo $$ >"$1/tasks"; shift; exec "$@"' - "$group" "$@" &
}

# No program's command line or environment has them.
text=$(head -c 12 /dev/urandom | base64 | tr +/ xy) secret=$(head -c 12 /dev/urandom | base64 | tr +/ xy)
mkdir "$tmp/tree"
awk -v c="$text" 'BEGIN { for (i = 0; i < 200000; i++) print i, c, i * 7919 % 100003 }' >"$tmp/tree/text"
for ((i = 0; i < 100; i++)); do : >"$tmp/tree/$text-$i"; done
bundle=$tmp/bundle
echo "$secret" >"$tmp/passphrase"
"$pack" -q --kdf low --no-verify --passphrase-file "$tmp/passphrase" -o "$bundle" "$tmp/tree/."

inside python3 -c '
import sys, time
text = [line + "." for line in open(sys.argv[1])]
print("ready", flush=True)
time.sleep(60)' "$tmp/tree/text" >"$tmp/ready"
until [ -s "$tmp/ready" ]; do sleep 0.05; done
press 6M
kill -9 $!
wait 2>/dev/null
ok "the control: ordinary memory is found in swap" test "$(in_swap "$text")" -gt 0
swapoff "$swap"
swap_on
is "which is then empty" "$(in_swap "$text")" 0

inside "$mount" -f -q --passphrase-file "$tmp/passphrase" "$bundle" "$mnt"
pid=$!
until is_mounted; do sleep 0.05; done
cat "$mnt/text" >/dev/null
find "$mnt" -size +0 >/dev/null
for most in 16M 12M 10M 9M; do press $most; done
ok "it is left little more than what is locked" test "$(cat "$group/memory.limit_in_bytes")" -le 20971520
is "and serves" "$(sha256sum <"$mnt/text")" "$(sha256sum <"$tmp/tree/text")"
is "nothing of a file or a name is in swap" "$(in_swap "$text")" 0
is "nor the passphrase" "$(in_swap "$secret")" 0
down
is "and nothing afterwards" "$(in_swap "$text") $(in_swap "$secret")" '0 0'
finish
