#!/bin/bash
# The first process of the machine that sticks-in-qemu.sh starts.  Results go to
# its first serial line.  It has three disks: ext4, vfat, and a full vfat.
export PATH=/bin:/sbin
busybox mkdir -p /proc /sys /dev /tmp /stick
busybox mount -t proc none /proc
busybox --install -s /bin
mount -t sysfs none /sys
mount -t devtmpfs none /dev
ln -s /proc/self/fd /dev/fd
while read -r module; do insmod "/modules/$module"; done </modules/order
exec >/dev/ttyS0
cd / || exit
. tests/cli/lib.sh
read=/bin/satchel-read
key=(--key-file /key)

# --- a stick, with what the kernel shall not be able to read of it --------------------

insert() { # FILE-SYSTEM WHAT
	case $1 in
	ext4) losetup /dev/loop0 /dev/vda ;;
	vfat) losetup /dev/loop0 /dev/vdb ;;
	esac
	dmsetup create --noudevsync --noudevrules stick "/tables/$1-$2" || return
	until mount -t "$1" -o ro /dev/dm-0 /stick; do
		[ "$2" == flakey ] || return
		sleep 0.3
	done
}

remove() {
	umount /stick
	dmsetup remove --noudevsync --noudevrules --retry stick
	losetup -d /dev/loop0
	rm -rf /out /copy
}

# From now on every sector is an error.
pull_out() { # FILE-SYSTEM
	local sectors
	sectors=$(awk '{ n = $1 + $2 } END { print n }' "/tables/$1-linear")
	dmsetup suspend --noudevsync --noflush stick &&
		dmsetup load --noudevsync stick --table "0 $sectors error" &&
		dmsetup resume --noudevsync --noudevrules stick && fresh
}

says() { grep -q "$1" "$tmp/stdout" || { cat "$tmp/stdout"; return 1; }; }
complains() { grep -q "$1" "$tmp/stderr" || { cat "$tmp/stderr"; return 1; }; }

verify() { exits "$1" $read verify -q "${key[@]}" "${2:-/stick/bundle}"; }
extract() { # CODE [BUNDLE]
	rm -rf /out
	exits "$1" $read extract -q "${key[@]}" -C /out "${2:-/stick/bundle}"
}
repair() { exits "$1" $read repair -q "${key[@]}" -o /copy /stick/bundle; }

# What was extracted is as it was packed; some may be missing.
right() { (cd /out && grep -E " ($(printf '%s|' *))\$" /sums | sha256sum -c >/dev/null); }
whole() { (cd /out && sha256sum -c /sums >/dev/null); }
all_but_large() { [ "$(echo /out/*.jpg | wc -w)" -eq 60 ] && [ ! -e /out/large.jpg ] && right; }
only_large() { # it is the only file that is named
	[ "$(grep -o '[0-9a-z]*\.jpg' "$tmp/stderr" | sort -u)" == large.jpg ] ||
		{ cat "$tmp/stderr"; return 1; }
}
cat_large() {
	[ "$($read cat "${key[@]}" /stick/bundle large.jpg 2>/dev/null | sha256sum)" == \
		"$(sed -n 's/ large.jpg/ -/p' /sums)" ]
}
cannot_copy() { ! cp /stick/bundle /copy 2>/dev/null; rm -f /copy; }
fresh() { echo 3 >/proc/sys/vm/drop_caches; }

healthy() { # NAME
	ok "$1: healthy" verify 0
	ok "$1: which is said" says '^healthy'
	ok "$1: all comes out" extract 0
	ok "$1: as it was" whole
}

# --- what can be repaired ------------------------------------------------------------------

