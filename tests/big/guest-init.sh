#!/bin/sh
# The first process of the machine that tests/big/mount-in-qemu.sh starts: loads
# the modules, then runs what comes over the serial line, a line at a time, and
# says "#DONE" and the exit code behind each.
export PATH=/bin:/sbin
busybox mkdir -p /proc /sys /dev /tmp /m /stick
busybox mount -t proc none /proc
busybox --install -s /bin
mount -t sysfs none /sys
mount -t devtmpfs none /dev
while read -r module; do insmod "/modules/$module" || echo "$module: not loaded"; done </modules/order

now() { cut -d' ' -f1 /proc/uptime | tr -d .; } # in 1/100 s

mounted() { grep -q ' /m fuse ' /proc/mounts; }

# up [OPTION...]: mount the bundle that lies on the stick.
up() {
	satchel-mount -f -q --passphrase-file /passphrase "$@" /stick/bundle /m 2>/tmp/said &
	pid=$!
	until mounted; do
		kill -0 "$pid" 2>/dev/null || { cat /tmp/said; return 1; }
		sleep 0.1
	done
	ls /m >/dev/null
}

ended() { # CODE
	got=0
	wait "$pid" || got=$?
	[ "$got" -eq "$1" ] && ! mounted
}

# pulled: wait for the stick to vanish; then for the mount; how long that took.
pulled() {
	while [ -e "/sys/block/$stick" ]; do usleep 10000; done
	went=$(now)
	while mounted; do usleep 10000; done
	echo "gone after $((($(now) - went) * 10)) ms"
	code=0
	wait "$pid" || code=$?
	echo "exit code $code"
	umount -l /stick
	wait
}

plug() { # FILE SYSTEM
	waited=0
	until for stick in /sys/block/sd*; do :; done && stick=${stick##*/} && [ -b "/dev/$stick" ]; do
		sleep 0.1
		waited=$((waited + 1))
		[ "$waited" -lt 100 ] || return 1
	done
	mount -t "$1" -o ro "/dev/$stick" /stick
}

echo '#READY'
while read -r line; do
	eval "$line"
	echo "#DONE $?"
done
