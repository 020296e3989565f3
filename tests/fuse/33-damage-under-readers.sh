#!/bin/bash
# A damaged bundle, and one on a medium that cannot be read here and there, are mounted
# and read by several at once: what can be repaired is as it was packed; of what cannot,
# just the lost bytes are EIO, and each file they are of is named once.
. tests/fuse/lib.sh

! sanitized || skip_all "a sanitizer wants to come first"
preload bad || exit 1
mkdir "$tmp/src"
head -c 64 /dev/urandom >"$tmp/key"
for ((i = 10; i < 26; i++)); do
	head -c $((70000 + i)) /dev/urandom >"$tmp/src/$i.jpg"
	seq "$i" $((i + 300)) >"$tmp/src/$i.txt"
done
seq 1 50000 >"$tmp/src/numbers.txt"
"$pack" -q --key-file "$tmp/key" --parity 2 -o "$tmp/whole" "$tmp/src/." || exit 1
key=(-q --key-file "$tmp/key")
lost() { /usr/bin/python3 -B tests/fuse/lost.py "$@"; }

# reads SORT [OPTION]: $bundle, which is $tmp/hurt, or whole on a medium like that.  The
# kernel asks for whole pages where it may keep them.
reads() {
	local named unit=$(($# > 1 ? 4096 : 1))
	up "${@:2}" || { cat "$tmp/stderr"; return 1; }
	lost look "$unit" "$tmp/key" "$tmp/hurt" "$tmp/src" "$mnt" >"$tmp/lost" || { down; return 1; }
	down
	cat "$tmp/stderr"
	echo "exit code $code; lost are: $(paste -sd' ' "$tmp/lost")"
	named=$(sed -n 's/^satchel-mount: inode \([0-9]*\): damaged beyond repair$/\1/p' "$tmp/stderr" | LC_ALL=C sort)
	[ "$named" == "$(cat "$tmp/lost")" ] && [ "$(wc -l <"$tmp/stderr")" -eq "$(grep -c . "$tmp/lost")" ] || return
	case $1 in
	mended) [ -z "$named" ] && [ "$code" -eq 5 ] ;;
	*) [ "$(wc -l <"$tmp/lost")" -gt 2 ] && [ "$code" -eq 4 ] ;;
	esac
}

on_bad_medium() {
	LD_PRELOAD=$tmp/bad.so BAD_FILE=$bundle BAD_AT=$where "$@"
}
# shellcheck disable=SC2016  # Python
everywhere='import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
for at in range(0, os.fstat(fd).st_size, 512): os.pread(fd, 512, at)'

for mode in '' --cache; do
	for sort in zeroed swapped; do
		lost hurt $sort "$tmp/key" "$tmp/whole" "$tmp/hurt" >/dev/null
		bundle=$tmp/hurt
		ok "$sort: ${mode:-private}" reads $sort $mode
	done
	for sort in mended zeroed; do
		where=$(lost hurt $sort "$tmp/key" "$tmp/whole" "$tmp/hurt")
		bundle=$tmp/whole
		no "a control: it cannot be read" on_bad_medium /usr/bin/python3 -c "$everywhere" "$bundle"
		export LD_PRELOAD=$tmp/bad.so BAD_FILE=$bundle BAD_AT=$where
		ok "$sort, as it cannot be read there: ${mode:-private}" reads $sort $mode
		unset LD_PRELOAD BAD_FILE BAD_AT
	done
done
ok "a control: all of it can" /usr/bin/python3 -c "$everywhere" "$bundle"

# Whoever should read the messages does not for some time: nobody waits for that, and then each
# file is told of once.
lost hurt zeroed "$tmp/key" "$tmp/whole" "$tmp/hurt" >/dev/null
bundle=$tmp/hurt
rm "$tmp/stderr"
mkfifo "$tmp/stderr"
exec 7<>"$tmp/stderr"
fill() { dd if=/dev/zero of="$tmp/stderr" bs=4096 count=1000 oflag=nonblock 2>/dev/null; }
drain() { timeout "$1" cat <&7 | tr -d '\0' >>"$tmp/said"; }
# shellcheck disable=SC2317  # called by ok
asks() { timeout 20 cat "$mnt"/* >/dev/null; [ $? -eq 1 ]; }
: >"$tmp/said"
up -v
fill
ok "nobody reads the messages: files are read" asks
sleep 1.5
ok "still" asks
drain 3
files=$(wc -l <"$tmp/said")
ok "then they come, with names: $files" test "$files" -gt 2 -a "$(grep -c '^satchel-mount: [0-9a-z]*\.[a-z]*: damaged' "$tmp/said")" -eq "$files"
ok "reading once more" asks
fill
kill -TERM "$pid"
gone
is "nobody reads again: it ends" "$code" 143
ok "within a second" within 1000
drain 1
is "and nothing was told twice" "$(sort "$tmp/said" | uniq -d)$(wc -l <"$tmp/said")" "$files"
exec 7<&-
rm "$tmp/stderr"

# Controls: a byte that is another, and an error too many or too few.
rm -rf "$mnt"
mnt=$tmp/plain
cp -r "$tmp/src" "$mnt"
no "a control: what should be lost can be read" lost look 1 "$tmp/key" "$tmp/hurt" "$tmp/src" "$mnt"
lost hurt mended "$tmp/key" "$tmp/whole" "$tmp/hurt" >/dev/null
ok "all can be read" lost look 1 "$tmp/key" "$tmp/hurt" "$tmp/src" "$mnt"
printf 'not by chance' | dd of="$mnt/20.jpg" bs=1 seek=50000 conv=notrunc status=none
no "a byte is another" lost look 1 "$tmp/key" "$tmp/hurt" "$tmp/src" "$mnt"
finish
