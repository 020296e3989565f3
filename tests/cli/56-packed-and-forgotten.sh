#!/bin/bash
# Who packs for recipients alone keeps nothing that opens the bundle: when it has its
# name, and the process still runs, no key of it is left in memory, and not the scalars
# behind the ephemeral keys, from which all of them follow.
. tests/cli/lib.sh
. tests/cli/inside.sh

memory() { /usr/bin/python3 tests/random/memory.py "$@"; }
mkdir "$tmp/src" "$tmp/long"
head -c 3M /dev/urandom >"$tmp/src/film.mp4"
head -c 150M /dev/urandom >"$tmp/long/film.mp4"
age-keygen -o "$tmp/identity" 2>/dev/null
recipient=$(age-keygen -y "$tmp/identity")

# Between two bundles: the first is done, of the second there is a file that grows.
"$pack" -q --recipient "$recipient" -o "$tmp/one" -o "$tmp/two" "$tmp/long" &
pid=$!
for ((i = 0; i < 6000; i++)); do
	[ ! -e "$tmp/one" ] || [ -z "$(find "$tmp" -maxdepth 1 -type f ! -name one -size +8M)" ] || break
	sleep 0.01
done
kill -STOP "$pid"
memory dump "$pid" "$tmp/dump"
no "the second is not done" test -e "$tmp/two"
kill -CONT "$pid"
wait "$pid"
is "both are written" $? 0
is "between them, nothing is left of the first" "$(memory find "$tmp/dump" "$tmp/identity" "$tmp/one")" ''
is "control: keys that are in use are found" \
	"$(memory find "$tmp/dump" "$tmp/identity" "$tmp/two" | tr '\n' ,)" 'compartment key,page key,'
rm "$tmp/one" "$tmp/two" "$tmp/dump"

# At the end: it is held where it exits, until we have looked.
held /dev/null "$pack" -q --recipient "$recipient" -o "$tmp/one" "$tmp/src"
wait_for exit_group
memory dump "$pid" "$tmp/dump"
ok "it was still there" test -s "$tmp/dump" -a -e "$tmp/one"
let_go
is "and ended well" $? 0
is "at its end no key is left" "$(memory find "$tmp/dump" "$tmp/identity" "$tmp/one")" ''
is "nor a scalar" "$(memory scalars "$tmp/dump" "$tmp/one" 2>"$tmp/stderr")" ''
sed 's/^/# /' "$tmp/stderr"
memory plant "$tmp/dump" "$tmp/identity" "$tmp/one" "$tmp/planted" "$tmp/other"
is "control: keys would be found" "$(memory find "$tmp/planted" "$tmp/identity" "$tmp/one" | wc -l)" 10
is "control: scalars would be found" "$(memory scalars "$tmp/planted" "$tmp/other" 2>/dev/null | sort | tr '\n' ,)" \
	'ephemeral scalar of header A,ephemeral scalar of header B,'
finish
