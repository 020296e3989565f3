#!/bin/bash
# A signal ends satchel-read at once, whichever C library it was built with.
. tests/cli/lib.sh

head -c 32 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")
head -c 30000000 /dev/urandom >"$tmp/film"
mkfifo "$tmp/pipe"

# stop READER SIGNAL: while it waits for somebody who does not read.
stop() {
	heeding "$1" cat "${key[@]}" "$tmp/bundle" film >"$tmp/pipe" 2>"$tmp/stderr" &
	exec 3<"$tmp/pipe"
	head -c 1 <&3 >/dev/null
	kill -"$2" $!
	exec 3<&- # who is not stopped fails otherwise
	wait $! 2>/dev/null
}

"$pack" -q "${key[@]}" -o "$tmp/bundle" "$tmp/film" || exit 1
for reader in "$read" "$read-musl"; do
	name=${reader##*/}
	if [ ! -x "$reader" ]; then
		skip "$name is stopped" "it is not built: make reader-musl"
		continue
	fi
	for signal in INT TERM HUP QUIT ALRM XCPU USR1 USR2; do
		stop "$reader" $signal
		is "$name, SIG$signal: its exit code" $? $((128 + $(kill -l $signal)))
	done
	is "nothing is said" "$(cat "$tmp/stderr")" ''
done
finish