for system in ext4 vfat; do
	name="$system, the control"
	ok "$name: mounts" insert $system linear
	healthy "$name"
	ok "$name: cp can read it" cp /stick/bundle /copy
	remove

	for what in spread roots; do
		name="$system, $what"
		ok "$name: mounts" insert $system $what
		ok "$name: cp cannot read it" cannot_copy
		ok "$name: repaired" verify 5
		fresh
		ok "$name: cat" cat_large
		ok "$name: all comes out" extract 5
		ok "$name: as it was" whole
		ok "$name: a healthy copy" repair 5
		ok "$name: as it was" cmp /copy /bundle
		remove
	done

	name="$system, the first 64 KiB"
	ok "$name: mounts" insert $system start
	ok "$name: repaired" verify 5
	ok "$name: all comes out" extract 5
	ok "$name: as it was" whole
	ok "$name: a copy" repair 5
	ok "$name: all but the header is as it was" cmp <(tail -c +16385 /copy) <(tail -c +16385 /bundle)
	remove

	name="$system, behind the slots of both headers"
	ok "$name: mounts" insert $system fill
	ok "$name: opens" verify 5
	ok "$name: which is said" says '^damaged: 2 headers'
	ok "$name: a copy" repair 5
	ok "$name: which has two headers" verify 0 /copy
	remove

	name="$system, both headers"
	ok "$name: mounts" insert $system headers
	ok "$name: cannot be read" verify 10
	ok "$name: and that is what is said" complains 'Input/output error'
	remove

	# --- what cannot -----------------------------------------------------------------------

	name="$system, too much"
	ok "$name: mounts" insert $system lost
	ok "$name: lost" verify 4
	ok "$name: one file is named" only_large
	no "$name: cat gives no whole file" cat_large
	ok "$name: the others come out" extract 4
	ok "$name: one file is named" only_large
	ok "$name: as they were" all_but_large
	ok "$name: a copy of the rest" repair 4
	ok "$name: one file is named" only_large
	ok "$name: they come out of the copy" extract 4 /copy
	ok "$name: as they were" all_but_large
	remove

	# --- what is pulled out --------------------------------------------------------------------

	name="$system, pulled out"
	ok "$name: mounts" insert $system linear
	fresh
	exec 3< <($read cat "${key[@]}" /stick/bundle large.jpg {0..59}.jpg 2>"$tmp/stderr"; echo $? >"$tmp/code")
	head -c 1000 <&3 >/dev/null
	usleep 500000 # until the pipe is full
	ok "$name: now" pull_out "$system"
	ok "$name: nothing of it is given as if it were all" test "$(cat <&3 | wc -c)" -lt 11000000
	until [ -s "$tmp/code" ]; do usleep 50000; done
	is "$name: it is not damage" "$(cat "$tmp/code")" 10
	is "$name: in one line" "$(cat "$tmp/stderr")" \
		'satchel-read: /stick/bundle: cannot be read any more: the drive was pulled out, or fails'
	remove

	# --- and what comes and goes -----------------------------------------------------------

	name="$system, on and off"
	insert $system flakey
	seen='' strange='' wrong=''
	for ((i = 0; i < 24; i++)); do
		fresh
		rm -rf /out
		code=0
		if [ $((i % 3)) -eq 0 ]; then
			$read verify -q "${key[@]}" /stick/bundle >/dev/null 2>&1 || code=$?
		else
			$read extract -q "${key[@]}" -C /out /stick/bundle >/dev/null 2>&1 || code=$?
			[ ! -e /out ] || [ -z "$(ls /out)" ] || right || wrong="$wrong $i"
			[ $code -ne 0 ] && [ $code -ne 5 ] || whole || wrong="$wrong $i"
		fi
		case $code in
		0 | 4 | 5 | 10) seen="$seen $code" ;;
		*) strange="$strange $code" ;;
		esac
		usleep $((i * 37 % 11 * 50000))
	done
	echo "# $name: exit codes$seen$strange"
	is "$name: no exit code that is none" "$strange" ''
	is "$name: no file that is not as it was" "$wrong" ''
	like "$name: sometimes it fails" "$seen" ' (4|5|10)'
	until umount /stick; do sleep 0.3; done
	remove 2>/dev/null
done

# --- one that is full ---------------------------------------------------------------------------

ok "a full stick: mounts" mount -t vfat -o ro /dev/vdc /stick
is "a full stick: it is" "$(df /stick | awk 'END { print $4 }')" 0
healthy "a full stick"
umount /stick
(finish)
sleep 1
poweroff -f
