#!/bin/bash
# A signal ends satchel-read at once, whichever C library it was built with, and what it had
# begun to extract is taken away.
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

# stop_extracting SIGNAL: when some of the film is there; $left: how many files there are then.
stop_extracting() {
	local pid
	rm -rf "$tmp/got"
	strace -D -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=50000 \
		env --default-signal "$read" extract -q "${key[@]}" -C "$tmp/got" "$tmp/bundle" 2>"$tmp/stderr" &
	pid=$!
	for _ in {1..3000}; do
		[ -z "$(find "$tmp/got" -type f -size +100k 2>/dev/null)" ] || break
		sleep 0.01
	done
	kill -"$1" "$pid"
	wait "$pid" 2>/dev/null
	code=$?
	left=$(find "$tmp/got" -type f | wc -l)
}
if sanitized || ! strace -qq -e trace=none true 2>/dev/null; then
	skip "what is left of an extraction" "strace cannot trace here"
else
	stop_extracting KILL
	is "the control: who is killed leaves a part" "$code $left" '137 1'
	for signal in INT TERM HUP QUIT ALRM XCPU USR1 USR2; do
		stop_extracting $signal
		is "SIG$signal, extracting: its exit code, and no file is left" "$code $left" \
			"$((128 + $(kill -l $signal))) 0"
	done
fi
finish
