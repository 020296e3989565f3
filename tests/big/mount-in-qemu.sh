#!/bin/bash
# satchel-mount in a machine of its own, with Debian's kernel: what is left in its
# memory after each kind of end, and a stick that is pulled out.
# Not part of "make check": it emulates, for some minutes.
#
#   ROUNDS=N   how often the stick is pulled (10)
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

: "${ROUNDS:=10}" "${KERNEL:=$tmp/kernel}"
qemu='' log=$tmp/console

on_exit() { [ -z "$qemu" ] || kill "$qemu" 2>/dev/null; }

# --- the machine -------------------------------------------------------------------

make_root() {
	root=$tmp/root
	mkdir -p "$root/bin"
	cp /bin/busybox "$root/bin"
	ln -s busybox "$root/bin/sh"
	install -m 755 tests/big/guest-init.sh "$root/init"
	cp "$tmp/passphrase" "$root"
	cc -O2 -o "$tmp/touch-mapped" -x c - <<'END' || return
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
/* Touch every page of a file through a private mapping. */
int main(int argc, char **argv)
{
	struct stat st;
	int fd = open(argv[argc - 1], O_RDONLY), sum = 0;
	if (fd < 0 || fstat(fd, &st))
		return 1;
	const char *p = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	for (long at = 0; at < st.st_size; at += 4096)
		sum += p[at];
	return sum == 1234567;
}
END
	add_program "$mount"
	add_program "$tmp/touch-mapped"
	add_modules xhci_pci usb_storage sd_mod vfat nls_cp437 nls_ascii nls_utf8 exfat fuse
	make_initrd
}

start() { # STICK...
	mkfifo "$tmp/serial.in" "$tmp/serial.out"
	: >"$log"
	qemu-system-x86_64 -accel tcg -m 320 -nodefaults -display none -no-reboot \
		-kernel "$KERNEL"/boot/vmlinuz-* -initrd "$tmp/initrd" -append "console=ttyS0 quiet panic=-1 no_timer_check" \
		-serial "pipe:$tmp/serial" -monitor "unix:$tmp/monitor,server,nowait" \
		-device qemu-xhci,id=xhci <>"$tmp/serial.in" >"$tmp/qemu.said" 2>&1 &
	qemu=$!
	exec 5>"$tmp/serial.in"
	cat "$tmp/serial.out" >>"$log" &
	within_seconds 120 grep -q '#READY' "$log"
}

stop() {
	monitor quit
	wait "$qemu" 2>/dev/null
	qemu=''
	exec 5>&-
	rm -f "$tmp/serial.in" "$tmp/serial.out"
}

within_seconds() { # SECONDS COMMAND...
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.05
	done
}

monitor() { echo "$*" | socat - "UNIX-CONNECT:$tmp/monitor" >/dev/null; }

answers() { tr -d '\r' <"$log" | grep -c '^#DONE'; }
has_answered() { [ "$(answers)" -ge "$1" ]; }

guest_begin() { # COMMAND
	expected=$(($(answers) + 1))
	echo "$*" >&5
}

guest_end() {
	within_seconds 120 has_answered "$expected" || { tail -3 "$log"; return 1; }
	tr -d '\r' <"$log" | tail -5
	[ "$(tr -d '\r' <"$log" | grep '^#DONE' | tail -1)" == '#DONE 0' ]
}

guest() {
	guest_begin "$@"
	guest_end
}

plug_in() { # IMAGE
	monitor "drive_add 0 if=none,id=stick,file=$1,format=raw,cache=none,read-only=${2:-off}"
	monitor "device_add usb-storage,drive=stick,id=usb,bus=xhci.0,removable=on"
}

pull_out() { monitor "device_del usb"; }

# --- what is in it -----------------------------------------------------------------

# Files that each have a mark of their own in every KiB, otherwise random; their
# names have it too.
make_tree() {
	/usr/bin/python3 - "$tmp" "$@" <<'END'
import os, sys
out, names = sys.argv[1], sys.argv[2:]
os.mkdir(f'{out}/tree')
with open(f'{out}/marks', 'w') as marks:
    for name in names:
        mark = os.urandom(12).hex()
        marks.write(f'{name} {mark}\n')
        with open(f'{out}/tree/{name}-{mark[::-1]}', 'wb') as f:
            for _ in range(8192):
                f.write(mark.encode() + os.urandom(1000))
END
}

make_stick() { # IMAGE
	truncate -s 128M "$1"
	/sbin/mkfs.vfat -n STICK "$1" >/dev/null && mcopy -i "$1" "$tmp/bundle" ::bundle
}

is_dumped() { [ "$(stat -c %s "$tmp/memory" 2>/dev/null)" == $((0x14000000)) ]; }

