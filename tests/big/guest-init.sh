#!/bin/sh
# The first process of the machines that tests/big/*-in-qemu.sh start: loads the
# modules, then runs what comes over the serial line, a line at a time, and says
# "#DONE" and the exit code behind each.
export PATH=/bin:/sbin
[ "$1" = shell ] || {
	busybox mkdir -p /proc /sys /dev /tmp /var/tmp /m /stick /host /home /run
	busybox mount -t proc none /proc
	busybox --install -s /bin
	mount -t sysfs none /sys
	mount -t devtmpfs none /dev
	while read -r module; do insmod "/modules/$module" || echo "$module: not loaded"; done </modules/order
	ln -s /proc/self/fd /dev/fd
	chmod 666 /dev/fuse
	chmod 1777 /tmp
	chown 1000:1000 /home /m
	setsid -c sh "$0" shell </dev/ttyS0 >/dev/ttyS0 2>&1 # whose terminal that is
	poweroff -f
}

mounted() { grep -q ' /m fuse ' /proc/mounts; }

as_root() { exec "$@"; }
as_user() { exec /bin/setpriv --reuid=1000 --regid=1000 --clear-groups "$@"; }

# up WHO [OPTION...]: mount the bundle that lies on the stick.
up() {
	who=$1
	shift
	"as_$who" satchel-mount -f -q "$@" /stick/bundle /m 2>/tmp/said &
	pid=$!
	until mounted; do
		kill -0 "$pid" 2>/dev/null || { cat /tmp/said; return 1; }
		sleep 0.1
	done
}

ended() { # CODE
	got=0
	wait "$pid" || got=$?
	echo "exit code $got"
	cat /tmp/said
	[ "$got" -eq "$1" ] && ! mounted
}

# Wait for the mount to vanish, and tell the kernel: it writes down when, with the
# clock that it has also for the stick's vanishing.  Whatever is still to be done by
# then waits for another line.
pulled() {
	[ "${1-}" != card ] || no_card &
	while mounted; do usleep 5000; done
	killall -q -STOP satchel-mount
	echo 'satchel: no mount' >/dev/kmsg
	dmesg | sed -n 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] .*\(USB disconnect\|no mount\).*/\1\2 \3/p' | tail -n 2 |
		awk '{ at[NR] = $1 } END { printf "\ngone after %d ms\n", (at[2] - at[1]) / 1000 }'
	read -r line
	killall -q -CONT satchel-mount
	code=0
	wait "$pid" || code=$?
	echo "exit code $code"
	umount -l /stick
}

# The card is out and its reader is there, of which the kernel says nothing by itself; it
# would if somebody opened the device.
no_card() {
	while dd if=/stick/bundle of=/dev/null bs=4096 count=1 iflag=direct status=none 2>/dev/null; do usleep 5000; done
	echo 'satchel: no card, as after USB disconnect' >/dev/kmsg
}

unplugged() { while [ -e "/sys/block/$stick" ]; do sleep 0.1; done; }

plug() { # MOUNT OPTIONS
	waited=0
	until for stick in /sys/block/sd*; do :; done && stick=${stick##*/} && [ -b "/dev/$stick" ]; do
		sleep 0.1
		waited=$((waited + 1))
		[ "$waited" -lt 300 ] || return 1
	done
	mount -t vfat -o "$1" "/dev/$stick" /stick
}

echo '#READY'
while read -r line; do
	eval "$line"
	echo "#DONE $?"
done
