#!/bin/bash
# What a desktop writes down of what it is shown.  A disk of its own, in a file, holds
# /home, /tmp and /var while Nautilus, PCManFM, Evince and mpv look at a bundle, as an
# ordinary user under Xvfb; afterwards every block of it is searched for names, text
# and pixels, in every encoding.  On a plain mount, the control, much is found; of a
# private session nothing.
#
# Not part of "make check": it wants root, loop devices, and a desktop's programs.

# --- as the user, among the programs -------------------------------------------------------

# It says on standard output what it saw; programs have standard error, as of a menu.

shows() { # SECONDS COMMAND...: until $enough, or for so long
	local until=$((SECONDS + $1)) program
	shift
	"$@" >&2 &
	program=$!
	until [ $SECONDS -ge $until ] || eval "${enough:-false}"; do sleep 0.5; done
	sleep 1 # what it does thereafter it does at once
	kill "$program"
	sleep 1
	kill -KILL "$program" 2>/dev/null
	wait "$program"
}

thumbnails() { find ~/.cache/thumbnails -name '*.png' 2>/dev/null | wc -l; }

look() { # DIRECTORY
	cd "$1/tree" || exit
	export XDG_CONFIG_DIRS=/mnt/config GSK_RENDERER=cairo
	shows 10 pcmanfm "$PWD/pictures"
	echo "thumbnails of PCManFM: $(thumbnails)"
	enough='[ $(thumbnails) -ge 50 ]' shows 600 nautilus "$PWD/pictures"
	echo "thumbnails of Nautilus: $(thumbnails)"
	enough='grep -q pdf ~/.local/share/recently-used.xbel' shows 120 evince ./*.pdf
	echo "recent files: $(grep -c '<bookmark ' ~/.local/share/recently-used.xbel)"
	shows 15 mpv --vo=x11 --ao=null --save-position-on-quit ./*.mkv
	echo "films half seen: $(find ~/.config/mpv -type f | wc -l)"
	# Somebody's program reads the document, and dies of it at home.
	(cd && exec /usr/bin/python3 -c 'import os, sys; d = open(sys.argv[1], "rb").read(); os.abort()' "$OLDPWD"/*.pdf)
	echo "core files: $(find ~ -maxdepth 1 -name 'core*' | wc -l)"
}

look_away() { # DIRECTORY
	/usr/bin/python3 /mnt/desktop.py careless "$1/tree" "$(cat /mnt/marks)" "$HOME" /tmp /var/tmp
}

as_user() { # WHAT
	export HOME=/home/u PATH=/usr/bin:/bin LC_ALL=C.UTF-8 DISPLAY=:77
	unset TMPDIR XDG_RUNTIME_DIR XDG_CONFIG_HOME DBUS_SESSION_BUS_ADDRESS
	cd && ulimit -c unlimited
	Xvfb :77 -screen 0 1024x768x24 -nolisten tcp >/dev/null 2>&1 &
	until [ -e /tmp/.X11-unix/X77 ]; do kill -0 $! || exit; sleep 0.1; done
	local command=(/mnt/satchel-mount -q --passphrase-file /mnt/passphrase /mnt/bundle)
	# What is started from a menu has this for what it prints.
	exec 2>>~/.xsession-errors
	case $1 in
	plain)
		"${command[@]}" m && dbus-run-session bash /mnt/desktop.sh look /home/u/m
		/mnt/satchel-mount -u m
		;;
	careless) "${command[@]}" m && look_away /home/u/m; /mnt/satchel-mount -u m ;;
	private) "${command[@]}" --run dbus-run-session bash /mnt/desktop.sh private /tmp/files | cat ;;
	esac
}

# --- as root, in a namespace ------------------------------------------------------------------

# inside DIRECTORY WHAT: with DIRECTORY/WHAT.image for a disk.  sync: what is deleted
# again at once was written, too.
inside() {
	local disk=$1/disk place
	cd "$1" || exit
	mount -o loop,sync "$2.image" disk || exit
	mkdir -p disk/{home/u/m,tmp/.X11-unix,var/{cache,lib,log,tmp}}
	chmod 1777 disk/tmp disk/tmp/.X11-unix disk/var/tmp
	cp -a /var/cache/fontconfig disk/var/cache 2>/dev/null # not to be made again
	chown -R games:games disk/home/u
	mount --bind stick /mnt
	# Without the indexer that it waits for, for half a minute, Nautilus is sooner done.
	for place in /usr/share/dbus-1/services/*Tracker3*; do mount --bind /dev/null "$place"; done
	for place in home var tmp; do mount --bind "$disk/$place" "/$place"; done
	setpriv --reuid games --regid games --clear-groups bash /mnt/desktop.sh as_user "$2"
}

case ${1:-} in
look) look "$2"; exit ;;
private) look "$2"; look_away "$2"; exit ;;
as_user | inside) "$@"; exit ;;
esac

# --- outside ----------------------------------------------------------------------------------------

cd "$(dirname "$0")/../.." || exit
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm # where to sync costs nothing
. tests/cli/lib.sh

skip_all() { echo "1..0 # SKIP $1"; exit 0; }

[ "$(id -u)" -eq 0 ] || skip_all "only root can have a disk of its own"
{ chmod 666 /dev/fuse && losetup -f; } >/dev/null 2>&1 || skip_all "there is no FUSE, or no loop device"
for program in nautilus pcmanfm evince mpv Xvfb dbus-run-session ffmpeg; do
	command -v $program >/dev/null || skip_all "there is no $program"
done

marks="$(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n') $(head -c 8 /dev/urandom | od -An -tx1 | tr -d ' \n')"
mkdir -p "$tmp/disk" "$tmp/stick/config/gtk-4.0"
ok "pictures and a document" /usr/bin/python3 tests/big/desktop.py make "$tmp/tree" "$marks"
ok "a film" ffmpeg -v error -f lavfi -i testsrc=duration=20:size=320x240 -metadata title="${marks#* }" "$tmp/tree/영화 ${marks% *}.mkv"
echo "a passphrase" >"$tmp/stick/passphrase"
ok "a bundle" "$pack" -q --kdf low --no-verify --passphrase-file "$tmp/stick/passphrase" -o "$tmp/stick/bundle" "$tmp/tree"
printf '[Settings]\ngtk-enable-animations=0\n' >"$tmp/stick/config/gtk-4.0/settings.ini"
echo "$marks" >"$tmp/stick/marks"
cp "$mount" tests/big/desktop.{sh,py} "$tmp/stick"
chmod -R a+rX "$tmp/stick"

no_loop_is_left() { ! losetup -j "$tmp/$1.image" | grep .; }

session() { # WHAT: what it said in $tmp/WHAT.said, what is on its disk in $tmp/WHAT.found
	truncate -s 256M "$tmp/$1.image"
	mkfs.ext4 -q "$tmp/$1.image"
	unshare -m --pid --fork --kill-child --mount-proc bash tests/big/desktop.sh inside "$tmp" "$1" \
		>"$tmp/$1.said" 2>"$tmp/$1.errors" || { cat "$tmp/$1.errors"; return 1; }
	until no_loop_is_left "$1"; do sleep 0.1; done
	sync "$tmp/$1.image"
	dd if="$tmp/$1.image" of=/dev/null iflag=nocache count=0 status=none
	/usr/bin/python3 tests/big/desktop.py search "$tmp/$1.image" "$tmp/tree" "$marks" >"$tmp/$1.found"
}

said() { sed -n "s/^$2: //p" "$tmp/$1.said"; }
found() { sed -n "s/^\([0-9]*\) $2$/\1/p" "$tmp/$1.found"; }
none_is() { [ -s "$tmp/$1.found" ] && ! grep "$2" "$tmp/$1.found"; }
at_least() { echo "$1, at least $2"; [ "$1" ] && [ "$1" -ge "$2" ]; }

ok "a plain mount, looked at" session plain
ok "a plain mount, and a program that writes down everything" session careless
ok "a private session: the same programs, and that one" session private
sed -n 's/^.*: [0-9]*$/# seen on the plain mount: &/p' "$tmp/plain.said"
sed -n 's/^.*: [0-9]*$/# seen in the private session: &/p' "$tmp/private.said"
paste -d' ' <(cut -d' ' -f1 "$tmp/plain.found") <(cut -d' ' -f1 "$tmp/careless.found") "$tmp/private.found" |
	sed '1i # found: on the plain mount, of the careless program, of the private session' | sed '2,$s/^/# /'

ok "the control is caught: small pictures" at_least "$(found plain 'pictures, made small')" 50
ok "named after where they were" at_least "$(found plain 'MD5 of paths and URIs')" 50
ok "which says what they were called" at_least "$(found plain 'whole names, percent')" 50
ok "recent files" at_least "$(said plain 'recent files')" 1
ok "a film half seen" at_least "$(said plain 'films half seen')" 1
ok "text, from what was printed or a core file" at_least "$(found plain 'text, as it is')" 1
ok "and there is nothing that the search would not find" none_is careless '^0 '

ok "in the private session they worked as well: small pictures" at_least "$(said private 'thumbnails of Nautilus')" 50
ok "recent files" at_least "$(said private 'recent files')" 1
ok "a film half seen" at_least "$(said private 'films half seen')" 1
is "all was written down" "$(grep -c '^careless' "$tmp/private.said")" 3
is "no core file" "$(said private 'core files')" 0
ok "and nothing of it is on the disk" none_is private '^[1-9]'
finish
