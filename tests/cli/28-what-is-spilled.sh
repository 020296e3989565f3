#!/bin/bash
# What an archive holds goes to no disk unencrypted; where the encrypted temporary
# file may be, and what is said when it fails.
. tests/cli/lib.sh

chmod 755 "$tmp"
head -c 32 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")
canary=PLANTED-CANARY-4d1f
mkdir "$tmp/src" "$tmp/spill"
mkdir -m 777 "$tmp/out"
yes "$canary in a text" | head -c 20000000 >"$tmp/src/text.txt"
(
	printf '\0\0\0\040ftypisom'
	for _ in {1..300}; do
		printf '%s' "$canary"
		head -c 60000 /dev/urandom
	done
) >"$tmp/src/film.mp4"
ln -s "$canary" "$tmp/src/link"
tar -C "$tmp/src" -cf "$tmp/a.tar" .
bsdtar --format=zip -C "$tmp/src" -cf "$tmp/a.zip" .

# writes COMMAND...: how often the canary is in what it and its threads write.
# LeakSanitizer cannot look at what is traced.
writes() {
	strace -f -qq -e trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,mmap,msync,copy_file_range,sendfile,splice,vmsplice \
		-s 1200000 -o "$tmp/trace" "$@" >"$tmp/stdout" 2>"$tmp/stderr"
	echo "exit $?" >>"$tmp/ended"
	grep -c "$canary" "$tmp/trace"
}
ok "the control: a copy shows what is written" test "$(writes dd if="$tmp/src/film.mp4" of="$tmp/copy" bs=1M)" -gt 10
for a in tar zip; do
	is "of a $a in a pipe nothing is written in the clear" "$(writes "$pack" -q -f "${key[@]}" \
		--memory 101M --spill "$tmp/spill" -o "$tmp/out/b" --archive - < <(cat "$tmp/a.$a"))" 0
	ok "though much is spilled" test "$(grep -c '^[0-9]* *pwrite64' "$tmp/trace")" -gt 100
	is "and nothing is mapped to be written" \
		"$(grep -E 'mmap\(.*PROT_WRITE.*MAP_SHARED, [0-9]' "$tmp/trace")" ''
	is "and it is whole" "$("$read" cat "${key[@]}" "$tmp/out/b" film.mp4 | sha256sum)" \
		"$(sha256sum <"$tmp/src/film.mp4")"
done
is "nothing is left where it was spilled" "$(ls -A "$tmp/spill")" ''
is "nothing failed" "$(sort -u "$tmp/ended")" 'exit 0'

# --- where ------------------------------------------------------------------------

if ! unshare -rm true 2>/dev/null; then
	skip "places to spill to" "needs user namespaces"
	finish
fi
mkdir "$tmp/mount" "$tmp/lower"

# on SCRIPT: with something mounted on $tmp/mount.
on() {
	# shellcheck disable=SC2016  # for the shell in there
	pack=$pack tmp=$tmp unshare -rm bash -c "$1"
}
drive='mount -t tmpfs tmpfs $tmp/lower && mkdir $tmp/lower/{a,b,c} &&
	mount -t overlay -o lowerdir=$tmp/lower/a,upperdir=$tmp/lower/b,workdir=$tmp/lower/c \
		overlay $tmp/mount || exit 99
	'
on "$drive" 2>/dev/null
if [ $? -eq 99 ]; then
	skip "a spill on a drive" "needs overlays in namespaces"
else
	ok "a drive that a bundle goes to is no place for it" exits 1 on "$drive"'
		"$pack" --key-file "$tmp/key" --spill "$tmp/mount" -o "$tmp/mount/b" "$tmp/src"'
	like "that is said" "$(cat "$tmp/stderr")" \
		"$tmp/mount: --spill: is on a drive that a bundle goes to; name a directory on this machine's own disk"
	ok "nor if TMPDIR says so" exits 1 on "$drive"'
		TMPDIR=$tmp/mount "$pack" --key-file "$tmp/key" -o "$tmp/mount/b" "$tmp/src"'
	ok "another drive is one" exits 0 on "$drive"'
		"$pack" -q --key-file "$tmp/key" --spill "$tmp/mount" -o "$tmp/out/b2" "$tmp/src"'
fi
nobody=()
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if "${nobody[@]}" "$pack" --version >/dev/null 2>&1; then
	ok "a place that cannot be written to" exits 1 "${nobody[@]}" \
		"$pack" --allow-unlocked "${key[@]}" --spill /usr -o "$tmp/out/b3" "$tmp/absent"
	like "is known before anything is read" "$(cat "$tmp/stderr")" '/usr: --spill: (Permission denied|Read-only)'
else
	skip "a place that cannot be written to" "nobody cannot run the program from here"
fi

# --- full --------------------------------------------------------------------------

small='mount -t tmpfs -o size=2m tmpfs $tmp/mount || exit 99
	'
for what in "--archive '$tmp/a.tar'" "--archive '$tmp/a.zip'" "--archive - <'$tmp/a.zip'"; do
	ok "full, with $what" exits 1 on "$small"'
		"$pack" --memory 101M --key-file "$tmp/key" --spill "$tmp/mount" -o "$tmp/out/b4" '"$what"
	is "it is named, with what to do" "$(tail -n 1 "$tmp/stderr")" \
		"satchel-pack: $tmp/mount: No space left on device; the encrypted temporary file is there: make room, or name another directory with --spill"
done
head -c 30M /dev/urandom | base64 >"$tmp/src/numbers"
ok "full, with a directory" exits 1 on "$small"'
	"$pack" --json --memory 101M --key-file "$tmp/key" --spill "$tmp/mount" -o "$tmp/out/b4" "$tmp/src"'
like "is named" "$(tail -n 1 "$tmp/stderr")" "$tmp/mount: No space left on device; the encrypted temporary file"
like "in JSON, too" "$(tail -n 1 "$tmp/stdout")" "$tmp/mount: No space left on device; the encrypted temporary file"
no "no bundle is made" ls "$tmp"/out/b4

finish
