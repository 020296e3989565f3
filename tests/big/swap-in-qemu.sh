#!/bin/bash
# Under memory pressure nothing of what a private session's program holds reaches swap,
# where the user has a control group; in a machine of its own with Debian's kernel.  The
# same without the session, and with no group to be had, are the controls.
# Not part of "make check": it emulates.
#
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

# A text for each program, 8 MiB long; each has lines of its own.
programs='outside ungrouped grouped'
make_bundle() {
	local who
	head -c 64 /dev/urandom >"$tmp/key"
	mkdir "$tmp/tree"
	for who in $programs; do
		head -c 12 /dev/urandom | base64 | tr +/ xy >"$tmp/mark-$who"
		yes "$(cat "$tmp/mark-$who")" | awk '{ print NR, $0, NR * 7919 % 100003 }' | head -c 8M >"$tmp/tree/$who"
	done
	"$pack" -q --no-verify --key-file "$tmp/key" -o "$tmp/bundle" "$tmp/tree/."
}

make_swap() { truncate -s 512M "$tmp/swap" && /sbin/mkswap -q "$tmp/swap"; }

in_swap() { grep -a -c -F -f "$tmp/mark-$1" "$tmp/swap"; }

ok "a bundle" make_bundle
ok "a swap device" make_swap
make_root
add_modules virtio_blk virtio_pci fuse
mkdir "$root/stick"
install -m 644 "$tmp/bundle" "$root/stick/bundle"
install -m 644 "$tmp/key" "$root/key"
make_initrd
ok "a machine" start 256 -drive "if=virtio,format=raw,cache=none,file=$tmp/swap"
ok "that swaps" guest 'swapon /dev/vda && echo 100 >/proc/sys/vm/swappiness && chmod 666 /dev/kmsg'
# As systemd has it: groups of the user's, one of them for each program; and some that
# are not.
ok "and has groups" guest 'cd /sys/fs/cgroup && mount -t cgroup2 none . && cd . && echo +memory >cgroup.subtree_control && mkdir -p other user && echo +memory >user/cgroup.subtree_control && mkdir user/terminal && chown -R user user; cd /'

# --- programs that hold a text ----------------------------------------------------------

# What it has read stays in its memory, and it says so.
hold='held=$(cat $0) && echo "holds ${#held}" >/dev/kmsg && sleep 1000; : $held'
holding() { guest "until [ \$(dmesg | grep -c 'holds 8388') -eq $1 ]; do sleep 0.5; done"; }

start_in() { # GROUP COMMAND
	guest "(echo 0 >/sys/fs/cgroup/$1/cgroup.procs; exec $2) >/tmp/said 2>&1 & sleep 0.1"
}
session() { # TEXT
	echo "/bin/setpriv --reuid=1000 --regid=1000 --clear-groups satchel-mount -q --key-file /key /stick/bundle --run sh -c '$hold' $1"
}

ok "a mount" guest up user --key-file /key
ok "a program without a session" start_in other "/bin/setpriv --reuid=1000 --regid=1000 --clear-groups sh -c '$hold' /m/outside"
ok "reads" holding 1
ok "a session where the user has no group" start_in other "$(session ungrouped)"
ok "reads" holding 2
ok "a session where he has" start_in user/terminal "$(session grouped)"
ok "reads" holding 3

# --- pressure -----------------------------------------------------------------------------

ok "the kernel is to take all memory from them" guest \
	'for group in other user; do echo 1M >/sys/fs/cgroup/$group/memory.high; done; sync'
ok "what no session holds is in swap" at_least "$(in_swap outside)" 1000
ok "what is held where there is no group, too" at_least "$(in_swap ungrouped)" 1000
ok "but nothing that a session with a group holds" at_most "$(in_swap grouped)" 0
ok "which is still there" guest '[ "$(cat /sys/fs/cgroup/user/app-*/memory.current)" -gt 16000000 ]'
ok "sessions end" guest 'killall -TERM satchel-mount'
ok "and their groups with them" guest 'n=0; while [ -d /sys/fs/cgroup/user/app-* ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n + 1)); done; [ $n -lt 600 ]'
stop
finish
