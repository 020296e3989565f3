# shellcheck shell=bash disable=SC2034  # what is set here is for the scripts
# For the scripts in this directory: tests/cli/lib.sh, and mounts.
#
#   up [OPTION...]        mount $bundle with ${key[@]} at $mnt, in the foreground of a
#                         job; $pid is its supervisor, $server the serving process
#   down                  satchel-mount -u, and the exit code in $code
#   gone                  wait until the job has ended by itself; $code, and $took
#                         in milliseconds
#   is_mounted            is anything at $mnt?
#   within MS             for ok: $took is not more (thrice, of a sanitizer's build or on a shared machine)
#   pack_tree DIR         pack DIR as $tmp/bundle; sets bundle and key
#   key_and_bundle CASE   what encode.py --unfold wrote: sets key, bundle, wanted; the
#                         bundle is copied, away from other volumes of its set
#   ask COMMAND...        run without a terminal
#   skip_all WHY          end here: nothing can be tested
#
# A script that finds no FUSE here, or no right to mount, is skipped as a whole, but not where
# CI is set: nobody would notice.
. tests/cli/lib.sh

skip_all() { # WHY
	echo "1..0 # SKIP $1"
	exit 0
}
no_mounts() { # WHY
	[ -z "${CI-}" ] || { echo "Bail out! $1"; exit 1; }
	skip_all "$1"
}

mnt=$tmp/mnt
mkdir "$mnt"
good=tests/data/good
FUSE=65735546 # as stat -f calls its type
key=() bundle='' wanted=0 pid='' server='' code=0 took=0

if [ "$(id -u)" -eq 0 ] && [ -e /dev/fuse ]; then chmod 666 /dev/fuse 2>/dev/null; fi
{ : <>/dev/fuse; } 2>/dev/null || no_mounts "there is no /dev/fuse to be had"
if [ "$(id -u)" -eq 0 ]; then
	unshare -m true 2>/dev/null || no_mounts "this root may not mount"
else
	command -v fusermount3 >/dev/null || no_mounts "there is no fusermount3"
fi

is_mounted() {
	grep -qF " $mnt fuse " /proc/self/mounts
}

on_exit() {
	[ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null
	while is_mounted; do umount -l "$mnt" 2>/dev/null || fusermount3 -u -z "$mnt" || break; done
	more_on_exit
}
more_on_exit() { :; }

now() {
	echo $(($(date +%s%N) / 1000000))
}

up() {
	"$mount" -f "${key[@]}" "$@" "$bundle" "$mnt" 2>"$tmp/stderr" &
	pid=$!
	local waited=0
	# One question: what died is mounted too and does not answer, and is taken away before
	# the new one comes.
	while [ "$(stat -f -c %t "$mnt" 2>/dev/null)" != "$FUSE" ]; do
		kill -0 "$pid" 2>/dev/null && [ $((waited += 1)) -lt 1000 ] || return 1
		sleep 0.02
	done
	server=$(cat "/proc/$pid/task/$pid/children")
	server=${server%% *}
}

down() {
	"$mount" -u "$mnt"
	gone
}

gone() {
	local since waited=0
	since=$(now)
	while kill -0 "$pid" 2>/dev/null && [ $((waited += 1)) -lt 1000 ]; do sleep 0.02; done
	took=$(($(now) - since))
	kill -KILL "$pid" 2>/dev/null && echo "it did not end"
	code=0
	wait "$pid" || code=$?
	pid=''
	! is_mounted
}

key_and_bundle() {
	local word value
	key=() bundle='' wanted=0
	rm -rf "$tmp/here"
	mkdir "$tmp/here"
	while read -r word value; do
		case $word in
		bundle)
			cp "$value" "$tmp/here"
			value=$tmp/here/${value##*/}
			if [ "$bundle" ]; then key+=(--volume "$value"); else bundle=$value; fi
			;;
		status) wanted=$value ;;
		*) key+=("--$word" "$value") ;;
		esac
	done <"$1"
}

within() {
	local most=$1
	# A machine that others use as well may not let us run for a while.
	[ -z "${CI-}" ] && ! sanitized || most=$((3 * most))
	echo "took $took ms"
	[ "$took" -le "$most" ]
}

pack_tree() {
	echo "a passphrase" >"$tmp/passphrase"
	key=(-q --passphrase-file "$tmp/passphrase")
	bundle=$tmp/bundle
	"$pack" -q -f --kdf low --no-verify --passphrase-file "$tmp/passphrase" -o "$bundle" "${@:2}" "$1"
}

ask() {
	setsid -w "$@" </dev/null
}