# Prints: NAME KiB with its mark, and how often its name; then keys found.
dump() {
	rm -f "$tmp/memory"
	monitor "pmemsave 0 0x14000000 \"$tmp/memory\""
	within_seconds 60 is_dumped
	PYTHONPATH=tests /usr/bin/python3 - "$tmp" <<'END'
import sys
import decode
out = sys.argv[1]
with open(f'{out}/memory', 'rb') as f:
    memory = f.read()
for line in open(f'{out}/marks'):
    name, mark = line.split()
    print(name, memory.count(mark.encode()), memory.count(mark[::-1].encode()))
volume = decode.Volume(f'{out}/bundle')
header = next(volume.headers(None))[1]
passphrase = decode.passphrase_of(open(f'{out}/passphrase', 'rb').read())
stretched = decode.argon2.low_level.hash_secret_raw(
    passphrase, header[:16], time_cost=3, memory_cost=65536, parallelism=1, hash_len=32,
    type=decode.argon2.low_level.Type.ID, version=19)
volume.find_slot((passphrase, None, []), None)
secrets = {'stretched': stretched, 'kek': decode.kek(1, header, stretched), 'ck': volume.ck, 'page': volume.key}
for name, secret in secrets.items():
    print(f'key-{name}', memory.count(secret), 0)
print('keys', sum(memory.count(s) for s in secrets.values()), 0)
END
}

found() { # NAME: KiB of it in the last dump
	awk -v n="$1" '$1 == n { print $2 }' "$tmp/found"
}

at_most() { echo "$1, at most $2"; [ "$1" -le "$2" ]; }
at_least() { echo "$1, at least $2"; [ "$1" -ge "$2" ]; }

# --- what is left in memory -----------------------------------------------------------

command -v qemu-system-x86_64 >/dev/null || { echo "1..0 # SKIP there is no qemu-system-x86_64"; exit 0; }
get_kernel >"$tmp/kernel.log" 2>&1 || { echo "1..0 # SKIP no kernel to be had: $(tail -1 "$tmp/kernel.log")"; exit 0; }
head -c 15 /dev/urandom | base64 >"$tmp/passphrase"
make_tree private mapped panic cached cached-panic umounted
"$pack" -q --kdf low --no-verify --passphrase-file "$tmp/passphrase" -o "$tmp/bundle" "$tmp/tree"
make_stick "$tmp/stick"
before=$(sha256sum <"$tmp/stick")
make_root
start || { cat "$log"; exit 1; }
plug_in "$tmp/stick"
ok "a stick in it" guest 'plug vfat'

ok "private: read" guest 'up && cat /m/tree/private-* >/dev/null'
dump >"$tmp/found"
ok "while it is mounted the keys are there to be found" at_least "$(found keys)" 1
ok "-u" guest 'satchel-mount -u /m && ended 0'
ok "private, mapped: read" guest 'up && touch-mapped /m/tree/mapped-*'
dump >"$tmp/found"
ok "what is mapped passes through the page cache" at_least "$(found mapped)" 8000
ok "-u" guest 'satchel-mount -u /m && ended 0'
ok "panic while it reads" guest 'up && { while cat /m/tree/panic-*; do :; done >/dev/null 2>&1 & }; sleep 2; kill -USR1 $pid; ended 138'
ok "cached: read" guest 'up --cache && cat /m/tree/cached-* >/dev/null'
dump >"$tmp/found"
ok "while it is mounted all of it is there to be found" at_least "$(found cached)" 8000
ok "-u" guest 'satchel-mount -u /m && ended 0'
ok "cached: panic" guest 'up --cache && cat /m/tree/cached-panic-* >/dev/null; kill -USR1 $pid; ended 138'
ok "cached: umount from outside" guest 'up --cache && cat /m/tree/umounted-* >/dev/null; umount /m; ended 0'
dump >"$tmp/found"
sed 's/^/# KiB and names found afterwards: /' "$tmp/found"
ok "the control: an ordinary unmount leaves all that was cached" at_least "$(found umounted)" 8000
for name in private mapped panic cached cached-panic; do
	ok "$name: little is left of 8 MiB" at_most "$(found $name)" 400
done
is "no key is left" "$(found keys)" 0

# --- the stick is pulled out ------------------------------------------------------------

pulls() { # MODE WHAT-READS
	guest "up $1 && { $2 & } ; sleep 1" || return
	guest_begin pulled
	sleep 0.5
	pull_out
	guest_end || return
	took=$(tr -d '\r' <"$log" | sed -n 's/gone after \([0-9]*\) ms/\1/p' | tail -1)
	code=$(tr -d '\r' <"$log" | sed -n 's/^exit code //p' | tail -1)
	[ "$took" -gt "$longest" ] && longest=$took
	plug_in "$tmp/stick"
	guest 'plug vfat'
	# A second is promised; what is emulated on a busy machine is given three.
	[ "$code" -eq 10 ] && at_most "$took" 3000
}

longest=0
for ((i = 0; i < ROUNDS; i++)); do
	case $((i % 3)) in
	0) ok "pulled while a file is read" pulls '' 'while cat /m/tree/private-*; do :; done >/dev/null 2>&1' ;;
	1) ok "pulled while nothing is read" pulls '' 'true' ;;
	2) ok "pulled while a cached file is read" pulls --cache 'while cat /m/tree/private-*; do :; done >/dev/null 2>&1' ;;
	esac
done
echo "# the longest took $longest ms"
dump >"$tmp/found"
is "no key is left" "$(found keys)" 0
stop
is "the stick is what it was" "$(sha256sum <"$tmp/stick")" "$before"
finish
