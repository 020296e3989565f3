#!/bin/bash
# A bundle signed with a key of minisign's: who can open it sees whose it is, and
# every byte is checked against what was signed, when it is written and when it is
# read.
. tests/cli/lib.sh

if ! command -v minisign >/dev/null; then
	skip "bundles signed by minisign's keys" "minisign is not installed"
	finish
fi

src=$tmp/src bundle=$tmp/b
mkdir "$src" "$src/books"
head -c 40000000 /dev/urandom >"$src/film.mp4" # more than one block of leaves
head -c 65536 /dev/urandom >"$src/one-leaf.mp4"
head -c 65537 /dev/urandom >"$src/two-leaves.mp4"
head -c 3000 /dev/urandom >"$src/books/short.jpg"
seq 200000 >"$src/books/numbers.txt"
truncate -s 300000 "$src/hole"
head -c 1000 /dev/urandom >>"$src/hole"
: >"$src/empty"
head -c 64 /dev/urandom >"$tmp/key"
with=(--key-file "$tmp/key")

minisign -G -W -p "$tmp/ours.pub" -s "$tmp/ours" >/dev/null
minisign -G -W -p "$tmp/theirs.pub" -s "$tmp/theirs" >/dev/null
ours=$(sed -n 2p "$tmp/ours.pub")

decode() {
	local verb=$1
	shift
	/usr/bin/python3 tests/decode.py "${with[@]}" "$verb" "$@" "$bundle"
}

# The hashes of all files by decode.py, those of the sources.
hashes() {
	decode hash "$@" | jq -r 'select(.sha256) | .sha256 + "  " + .path' | sort
}
expected=$(cd "$tmp" && find src -type f -print0 | xargs -0 sha256sum | sort)

# answering ANSWER... -- COMMAND...: on a terminal of its own, an answer to each
# question; what it showed.
answering() {
	/usr/bin/python3 -c '
import os, pty, sys
answers, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said = since = b""
try:
    while True:
        piece = os.read(terminal, 1024)
        said, since = said + piece, since + piece
        if since.endswith(b": ") and answers:
            os.write(terminal, answers.pop(0).encode() + b"\n")
            since = b""
except OSError:
    print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@"
}

# CODE REGEX ARGUMENT...: one line that matches, and no bundle.
refused() {
	local code=$1 regex=$2
	shift 2
	rm -f "$tmp/new"
	exits "$code" setsid -w "$pack" -o "$tmp/new" "${with[@]}" "$@" "$src" </dev/null &&
		[ "$(wc -l <"$tmp/stderr")" -eq 1 ] && [ ! -e "$tmp/new" ] &&
		grep -Eq "^satchel-pack: .*($regex)" "$tmp/stderr"
}

# --- whose it is ----------------------------------------------------------------

ok "signed with a key without a password" exits 0 setsid -w "$pack" -q "${with[@]}" \
	--sign "$tmp/ours" -o "$bundle" "$src"
is "decode.py finds the publisher" "$(decode info --json | jq -r '.publisher, .flags[]')" \
	"$ours"$'\n'signed
is "and every file as it was" "$(hashes)" "$expected"
is "also if only that publisher will do" "$(hashes --publisher "$ours")" "$expected"
ok "satchel-read says whose it is" grep -qF "${ours:0:20}" <("$read" info "${with[@]}" "$bundle")
ok "it verifies" exits 0 "$read" verify "${with[@]}" --publisher "$tmp/ours.pub" "$bundle"
ok "it comes back" exits 0 "$read" extract -q "${with[@]}" --publisher "$ours" -C "$tmp/got" "$bundle"
ok "unchanged" diff -r "$src" "$tmp/got/src"
ok "pinned to another publisher" exits 1 "$read" ls "${with[@]}" --publisher "$tmp/theirs.pub" "$bundle"
is "nothing is shown" "$(cat "$tmp/stdout")" ''

ok "it has several blocks of leaves" /usr/bin/python3 - "$tmp/key" "$bundle" <<'END'
import sys
sys.path.insert(0, 'tests')
import decode
key = decode.key_file_of(open(sys.argv[1], 'rb').read())
bundle = decode.Bundle([sys.argv[2]], (None, key, []), None, None)
assert bundle.leaves > 512, bundle.leaves
END

