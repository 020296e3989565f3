#!/bin/bash
# A slot belongs to one key, one number, one salt and one E.  With Poly1305 for a tag
# it would not: a slot that two keys open is crafted, libsodium opens it under both,
# and in a bundle it is nothing.
. tests/cli/lib.sh
export PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1

mkdir "$tmp/src"
echo 'something' >"$tmp/src/file"
for key in own one two; do head -c 64 /dev/urandom >"$tmp/$key"; done
ok "packed" "$pack" -q --no-verify --key-file "$tmp/own" --parity 0 -o "$tmp/bundle" "$tmp/src"

craft() { exits 0 /usr/bin/python3 tests/random/two_keys.py "$@"; }
opens() { exits 0 "$read" ls -q --key-file "$1" "$2" && exits 0 tests/decode.py --key-file "$1" ls "$2"; }
stays_closed() {
	exits 12 "$read" ls -q --key-file "$1" "$2" && [ ! -s "$tmp/stdout" ] &&
		exits 12 tests/decode.py --key-file "$1" ls "$2" && [ ! -s "$tmp/stdout" ]
}

# In the place of every slot but its own, and so in whichever a reader tries first.
crafted=0 sure=0 own=0
for ((i = 0; i < 32; i += 5)); do
	craft "$tmp/one" "$tmp/two" $i "$tmp/bundle" "$tmp/forged" && crafted=$((crafted + 1))
	[ "$(grep -cx 'libsodium opens it under both keys' "$tmp/stdout")" -eq 2 ] && sure=$((sure + 1))
	stays_closed "$tmp/one" "$tmp/forged" && stays_closed "$tmp/two" "$tmp/forged" && own=$((own + 1))
done >"$tmp/.said" 2>&1
is "seven slots are crafted" $crafted 7
is "control: each opens under two keys, with Poly1305, in both headers" $sure 7
is "ours opens under neither" $own 7

for what in nothing index header salt e; do
	ok "moved: $what" craft --move $what "$tmp/own" "$tmp/bundle" "$tmp/moved"
	if [ $what == nothing ]; then
		ok "control: it opens" opens "$tmp/own" "$tmp/moved"
	else
		ok "does not open" stays_closed "$tmp/own" "$tmp/moved"
	fi
done
finish
