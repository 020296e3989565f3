#!/bin/bash
# What an inspector without a key sees of two hundred bundles.  Every tell is
# first planted and must be found.
. tests/cli/lib.sh

many=200
head -c 64 /dev/urandom >"$tmp/keyfile"
printf 'correct horse battery staple of no use' >"$tmp/pass"
mkdir "$tmp/src" "$tmp/b" "$tmp/control"
seq 1 20000 >"$tmp/src/numbers.txt"
head -c 20000 /dev/urandom >"$tmp/src/clip.mp4"

# The same content every time: what repeats is ours.
pack_all() {
	local i
	for ((i = 0; i < many; i++)); do
		local key=(--key-file "$tmp/keyfile")
		((i % 20)) || key=(--passphrase-file "$tmp/pass" --kdf low)
		"$pack" -q "${key[@]}" --no-verify -o "$tmp/b/$i" "$tmp/src" || return
	done
}

distinguish() { python3 tests/distinguish.py "$@"; }

# A copy of the bundles with something done to each by a line of Python: f is
# the bytes, i the number.
plant() {
	python3 - "$tmp" "$many" "$1" <<'PY'
import os, sys
tmp, many, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for i in range(many):
    f = bytearray(open(f'{tmp}/b/{i}', 'rb').read())
    exec(what)
    open(f'{tmp}/control/{i}', 'wb').write(f)
PY
	distinguish "$tmp"/control/* >"$tmp/found"
}

ok "$many bundles are packed" pack_all
ok "nothing is found" distinguish "$tmp"/b/*

caught() { # WHAT PYTHON REGEX
	plant "$2"
	like "control: $1 would be found" "$(cat "$tmp/found")" "$3"
}
caught "a fixed byte" "f[100] = 7" "fixed: byte 100 of header A"
caught "a fixed byte of header B" "f[-1] = 7" "fixed: byte 16383 of header B"
caught "a bit that is never set, as in a plain X25519 key" "f[47] &= 0x7f" "biased: bit 7 of byte 47"
caught "a block that two bundles share" "f[50000:50016] = b'sixteen  bytes!!'" "repeated: "
caught "a block that the two headers share" "if i == 5: f[-16384:-16368] = f[:16]" "repeated: "
caught "a length in whole pages" "del f[len(f) // 4096 * 4096:]" "lengths: .* multiples of 4096"
caught "one length for all" "del f[150000:]" "lengths: "
caught "content that is not encrypted" "f[40000:42000] = bytes(2000)" "repeated: |uneven: "
finish
