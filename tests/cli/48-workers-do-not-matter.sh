#!/bin/bash
# With the same random numbers, the same bytes: however many workers there are, and
# whether the stage fitted into memory or not.
. tests/cli/lib.sh

if sanitized; then
	skip "the same bytes" "a sanitizer wants to be loaded first"
	finish
fi
fixed=$tmp/fixed_random.so
if ! preload fixed_random -lsodium; then
	skip "the same bytes" "needs a compiler"
	finish
fi
mkdir -p "$tmp/src/many" "$tmp/out"
head -c 5M /dev/urandom >"$tmp/src/film.mp4"
seq 1 2000000 >"$tmp/src/numbers.txt"
for ((i = 0; i < 3000; i++)); do
	printf '%s\n' "$i" "$((i * i))" "$((i * 7919 % 1000))" >"$tmp/src/many/$i.txt"
done
head -c 700K /dev/urandom | base64 >"$tmp/src/unsure"
cp "$tmp/src/film.mp4" "$tmp/src/many/twin.mp4"
head -c 64 /dev/urandom >"$tmp/key"
minisign -G -f -W -p "$tmp/pub" -s "$tmp/sec" >/dev/null

write() { # NAME ARGUMENT...
	LD_PRELOAD=$fixed "$pack" -q -f --key-file "$tmp/key" --sign "$tmp/sec" --size 40M -o "$tmp/out/$1" "${@:2}" "$tmp/src"
}
ok "one worker" write 1 --jobs 1
for jobs in 2 3 8 64; do
	ok "$jobs workers" write "$jobs" --jobs "$jobs"
	ok "write the same bytes" cmp "$tmp/out/1" "$tmp/out/$jobs"
done
ok "on little memory" write little --jobs 8 --memory 101M
ok "they are the same, too" cmp "$tmp/out/1" "$tmp/out/little"
ok "and the bundle is one" exits 0 "$read" verify --publisher "$tmp/pub" --key-file "$tmp/key" "$tmp/out/8"

# A control: without fixed numbers nothing is the same.
fixed='' write other
no "which is not so for other random numbers" cmp -s "$tmp/out/1" "$tmp/out/other"

finish
