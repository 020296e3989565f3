#!/bin/bash
# A stick that is pulled out while mpv plays from it, in a machine of its own with
# Debian's kernel: the view is gone, the keys are wiped and the mount is detached within
# a second, and the stick is what it was.  Not part of "make check": it emulates.
#
#   ROUNDS=N   how often it is pulled (100)
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

: "${ROUNDS:=100}"

# --- what is in it -----------------------------------------------------------------

make_stick() {
	head -c 64 /dev/urandom >"$tmp/key"
	mkdir "$tmp/tree"
	# Some 140 KB for each second, for two minutes.
	ffmpeg -v error -f lavfi -i testsrc=size=160x120:rate=5 -t 120 -c:v rawvideo -pix_fmt yuv420p "$tmp/tree/film.avi" &&
		"$pack" -q --no-verify --key-file "$tmp/key" -o "$tmp/bundle" "$tmp/tree/." &&
		truncate -s 40M "$tmp/stick" &&
		/sbin/mkfs.vfat -n STICK "$tmp/stick" >/dev/null && mcopy -i "$tmp/stick" "$tmp/bundle" ::bundle &&
		/usr/bin/python3 -B tests/search.py keys "$tmp/bundle" key-file="$tmp/key" |
		grep -v ^key-file >"$tmp/wanted"
}

ok "a stick" make_stick
make_root
add_program "$(command -v socat)"
cp "$tmp/key" "$root"
make_initrd
# mpv wants many libraries: it sees those that are here.
ok "a machine" start 448 -virtfs local,path=/usr,mount_tag=usr,security_model=none,readonly=on

# What no day has touched yet: reading it in the ordinary way would be written down.
ok "some days later" guest 'date -s "$(date -d @$(($(date +%s) + 864000)) +%Y-%m-%d\ %H:%M:%S)"'
ok "this machine's libraries" guest 'mount -t 9p -o ro,trans=virtio,cache=loose,msize=512000 usr /host && paths=$(cd /host/lib/x86_64-linux-gnu && echo $PWD:$PWD/blas:$PWD/lapack:$PWD/pulseaudio)'

# --- one mpv for each user, who alone sees what was mounted -----------------------------

mpv='env LD_LIBRARY_PATH=$paths HOME=/home /host/bin/mpv --no-config --load-scripts=no --osc=no --ytdl=no'
mpv+=' --load-stats-overlay=no --load-osd-console=no --load-auto-profiles=no --idle --vo=null --no-audio --cache=no'
mpv+=' --demuxer-max-bytes=64KiB --no-terminal'
player() { # WHO
	guest "as_$1 $mpv --input-ipc-server=/tmp/mpv-$1 & until [ -S /tmp/mpv-$1 ]; do sleep 0.5; kill -0 \$! || break; done; kill -0 \$!"
}
tell() { guest "echo '{\"command\":[$2]}' | socat -t 20 - UNIX-CONNECT:/tmp/mpv-$1 && echo"; } # WHO WHAT

has_frames() { tell "$1" '"get_property","estimated-frame-number"' >/dev/null && has_said '"data":[1-9]'; }
plays() { # WHO
	tell "$1" '"loadfile","/m/film.avi"' && within_seconds "$PATIENCE" has_frames "$1" && return
	new_lines
	return 1
}
is_idle() { tell "$1" '"get_property","idle-active"' >/dev/null && has_said '"data":true'; }

for who in root user; do ok "mpv, as $who" player $who; done

# --- rounds -------------------------------------------------------------------------

of_stick() { sha256sum <"$tmp/stick"; }
is_same() { [ "$(of_stick)" == "$1" ]; }

plug_both() {
	plug_in "$tmp/stick"
	guest "plug ${1-rw},strictatime,uid=1000,gid=1000 && sync"
}

into_reader() { guest 'umount /stick' && pull_out && guest unplugged && plug_both ro; }

# As soon as the mount is gone its processes are stopped, for as long as keys are searched.
round() { # WHO READER [OPTION...]; what is pulled: $out
	local before
	before=$(of_stick)
	guest "up $1 --key-file /key ${*:3}" && "$2" "$1" && guest sync || return
	guest_begin "pulled $out"
	if [ "$out" ]; then take_card; else pull_out; fi
	within_seconds "$PATIENCE" has_said '^gone after' || { new_lines; return 1; }
	find_in_memory "$tmp/wanted"
	guest_hears $'\n'
	guest_end || return
	took=$(said 'gone after \([0-9]*\) ms')
	code=$(said 'exit code \(.*\)')
	all_took="$all_took $took"
	[ "$(awk '{ n += $2 } END { print n }' "$tmp/found")" == 0 ] || keys_left=$((keys_left + 1))
	is_same "$before" || changed=$((changed + 1))
	guest 'ls /m/film.avi' && return 1
	[ -z "$out" ] || { pull_out && guest unplugged; } # the empty reader
	within_seconds "$PATIENCE" is_idle "$1" && plug_both ${out:+ro} && [ "$code" -eq 10 ] && at_most "$took" 1000
}

ok "a stick in it" plug_both
before=$(of_stick)
ok "the controls: mount" guest 'up user --key-file /key'
ok "mpv plays" plays user
find_in_memory "$tmp/wanted"
for name in ck page-key; do
	ok "while it is mounted it is there to be found: $name" at_least "$(found $name)" 1
done
no "and mpv is not idle" is_idle user
ok "-u, by the user" guest '(as_user satchel-mount -u /m) && ended 0 && sync'
ok "what was mounted and read is what it was" is_same "$before"
ok "read in the ordinary way" guest 'cat /stick/bundle >/dev/null && sync'
no "it is no longer" is_same "$before"

keys_left=0 changed=0 all_took='' out=''
ok "pulled while nobody reads" round user true
for ((i = 1; i <= ROUNDS; i++)); do
	case $((i % 5)) in
	1 | 3) ok "pulled while mpv plays, $i" round user plays ;;
	2) ok "pulled while mpv plays, --cache, $i" round user plays --cache ;;
	4) ok "pulled while root's mpv plays, $i" round root plays ;;
	0) ok "pulled while root's mpv plays, --cache, $i" round root plays --cache ;;
	esac
	echo "# gone after ${all_took##* } ms"
done
# (Read-only, as we look whether it is there by reading a file.)
out=card
ok "the stick again, now a card in its reader" into_reader
for ((i = 1; i <= (ROUNDS + 9) / 10; i++)); do
	ok "a card taken out of its reader while nobody reads, $i" round user true
	ok "a card taken out while mpv plays, $i" round user plays
	ok "a card taken out while mpv plays, --cache, $i" round root plays --cache
	echo "# gone after ${all_took##* } ms"
done
tr ' ' '\n' <<<"${all_took# }" | sort -n |
	awk '{ t[NR] = $1 } END { print "# from the disconnect to the end of the mount, ms: median " t[int((NR + 1) / 2)] ", longest " t[NR] ", of " NR }'
is "rounds after which a key was left" "$keys_left" 0
is "rounds after which the stick was not what it was" "$changed" 0
stop
finish
