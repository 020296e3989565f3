#!/bin/bash
# The packages that "make deb" made, in a Debian that has nothing else: they bring what
# they need, a bundle comes out as it went in, and when they are purged every file that
# came with them is gone.
#
#   CHROOT=DIR   a directory with a minimal Debian, otherwise one is made; what is
#                tried is a layer above it.
cd "$(dirname "$0")/../.." || exit
packages=$PWD/build-deb
. tests/cli/lib.sh

# Whoever starts this wants to know.
give_up() { echo "Bail out! $1"; exit 1; }
[ "$(id -u)" -eq 0 ] || give_up "only root can go to another root"
ls "$packages"/*.deb >/dev/null || give_up "there are no packages: make deb"

# --- within --------------------------------------------------------------------------------

in_it() { chroot "$tmp/root" env LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }

# What is not a package's, or changes whenever one comes and goes.
files() {
	in_it find / -xdev '(' -path /tmp -o -path /var/cache -o -path /var/lib/apt -o -path /var/log \
		-o -path /var/lib/dpkg -o -path /proc -o -path /dev -o -path /sys ')' -prune -o -print | sort
}
ours() { in_it dpkg-query -W -f '${Package}\n' 2>/dev/null | grep -c satchel; }
installed() { in_it dpkg-query -W -f '${Package}\n' | sort; }

make_chroot() {
	local mirror
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
	debootstrap --variant=minbase bookworm "$1" "$mirror"
}

enter() {
	mkdir "$tmp/root" "$tmp/over"
	mount -t tmpfs none "$tmp/over" && mkdir "$tmp/over/"{upper,work} &&
		mount -t overlay -o "lowerdir=$CHROOT,upperdir=$tmp/over/upper,workdir=$tmp/over/work" none "$tmp/root" &&
		mount --bind /dev "$tmp/root/dev" && mount -t proc none "$tmp/root/proc" &&
		cp /etc/resolv.conf "$tmp/root/etc" &&
		mkdir "$tmp/root/tmp/packages" && cp "$packages"/*.deb "$tmp/root/tmp/packages" &&
		rm -f "$tmp/root/tmp/packages/"*dbgsym*
}
on_exit() {
	for place in root/proc root/dev root over; do umount -l "$tmp/$place" 2>/dev/null; done
}

round_trip() {
	in_it sh -ec 'cd /tmp; echo "a passphrase" >pass; mkdir out
		satchel-pack -q --kdf low --passphrase-file pass -o bundle /usr/share/doc/satchel
		satchel-read verify -q --passphrase-file pass bundle
		satchel-read extract -q --passphrase-file pass -C out bundle
		diff -r /usr/share/doc/satchel out/satchel'
}

mounted() {
	in_it sh -ec 'cd /tmp; mkdir m; satchel-mount -q --allow-unlocked --passphrase-file pass bundle m
		diff -r /usr/share/doc/satchel m/satchel; satchel-mount -u m; rmdir m'
}

# --- the test ---------------------------------------------------------------------------------

if [ -z "${CHROOT:-}" ]; then
	command -v debootstrap >/dev/null || give_up "there is no debootstrap"
	CHROOT=$tmp/chroot
	make_chroot "$CHROOT" >"$tmp/log" 2>&1 || give_up "no Debian is to be had: $(tail -1 "$tmp/log")"
fi
ok "a Debian with nothing in it" enter
ok "its lists" in_it apt-get update
files >"$tmp/before"
installed >"$tmp/packages-before"
ok "they install, and bring what they need" in_it sh -c 'apt-get install -y --no-install-recommends /tmp/packages/*.deb'
is "nothing is missing" "$(in_it dpkg --audit)" ''
for program in satchel-pack satchel-read satchel-mount; do
	like "$program says what it is" "$(in_it $program --version)" "^$program [0-9]"
	ok "its manual is there" in_it test -e /usr/share/man/man1/$program.1.gz
done
ok "what is packed comes out" round_trip
if [ -e /dev/fuse ]; then ok "and is mounted" mounted; else skip "and is mounted" "there is no /dev/fuse"; fi
is "control: the list of files tells" "$(diff "$tmp/before" <(files) | grep -c 'bin/satchel-')" 3
ok "they are purged, with what they brought" in_it apt-get purge -y --autoremove satchel satchel-read
is "not one is left" "$(ours)" 0
is "no package more than before" "$(diff "$tmp/packages-before" <(installed))" ''
in_it rm -rf /tmp/packages
is "no file more than before" "$(diff "$tmp/before" <(files))" ''
finish
