#!/bin/bash
# While a drive tries for seconds to read a sector, whoever wants something else is served,
# and the mount can be ended.
. tests/fuse/lib.sh

! sanitized || skip_all "a sanitizer wants to come first"
${CC:-gcc} -std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Wall -Wextra -O2 -shared -fPIC -o "$tmp/stall.so" \
	tests/preload/stall.c
mkdir -p "$tmp/tree/directory"
head -c 40M /dev/urandom >"$tmp/tree/film"
for ((i = 0; i < 3000; i++)); do : >"$tmp/tree/directory/$i"; done
pack_tree "$tmp/tree/."

stalling() { # AT SECONDS [OPTION...]
	export LD_PRELOAD=$tmp/stall.so STALL_AT=$1 STALL_SECONDS=$2
	up "${@:3}"
	unset LD_PRELOAD STALL_AT STALL_SECONDS
}

timed() { # COMMAND...
	local since
	since=$(now)
	"$@" >"$tmp/said" 2>&1
	local code=$?
	took=$(($(now) - since))
	return $code
}

# So many pieces of 256 KiB are read in the first seconds, then it stalls.
stalling 100 8
(timed cmp "$mnt/film" "$tmp/tree/film" && echo "$took" >"$tmp/reader") &
reader=$!
sleep 1.5
ls -l "$mnt/directory" >"$tmp/said"
ok "while one reader waits" test ! -e "$tmp/reader"
is "another one lists a long directory" "$(wc -l <"$tmp/said")" 3001
wait "$reader"
ok "the first one gets all, late" test "$(cat "$tmp/reader")" -ge 7500
down

stalling 100 30
cat "$mnt/film" >/dev/null 2>&1 &
sleep 1.5
timed "$mount" -u "$mnt"
asked=$? spent=$took
gone
took=$((took + spent))
is "it can be ended, too" "$asked $code" '0 0'
ok "without waiting" within 2000
wait
finish
