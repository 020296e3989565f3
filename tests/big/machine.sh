# shellcheck shell=bash disable=SC2034,SC2154  # $root and $tmp are those of the scripts
# A machine with Debian's kernel, for the scripts here that need what this one's
# kernel has not, or may not break.  Ends the script where there is none to be had.
#
#   $KERNEL                     an unpacked linux-image package
#   add_program FILE            into $root/bin, with the libraries that it wants
#   add_modules MODULE...       into $root/modules, in the order of modules/order
#   make_initrd                 $tmp/initrd, of $root
#
# One that listens to its serial line, where guest-init.sh is what runs in it:
#
#   make_root                   $root, with what guest-init.sh needs
#   start MIB [OPTION...]       a machine with so much memory; OPTIONs are QEMU's
#   stop
#   guest COMMAND...            run there, until it has ended; for ok
#   guest_begin, guest_end      the two halves of that
#   guest_hears TEXT            type that, without the end of a line
#   has_said REGEX              in a line since guest_begin?
#   said REGEX                  what \1 is, in the last line that matches
#   within_seconds SECONDS COMMAND...
#   plug_in IMAGE, pull_out     a USB stick; take_card: or what is in the reader
#   find_in_memory WANTED       what search.py finds in its memory, into $tmp/found
#   found NAME, numbers NAME    of that: how often, and how many different
#   at_most N MOST, at_least N LEAST: for ok

get_kernel() {
	[ ! -d "$KERNEL/boot" ] || return 0
	local package
	package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	mkdir -p "$KERNEL" && (cd "$KERNEL" && apt-get download -q "$package" && dpkg -x linux-image-*.deb .)
}

: "${KERNEL:=$tmp/kernel}"
command -v qemu-system-x86_64 >/dev/null || { echo "1..0 # SKIP there is no qemu-system-x86_64"; exit 0; }
get_kernel >"$tmp/kernel.log" 2>&1 || { echo "1..0 # SKIP no kernel to be had: $(tail -1 "$tmp/kernel.log")"; exit 0; }

add_program() {
	local library
	mkdir -p "$root/bin"
	cp "$1" "$root/bin"
	for library in $(ldd "$1" 2>/dev/null | grep -o '/[^ ]*'); do
		mkdir -p "$root${library%/*}"
		cp -n "$library" "$root$library"
	done
}

add_modules() {
	local version module file
	version=$(cd "$KERNEL/lib/modules" && echo *)
	[ -e "$KERNEL/lib/modules/$version/modules.dep" ] || /sbin/depmod -b "$KERNEL" "$version"
	mkdir -p "$root/modules"
	for module; do
		/sbin/modprobe -d "$KERNEL" -S "$version" --show-depends "$module" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r file; do
		cp "$file" "$root/modules"
		echo "${file##*/}"
	done >"$root/modules/order"
}

make_initrd() {
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$tmp/initrd"
}

# --- one that listens ----------------------------------------------------------------

PATIENCE=600 # in seconds: what is emulated on a busy machine takes its time
qemu='' memory='' log=$tmp/console since=0

on_exit() {
	[ -z "$qemu" ] || kill "$qemu" 2>/dev/null
	rm -f "$memory"
}

make_root() {
	root=$tmp/root
	mkdir -p "$root/bin" "$root/etc"
	cp /bin/busybox "$root/bin"
	ln -s busybox "$root/bin/sh"
	ln -s . "$root/usr"
	install -m 755 tests/big/guest-init.sh "$root/init"
	echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
	echo 'user:x:1000:1000::/home:/bin/sh' >>"$root/etc/passwd"
	ln -s /proc/self/mounts "$root/etc/mtab" # fusermount3 looks there
	add_program "$mount"
	add_program "$(command -v setpriv)"
	add_program "$(command -v fusermount3)"
	chmod u+s "$root/bin/fusermount3"
	add_modules xhci_pci usb_storage sd_mod vfat nls_cp437 nls_ascii nls_utf8 9p 9pnet_virtio virtio_pci fuse
}

# Its memory is a file, which can be looked into at any time.
start() {
	memory=$(mktemp -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$tmp")") || return
	mkfifo "$tmp/serial.in" "$tmp/serial.out"
	: >"$log"
	qemu-system-x86_64 -accel tcg -icount shift=1 -m "$1" -nodefaults -display none -no-reboot \
		-object "memory-backend-file,id=ram,size=$1M,mem-path=$memory,share=on" -machine memory-backend=ram \
		-kernel "$KERNEL"/boot/vmlinuz-* -initrd "$tmp/initrd" -append "console=ttyS0 quiet panic=-1 no_timer_check" \
		-serial "pipe:$tmp/serial" -monitor "unix:$tmp/monitor,server,nowait" \
		-device qemu-xhci,id=xhci "${@:2}" <>"$tmp/serial.in" >"$tmp/qemu.said" 2>&1 &
	qemu=$!
	exec 5>"$tmp/serial.in"
	cat "$tmp/serial.out" >>"$log" &
	within_seconds "$PATIENCE" grep -q '#READY' "$log" || { cat "$tmp/qemu.said" "$log"; return 1; }
}

stop() {
	monitor quit
	wait "$qemu" 2>/dev/null
	qemu=''
	exec 5>&-
	rm -f "$tmp/serial.in" "$tmp/serial.out" "$memory"
}

within_seconds() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.3
	done
}

monitor() { echo "$*" | socat - "UNIX-CONNECT:$tmp/monitor" >/dev/null; }

new_lines() { tail -c "+$((since + 1))" "$log" | tr -d '\r'; }
has_said() { new_lines | grep -q "$1"; }
said() { new_lines | sed -n "s/$1/\\1/p" | tail -1; }

guest_begin() {
	since=$(stat -c %s "$log")
	echo "$*" >&5
}

guest_end() {
	within_seconds "$PATIENCE" has_said '^#DONE'
	new_lines | tail -5
	has_said '^#DONE 0'
}

guest() {
	guest_begin "$@"
	guest_end
}

guest_hears() { printf %s "$1" >&5; }

plug_in() {
	monitor "drive_add 0 if=none,id=stick,file=$1,format=raw,cache=none"
	monitor "device_add usb-storage,drive=stick,id=usb,bus=xhci.0,removable=on"
}

pull_out() { monitor "device_del usb"; }
take_card() { monitor "eject -f stick"; } # the reader stays

find_in_memory() { /usr/bin/python3 -B tests/search.py find "$memory" "$1" >"$tmp/found"; }

found() { awk -v n="$1" '$1 == n { print $2 }' "$tmp/found"; }
numbers() { awk -v n="$1" '$1 == n { print $3 }' "$tmp/found"; }

at_most() { echo "$1, at most $2"; [ "$1" -le "$2" ]; }
at_least() { echo "$1, at least $2"; [ "$1" -ge "$2" ]; }
