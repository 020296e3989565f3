#!/bin/bash
# Stopped at any moment, satchel-pack leaves no bundle under its final name; if
# it has the chance, nothing beside it either.  $ROUNDS: how often each is tried.
. tests/cli/lib.sh

src=$tmp/src
mkdir "$src"
head -c 64M /dev/urandom >"$src/film.mp4"
seq 1 3000000 >"$src/numbers.txt"
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
command=(env --default-signal=INT --default-signal=TERM --default-signal=HUP "$pack" --kdf low --passphrase-file "$tmp/pw")

now() { date +%s%N; }

before=$(now)
ok "undisturbed it takes its time" exits 0 "${command[@]}" -o "$tmp/b" "$src"
took=$(($(now) - before))
size=$(stat -c %s "$tmp/b")
mv "$tmp/b" "$tmp/old"

# Up to as many nanoseconds as it takes.
pause() {
	paused=$((took * (RANDOM + 1) / 32768))
	sleep "$((paused / 1000000000)).$(printf '%09d' $((paused % 1000000000)))"
}

before_stop() { :; }

# Start it, send the signal after a moment, and see how it ends.
stop() { # SIGNAL [ARGUMENT...]
	local pid
	rm -rf "$tmp/out"
	mkdir "$tmp/out"
	before_stop
	"${command[@]}" "${@:2}" -o "$tmp/out/b" "$src" >"$tmp/stdout" 2>"$tmp/stderr" &
	pid=$!
	pause
	kill -s "$1" "$pid" 2>/dev/null
	got=0
	wait "$pid" 2>/dev/null || got=$?
	# Too late: it takes no longer than that, however busy the machine was at first.
	[ "$got" -ne 0 ] || took=$paused
}

# The same where there is a bundle already, to be replaced.
stop_over() {
	before_stop() { cp "$tmp/old" "$tmp/out/b"; }
	stop "$1" --force
	before_stop() { :; }
}

# Complete: it came too late.
is_complete() {
	[ "$got" -eq 0 ] && [ "$(ls -A "$tmp/out")" == b ] &&
		[ "$(stat -c %s "$tmp/out/b")" -gt $((size / 2)) ]
}

# It has its name, and the program was killed before it could say so.
is_whole() { "$read" verify -q --passphrase-file "$tmp/pw" "$tmp/out/b" >/dev/null 2>&1; }

is_stopped() { # CODE
	[ "$got" -eq "$1" ] && [ -z "$(ls -A "$tmp/out")" ]
}

stopped=0
for ((round = 1; round <= ${ROUNDS:-5}; round++)); do
	for row in INT:130 TERM:143 HUP:129; do
		stop "${row%:*}"
		ok "${row%:*}, round $round: nothing or everything" eval "is_stopped ${row#*:} || is_complete"
		[ "$got" -eq 0 ] || stopped=$((stopped + 1))
	done
	stop KILL
	ok "KILL, round $round: no bundle under its name, or all of it" \
		eval '[ "$got" -eq 137 ] && [ ! -e "$tmp/out/b" ] || is_whole'
	stop_over KILL
	ok "KILL, round $round: the old bundle, or all of the new one" \
		eval '[ "$got" -eq 137 ] && cmp -s "$tmp/old" "$tmp/out/b" || is_whole'
done
# A control: they were not all too late.
ok "some of them came in time" test "$stopped" -gt 3

# A moment may be too early, before it listens, or too late.
says() { # TEXT FILE SIGNAL [ARGUMENT...]
	for _ in {1..20}; do
		stop "${@:3}"
		! grep -q "$1" "$tmp/$2" || return 0
	done
	return 1
}
took=$((took / 3))
ok "stopping is said" says 'stopped by signal 15; no unfinished bundle is left' stderr TERM
ok "to whoever reads JSON, too" says '"error"' stdout INT --json
is "to programs as well" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .code]')" '["error",130]'

# in_the_middle COMMAND...: in $pid, it has begun to write, and will for some seconds.
in_the_middle() {
	rm -rf "$tmp/out"
	mkdir "$tmp/out"
	strace -D -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=50000 "$@" 2>/dev/null &
	pid=$!
	for _ in {1..6000}; do
		[ -z "$(ls -A "$tmp/out")" ] || break
		sleep 0.01
	done
}

# Twice, because somebody is impatient.
in_the_middle "${command[@]}" -o "$tmp/out/b" "$src"
kill -INT "$pid"
kill -INT "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
is "twice is once" "$? $(ls -A "$tmp/out")" '130 '

# A FIFO that nobody writes to.
mkfifo "$tmp/fifo"
head -c 64 /dev/urandom >"$tmp/key"
env --default-signal=TERM "$pack" -q --key-file "$tmp/key" --archive "$tmp/fifo" -o "$tmp/out/b" 2>"$tmp/stderr" &
pid=$!
sleep 1
kill -TERM "$pid"
for _ in {1..100}; do
	kill -0 "$pid" 2>/dev/null || break
	sleep 0.1
done
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
is "one is enough where nobody writes to a FIFO" "$? $(ls -A "$tmp/out")" '143 '
(sleep 0.5; tar -C "$src" -c numbers.txt >"$tmp/fifo") &
ok "who writes to it late is waited for" exits 0 "$pack" -q --key-file "$tmp/key" --archive "$tmp/fifo" -o "$tmp/out/b"
is "and taken in" "$("$read" ls --key-file "$tmp/key" "$tmp/out/b")" numbers.txt
rm "$tmp/out/b"

# nohup
in_the_middle env --ignore-signal=HUP "$pack" --kdf low --passphrase-file "$tmp/pw" -o "$tmp/out/b" "$src"
kill -HUP "$pid"
wait "$pid"
is "a signal that is ignored is ignored" "$? $(ls -A "$tmp/out")" '0 b'

# Who reads the JSON lines goes away.
rm "$tmp/out/b"
"$pack" --json --kdf low --passphrase-file "$tmp/pw" -o "$tmp/out/b" "$src" 2>/dev/null | true
is "a pipe that breaks breaks no bundle" "$(ls -A "$tmp/out")" b

finish
