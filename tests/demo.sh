#!/bin/bash
# make demo: pack a directory, list it, verify it, extract it, mount it, compare.
#
#   demo.sh BUILD [DIR]     DIR: what to pack; the project's own source if none
set -euo pipefail

build=$1
dir=${2:-.}
[ -d "$dir" ] || { echo "demo: $dir is not a directory" >&2; exit 2; }
work=$(mktemp -d)
tidy() {
	mountpoint -q "$work/mnt" && "$build/satchel-mount" -u "$work/mnt"
	rm -rf "$work"
}
trap tidy EXIT

step() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }

# A passphrase for the demonstration only: real ones are asked for on the
# terminal, or made by --generate-passphrase.
(umask 077 && head -c 18 /dev/urandom | base64 > "$work/passphrase")
key=(--passphrase-file "$work/passphrase")

echo "demo: packing $dir"
step "$build/satchel-pack" "${key[@]}" --exclude .git --exclude 'build*' -o "$work/holiday.bin" "$dir/."
step ls -l "$work/holiday.bin"
echo "Its first bytes; all of them look like this:"
head -c 64 "$work/holiday.bin" | od -An -tx1
step "$build/satchel-read" info "${key[@]}" "$work/holiday.bin"
step "$build/satchel-read" ls "${key[@]}" -l "$work/holiday.bin"
step "$build/satchel-read" verify "${key[@]}" "$work/holiday.bin"
mkdir "$work/out"
step "$build/satchel-read" extract "${key[@]}" -C "$work/out" "$work/holiday.bin"
same() { diff -r --no-dereference --exclude=.git --exclude='build*' "$dir" "$1"; }
same "$work/out"

# Where there is no FUSE, as in many containers, the demonstration ends here.
if [ -r /dev/fuse ] && [ -w /dev/fuse ]; then
	mkdir "$work/mnt"
	step "$build/satchel-mount" "${key[@]}" "$work/holiday.bin" "$work/mnt"
	step ls -l "$work/mnt"
	same "$work/mnt"
	step "$build/satchel-mount" -u "$work/mnt"
else
	echo "demo: /dev/fuse cannot be used here, so nothing is mounted" >&2
fi
printf '\ndemo: what was read back is what was packed\n'
