#!/bin/bash
# What the programs can still do when they are taken over, on Debian's kernel: there
# Landlock has version 2, and knows nothing of emptying files.
# Not part of "make check": it emulates, for some minutes.  Wants what "make run-tests"
# builds.
#
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

scripts=(build/tests/unit/test_sandbox build/tests/unit/test_reader_sandbox
	tests/cli/71-the-packer-is-confined.sh tests/cli/72-the-reader-is-confined.sh
	tests/fuse/70-the-server-is-confined.sh)

# What the scripts call, and busybox has otherwise or not.
tools=(bash chmod cmp cp date env grep head mkdir mkfifo mktemp paste rm sed seq sleep sort stat)

make_root() {
	root=$tmp/root
	mkdir -p "$root"/{etc,tmp,var/tmp,usr/lib/locale} "$root/build/tests/unit"
	for tool in "${tools[@]}"; do add_program "$(command -v "$tool")"; done
	cp /bin/busybox "$root/bin"
	cp -r /usr/lib/locale/C.utf8 "$root/usr/lib/locale"
	echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
	for program in "$pack" "$mount" "$build"/tests/satchel-read "$build"/tests/unit/test_{reader_,}sandbox; do
		add_program "$program"
		mv "$root/bin/${program##*/}" "$root/build/${program#"$build"/}"
	done
	cp "$read" "$root/build" # which is static
	cp -r --parents tests/cli tests/fuse/*.sh tests/preload "$root"
	preload try_to_leave || return
	mv "$tmp/try_to_leave.so" "$root/inside.so"
	add_modules fuse
	cat >"$root/init" <<'END'
#!/bin/busybox sh
export PATH=/bin BUILD=/build TRY_LIBRARY=/inside.so
busybox mkdir -p /proc /sys /dev
for tool in awk cat cut id kill ln ls mount rmdir setsid tail touch tr true umount uname unshare wc; do
	busybox ln -s busybox /bin/$tool 2>/dev/null
done
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
while read -r module; do busybox insmod "/modules/$module"; done </modules/order
echo "#KERNEL $(uname -r)"
while read -r script; do
	echo "#BEGIN $script"
	"/$script" 2>&1
	echo "#END $script $?"
done </scripts
busybox poweroff -f
END
	chmod +x "$root/init"
	printf '%s\n' "${scripts[@]}" >"$root/scripts"
	make_initrd
}

make_root || exit 1
timeout 900 qemu-system-x86_64 -accel tcg -m 768 -nodefaults -display none -no-reboot \
	-kernel "$KERNEL"/boot/vmlinuz-* -initrd "$tmp/initrd" \
	-append "console=ttyS0 quiet panic=-1 no_timer_check" -serial stdio </dev/null >"$tmp/console" 2>&1
sed -i 's/\r//g' "$tmp/console"

has_run() { # SCRIPT
	sed -n "\|^#BEGIN $1|,\|^#END $1|p" "$tmp/console" >"$tmp/part"
	grep -v '^ok' "$tmp/part"
	grep -qx "#END $1 0" "$tmp/part" && ! grep -q SKIP "$tmp/part"
}
sed -n 's/^#KERNEL/# kernel/p' "$tmp/console"
for script in "${scripts[@]}"; do ok "${script##*/}" has_run "$script"; done
let_through=$(sed -n 's/^# Landlock alone lets through: //p' "$tmp/console" | head -1)
like "the control: Landlock alone lets any file be emptied there" "$let_through" '(^|,)emptying,emptying by opening,'
finish