ok "without --sign" exits 0 "$pack" -q -f "${with[@]}" -o "$tmp/unsigned" "$src/books"
ok "pinned and unsigned" exits 1 "$read" ls "${with[@]}" --publisher "$ours" "$tmp/unsigned"
is "nothing is shown of it" "$(cat "$tmp/stdout")" ''

for parity in 0 16; do
	ok "with parity $parity on one thread" exits 0 "$pack" -q -f "${with[@]}" --jobs 1 --memory 110M \
		--parity $parity --sign "$tmp/ours" -o "$bundle" "$src"
	is "it is the same" "$(hashes --publisher "$ours")" "$expected"
done
mkdir "$tmp/nothing"
: >"$tmp/nothing/empty"
ok "no content at all" exits 0 "$pack" -q -f "${with[@]}" --sign "$tmp/ours" -o "$bundle" "$tmp/nothing"
is "can be signed" "$(decode info --json | jq -c '[.publisher, .leaves]')" "[\"$ours\",0]"
ok "and verified" exits 0 "$read" verify "${with[@]}" --publisher "$ours" "$bundle"

# --- passwords --------------------------------------------------------------------

word='größer  als 1 '
answering "$word" "$word" -- bash -c 'ulimit -v 40000 && exec minisign "$@"' - \
	-G -p "$tmp/locked.pub" -s "$tmp/locked" >/dev/null
command=("$pack" -q -f "${with[@]}" --sign "$tmp/locked" -o "$bundle" "$src/books")
shown=$(answering "$word" -- "${command[@]}")
is "a password is asked for" "$?" 0
is "once, without an echo" "$(tr -d '\r\n' <<<"$shown")" 'password of the signing key: '
is "and the key signs" "$(decode info --json | jq -r .publisher)" "$(sed -n 2p "$tmp/locked.pub")"
rm "$bundle"
shown=$(answering "${word% }" -- "${command[@]}")
is "another password is wrong" "$?" 1
like "which is said" "$shown" 'locked: wrong password, or the key is damaged'
shown=$(answering '' -- "${command[@]}")
is "so is none" "$?" 1
no "there is no bundle" test -e "$bundle"
ok "without a terminal" refused 1 'locked: there is no terminal to ask .* minisign -C -W' \
	--sign "$tmp/locked"
ok "a dry run asks for none" exits 0 setsid -w "$pack" -n --sign "$tmp/locked" "$src" </dev/null

# --- keys that are none -------------------------------------------------------------

: >"$tmp/empty"
for bad in ours.pub empty key src; do
	[ $bad == src ] && why='Is a directory' || why='not a secret key as minisign'
	ok "$bad is no secret key" refused 1 "$bad: .*($why|not a secret key)" --sign "$tmp/$bad"
done
ok "one that is missing" refused 1 'absent: No such file' --sign "$tmp/absent"
ok "no name" refused 2 '--sign: empty' --sign ''

# --- changed since it was signed ------------------------------------------------------

# The file that is written last changes when writing has begun: something is in the
# directory then.  Where that comes too late, once more.
mkdir "$tmp/out"
head -c 3000000 /dev/urandom >"$src/books/zebra.mp4"
for n in 1 2 3; do head -c 40000000 /dev/urandom >"$src/film$n.mp4"; done
code=0
for ((i = 0; i < 5 && code == 0; i++)); do
	rm -f "$tmp/out/b"
	"$pack" -q "${with[@]}" --sign "$tmp/ours" -o "$tmp/out/b" "$src" \
		>"$tmp/stdout" 2>"$tmp/stderr" </dev/null &
	while [ -z "$(ls -A "$tmp/out")" ] && kill -0 $! 2>/dev/null; do sleep 0.01; done
	kill -STOP $! 2>/dev/null
	printf x | dd of="$src/books/zebra.mp4" bs=1 seek=$i conv=notrunc status=none
	kill -CONT $! 2>/dev/null
	wait $!
	code=$?
done
is "a source that changes before it is written" $code 1
like "is named" "$(cat "$tmp/stderr")" 'books/zebra.mp4: changed while it was being packed; pack again'
is "and nothing is left" "$(ls -A "$tmp/out")" ''

finish
