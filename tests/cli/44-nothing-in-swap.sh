#!/bin/bash
# Under memory pressure the reader's plaintext and passphrase do not reach swap,
# nor temporary directories, nor a core file.  A program that keeps the same
# text in ordinary memory is the control: its text must be found.
. tests/cli/lib.sh

group=/sys/fs/cgroup/memory/satchel-test-$$
swap=$tmp/swap

on_exit() {
	jobs -p | xargs -r kill -9 2>/dev/null
	wait 2>/dev/null
	swapoff "$swap" 2>/dev/null
	rmdir "$group" 2>/dev/null
}

why=
[ "$(id -u)" -eq 0 ] || why="needs root"
! sanitized || why="sanitizers lock no memory"
[ -n "$why" ] || mkdir "$group" 2>/dev/null || why="needs the memory controller of cgroup v1; with that of v2 this was never tried"
if [ -z "$why" ]; then
	dd if=/dev/zero of="$swap" bs=1M count=192 status=none && chmod 600 "$swap" &&
		mkswap -q "$swap" >/dev/null 2>&1 && swapon "$swap" 2>/dev/null || why="needs swap on a file"
fi
if [ -n "$why" ]; then
	skip "plaintext stays out of swap" "$why"
	finish
fi

# The text is not in this script, so that the shell's memory does not hold it.
canary=$(head -c 12 /dev/urandom | base64 | tr +/ xy)
secret=$(head -c 12 /dev/urandom | base64 | tr +/ xy)
mkdir "$tmp/src" "$tmp/T"
awk -v c="$canary" 'BEGIN { for (i = 0; i < 200000; i++) print i, c, i * 7919 % 100003 }' >"$tmp/src/text"
printf '%s' "$secret-and-more-of-it" >"$tmp/pass"
"$pack" -q --kdf low --passphrase-file "$tmp/pass" -o "$tmp/bundle" "$tmp/src"
rm -r "$tmp/src"

# Run in the group, wait until it has what it wants, press, look.
# Where each run's text would lie: every byte of the swap file, read past the
# page cache, which shows old zeros.
in_swap() { dd if="$swap" bs=1M iflag=direct status=none | grep -a -c -F "$1"; }

press() { # LIMIT in bytes
	echo "$1" >"$group/memory.limit_in_bytes" 2>/dev/null
	echo 1 >"$group/memory.force_empty" 2>/dev/null
	sleep 1
}

inside() { # COMMAND...: in the background, in the group
	bash -c 'echo $$ >"$1/tasks"; shift; exec "$@"' - "$group" "$@" &
}

echo 200M >"$group/memory.limit_in_bytes"
CANARY=$canary inside python3 -c '
import os, time
text = [os.environ["CANARY"] + str(i) for i in range(400000)]
time.sleep(30)'
sleep 2
press 4M
[ "$(in_swap "$canary")" -gt 0 ]
result $? "control: ordinary memory is found in swap"
kill -9 %1 2>/dev/null
wait 2>/dev/null
swapoff "$swap"
dd if=/dev/zero of="$swap" bs=1M count=192 conv=notrunc status=none
mkswap -q "$swap" >/dev/null && swapon "$swap"

# cat stops in the middle, in front of a reader that does not read.
echo 200M >"$group/memory.limit_in_bytes"
mkfifo "$tmp/fifo"
sleep 60 <>"$tmp/fifo" &
TMPDIR=$tmp/T inside "$read" cat -q --passphrase-file "$tmp/pass" "$tmp/bundle" src/text >"$tmp/fifo"
reader=$!
sleep 2
like "cat is in the middle of it" "$(cat "/proc/$reader/status" 2>/dev/null)" 'VmLck:[[:space:]]+[1-9]'
press 9M
press 8600K
like "cat is under pressure, and still there" "$(cat "/proc/$reader/stat" 2>/dev/null)" "satchel-read"
is "none of its text is in swap" "$(in_swap "$canary")" 0
is "none of its passphrase is in swap" "$(in_swap "$secret")" 0
is "nothing is in the temporary directory" "$(ls -A "$tmp/T")" ""
kill -SEGV "$reader"
sleep 0.5
is "a crash leaves no core file" "$(find . "$tmp" -maxdepth 1 -name 'core*' | wc -l)" 0
finish
