#!/bin/bash
# A bundle is mounted on an empty directory, and hides nothing: neither files nor another mount.
. tests/fuse/lib.sh

bundle=$good/links.bundle
key=(-q --passphrase-file "$good/one.passphrase")

refused() { # REGEX
	exits 1 timeout 60 "$mount" "${key[@]}" "$bundle" "$mnt" && [ ! -s "$tmp/stdout" ] &&
		[ "$(wc -l <"$tmp/stderr")" -eq 1 ] && grep -q "^satchel-mount: $mnt: $1" "$tmp/stderr"
}

echo here >"$mnt/.a-file"
ok "not where there are files" refused 'is not empty; name an empty directory'
no "nothing is mounted" is_mounted
is "and they are to be seen" "$(cat "$mnt/.a-file")" here
rm "$mnt/.a-file"
ok "a control: where there are none" up
ok "not where a bundle is" refused 'something is mounted there already; .* -u ends it'
is "of which there is one" "$(grep -cF " $mnt fuse " /proc/self/mounts)" 1
ok "which is still there" cat "$mnt/again"
down
is "and ends" "$code" 0
rmdir "$mnt"
ok "not where nothing is" refused 'No such file or directory'
echo here >"$mnt"
ok "not on a file" refused 'Not a directory'
rm "$mnt"
mkdir "$mnt"
for word in --passphrase=secret --pass=secret --passwd=secret -psecret; do
	ok "$word: no passphrase on the command line" exits 2 "$mount" "$word" "$bundle" "$mnt"
	ok "which is said" grep -q 'seen by everybody' "$tmp/stderr"
	no "and not repeated" grep -q secret "$tmp/stderr"
done
ok "--idle in whole minutes" exits 2 "$mount" --idle 1.5 "$bundle" "$mnt"
ok "in words" grep -q -- 'whole minutes, from 1 on, are wanted: --idle 1.5' "$tmp/stderr"

finish
