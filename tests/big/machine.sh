# shellcheck shell=bash disable=SC2154  # $root and $tmp are those of the scripts
# A machine with Debian's kernel, for the scripts here that need what this one's
# kernel has not, or may not break.
#
#   get_kernel                  into $KERNEL, an unpacked linux-image package
#   add_program FILE            into $root/bin, with the libraries that it wants
#   add_modules MODULE...       into $root/modules, in the order of modules/order
#   make_initrd                 $tmp/initrd, of $root

get_kernel() {
	[ ! -d "$KERNEL/boot" ] || return 0
	local package
	package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
	mkdir -p "$KERNEL" && (cd "$KERNEL" && apt-get download -q "$package" && dpkg -x linux-image-*.deb .)
}

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
