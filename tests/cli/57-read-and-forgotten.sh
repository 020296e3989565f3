#!/bin/bash
# Who reads keeps nothing that opens the bundle, nor what was read: when satchel-read has done its
# work, or was interrupted, and the process still runs, none of it is left in its memory.  That it
# is found there before shows that it would be found.
. tests/cli/lib.sh
. tests/cli/inside.sh

text=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
for ((i = 0; i < 100000; i++)); do echo "$i $text"; done >"$tmp/text"
printf 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"
head -c 64 /dev/urandom >"$tmp/key-file"
age-keygen -o "$tmp/identity" 2>/dev/null
"$pack" -q --kdf low --passphrase-file "$tmp/passphrase" --key-file "$tmp/key-file" \
	--recipient "$(age-keygen -y "$tmp/identity")" -o "$tmp/bundle" "$tmp/text" || exit 1
mkfifo "$tmp/pipe"

in_memory() { # PID: which of the secrets
	rm -f "$tmp/dump"
	/usr/bin/python3 tests/random/memory.py dump "$1" "$tmp/dump"
	/usr/bin/python3 tests/search.py find "$tmp/dump" "$tmp/wanted" | awk '$2 > 0 { print $1 }' | paste -sd' '
}

for kind in passphrase key-file identity; do
	option=--$kind
	[ $kind != passphrase ] || option=--passphrase-file
	/usr/bin/python3 tests/search.py keys "$tmp/bundle" "$kind=$tmp/$kind" >"$tmp/wanted"
	like "$kind: there are such keys" "$(cut -d' ' -f1 "$tmp/wanted" | paste -sd' ')" "$kind .*ck page-key"
	echo "text $(printf '%s' "$text" | od -An -v -tx1 | tr -d ' \n')" >>"$tmp/wanted"

	# It waits for somebody who does not read.
	held "$tmp/pipe" "$read" cat -q "$option" "$tmp/$kind" "$tmp/bundle" text
	exec 3<"$tmp/pipe"
	head -c 1 <&3 >/dev/null
	like "$kind: while it reads, keys are there" "$(in_memory "$pid")" 'ck page-key text'
	kill -INT "$pid"
	ok "$kind: interrupted, it ends itself" wait_for tgkill
	is "$kind: with nothing of it left" "$(in_memory "$pid")" ''
	let_go
	is "$kind: and by the signal" $? 130
	ok "$kind: whose memory was looked at" test -s "$tmp/dump"
	exec 3<&-

	held "$tmp/got" "$read" cat -q "$option" "$tmp/$kind" "$tmp/bundle" text
	ok "$kind: it ends" wait_for exit_group
	is "$kind: at its end nothing is left" "$(in_memory "$pid")" ''
	ok "$kind: of a process that was there" test -s "$tmp/dump"
	ok "$kind: and has read all" cmp "$tmp/got" "$tmp/text"
	let_go
	is "$kind: and well" $? 0
done
finish
