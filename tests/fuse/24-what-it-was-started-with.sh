#!/bin/bash
# What a script had open when it mounted is not held open for as long as the mount lasts;
# passphrases and keys come through it all the same.
. tests/fuse/lib.sh

[ -x "$pack" ] || skip_all "satchel-pack is not built"
mkdir "$tmp/tree"
echo something >"$tmp/tree/file"
head -c 64 /dev/urandom >"$tmp/factor"
pack_tree "$tmp/tree" --second-factor "$tmp/factor"

is_free() { flock -n "$tmp/lock" true; }

# The lock is held by the descriptor alone, in whatever process.
exec 9>"$tmp/lock"
flock 9
sleep 60 &
exec 9>&-
no "the control: a process that keeps it holds the lock" is_free
kill $!
wait $! 2>/dev/null
ok "and nobody after it" is_free

key=(--passphrase-fd 7 --key-file /dev/fd/8)
for mode in -f background; do
	exec 7<"$tmp/passphrase" 8<"$tmp/factor" 9>"$tmp/lock"
	flock 9
	if [ "$mode" == -f ]; then
		up -q
	else
		"$mount" -q "${key[@]}" "$bundle" "$mnt"
	fi
	exec 7<&- 8<&- 9>&-
	is "it mounts with what comes through descriptors: $mode" "$(cat "$mnt/tree/file")" something
	ok "and holds none of them" is_free
	if [ "$mode" == -f ]; then down; else "$mount" -u "$mnt"; fi
done

if "$mount" -q "${key[@]}" "$bundle" --run true 7<"$tmp/passphrase" 8<"$tmp/factor" 2>/dev/null; then
	exec 7<"$tmp/passphrase" 8<"$tmp/factor" 9>"$tmp/lock"
	flock 9
	mkfifo "$tmp/go" "$tmp/shows"
	cat "$tmp/shows" >"$tmp/shown" 9>&- &
	"$mount" -q "${key[@]}" "$bundle" --run cat tree/file - <"$tmp/go" >"$tmp/shows" &
	pid=$!
	exec 6>"$tmp/go" 7<&- 8<&- 9>&-
	until [ -s "$tmp/shown" ] || ! kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
	is "so does a private session" "$(cat "$tmp/shown")" something
	ok "and holds none of them" is_free
	exec 6>&-
	wait "$pid"
	is "its exit code" "$?" 0
	pid=''
else
	skip "a private session" "there is none to be had here"
fi
finish
