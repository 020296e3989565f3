#!/bin/bash
# While a drive tries for seconds to read a sector, whoever wants something else is served,
# and the mount can be ended.
. tests/fuse/lib.sh

! sanitized || skip_all "a sanitizer wants to come first"
preload stall || exit 1
mkdir -p "$tmp/tree/directory"
head -c 40M /dev/urandom >"$tmp/tree/film"
for ((i = 0; i < 3000; i++)); do : >"$tmp/tree/directory/$i"; done
pack_tree "$tmp/tree/."

stalling() { # AT COUNT MILLISECONDS [OPTION...]
	export LD_PRELOAD=$tmp/stall.so STALL_AT=$1 STALL_COUNT=$2 STALL_MS=$3
	up -q "${@:4}"
	unset LD_PRELOAD STALL_AT STALL_COUNT STALL_MS
}

timed() { # COMMAND...
	local since
	since=$(now)
	"$@" >"$tmp/said" 2>&1
	local code=$?
	took=$(($(now) - since))
	return $code
}

can_be_ended() { # WHAT
	timed timeout 5 "$mount" -u "$mnt"
	local asked=$? spent=$took
	gone
	took=$((took + spent))
	is "$1" "$asked $code" '0 0'
	ok "$1: without waiting" within 2000
}

# So many pieces of 256 KiB are read in the first seconds, then it stalls.
stalling 100 2 8000
(timed cmp "$mnt/film" "$tmp/tree/film" && echo "$took" >"$tmp/reader") &
reader=$!
sleep 1.5
ls -l "$mnt/directory" >"$tmp/said"
ok "while one reader waits" test ! -e "$tmp/reader"
is "another one lists a long directory" "$(wc -l <"$tmp/said")" 3001
wait "$reader"
ok "the first one gets all, late" test "$(cat "$tmp/reader")" -ge 7500
down

# At the end the drive gives what it was asked for (a signal wakes it), and the keys are gone: that
# is no damage.
stalling 100 2 30000
cat "$mnt/film" >/dev/null 2>&1 &
sleep 1.5
can_be_ended "it can be ended, too"
wait

# Names are what the last of those who serve wait for: nobody answers any more.
STALL_LEAST=8192 stalling 60 1000 30000
cat "$mnt/film" >/dev/null 2>&1 &
sleep 1.5
nobody_answers() {
	local try name
	for try in {1..10}; do
		for name in {0..2700..300}; do ls "$mnt/directory/$((name + try * 20))" >/dev/null 2>&1 & done
		timeout 1 stat -f "$mnt" >/dev/null || return 0
	done
	return 1
}
# Whether the last one comes to read is for chance to say.
if nobody_answers; then
	can_be_ended "where nobody answers it can be ended all the same"
else
	skip "where nobody answers it can be ended all the same" "somebody answers"
	kill -TERM "$pid"
	gone
fi
wait

# The kernel reads ahead for the page cache, several requests at a time: not with every worker.
stalling 20 20 30000 --cache
cat "$mnt/film" >/dev/null 2>&1 &
sleep 1.5
timed timeout 5 ls -l "$mnt/directory"
is "with --cache a long directory is listed" "$? $(wc -l <"$tmp/said")" '0 3001'
can_be_ended "and it can be ended"
wait

# The drive begins to try just before the end, and goes on for longer than that: the kernel asks
# for the page once more, and nobody but whoever refuses is left to answer.
for at in 1 2 20 60; do
	STALL_END=20 stalling "$at" 1000 4000 --cache
	cat "$mnt/film" >/dev/null 2>&1 &
	gone
	ok "an end just after the drive begins to try, at $at" within 2500
	is "and the signal is told" "$code" 143
	no "and nothing is mounted" is_mounted
	wait
done

# Where all reads take long, whoever reads in order waits for what is being decoded ahead, 256 KiB
# at a time; not for what it reads itself.  One page in the middle is lost, of 16 KiB: it costs
# whoever asks for 64 KiB one of them, or two.
"$pack" -q -f --kdf low --no-verify --parity 0 --passphrase-file "$tmp/passphrase" -o "$bundle" "$tmp/tree/."
mapfile -t pages < <(tests/where.py data --passphrase-file "$tmp/passphrase" "$bundle")
overwrite "$bundle" 16384 "${pages[$((${#pages[@]} / 2))]}"
lost_blocks() {
	/usr/bin/python3 - "$mnt/film" "$tmp/tree/film" <<-'END'
		import os, sys
		film, source = (os.open(path, os.O_RDONLY) for path in sys.argv[1:])
		lost = wrong = 0
		for at in range(0, 40 << 20, 65536):
		    try:
		        wrong += os.pread(film, 65536, at) != os.pread(source, 65536, at)
		    except OSError:
		        lost += 1
		print(lost, wrong)
	END
}
for round in 1 2 3; do
	stalling 1 1000 10
	like "a lost page costs no more than who asks for it, $round" "$(lost_blocks)" '^[12] 0$'
	down
done
finish
