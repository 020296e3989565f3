#!/bin/bash
# What satchel-read says and returns when it cannot: each fault its exit code, and
# for everything that no key opens one and the same message, at the same cost.
. tests/cli/lib.sh

good=tests/data/good
right=(--passphrase-file "$good/one.passphrase")
wrong=(--passphrase-file "$good/wrong.passphrase")
bundle=$good/parity-4.bundle

# --- the command line -----------------------------------------------------------

usage() { # WHAT ARGUMENT...
	local what=$1
	shift
	ok "$what: 2" exits 2 "$read" "$@"
	like "$what: one line, and where to look" "$(cat "$tmp/stderr")" \
		'^satchel-read: [^'$'\n'']*; see "satchel-read help'
	is "$what: nothing on standard output" "$(cat "$tmp/stdout")" ''
}

usage "no verb"
usage "a verb that there is not" list "$bundle"
usage "an option that there is not" ls --long-winded "$bundle"
usage "a letter among others" ls --long -qxl "$bundle"
like "it is named, and not what stands before it" "$(cat "$tmp/stderr")" 'no such option: -x;'
usage "an argument for what takes none" ls --quiet=sesame "$bundle"
like "in words" "$(cat "$tmp/stderr")" 'takes no argument: --quiet;'
for word in --pass=sesame --passwd=sesame --password=sesame --passphrase=sesame -psesame; do
	usage "$word: a passphrase on the command line" ls "$word" "$bundle"
	ok "why not" grep -q 'seen by everybody' "$tmp/stderr"
	no "it is not repeated" grep -q sesame "$tmp/stderr"
done
for word in --pwd=sesame --phrase=sesame -xsesame; do
	usage "$word: what may be one" ls sesame "$word" "$bundle"
	no "is not repeated" grep -q sesame "$tmp/stderr"
done
usage "an option without its argument" ls "$bundle" --key-file
usage "a number that is none" ls --length 1k "${right[@]}" "$bundle"
usage "no bundle" ls "${right[@]}"
usage "no path for cat" cat "${right[@]}" "$bundle"
usage "a path too many" info "${right[@]}" "$bundle" a
usage "two passphrases" ls "${right[@]}" --passphrase-fd 0 "$bundle"
usage "a passphrase, and to be asked for it" ls "${right[@]}" --ask-passphrase "$bundle"
usage "two forms at once" ls --json --checksum "${right[@]}" "$bundle"
usage "help about nothing" help nothing
for verb in '' ls tree info cat extract verify repair; do
	# shellcheck disable=SC2086
	ok "help $verb" exits 0 "$read" help $verb
	is "help $verb: at most 80 columns" "$(awk 'length > 80' "$tmp/stdout")" ''
done
ok "options may stand anywhere" exits 0 "$read" ls "$bundle" a --json "${right[@]}"
ok "help that cannot be written" exits 1 sh -c '"$1" help >/dev/full' - "$read"
ok "nobody to ask for a passphrase" exits 2 setsid -w "$read" ls "$bundle" </dev/null

# --- files ------------------------------------------------------------------------

mkdir "$tmp/directory"
ok "a bundle that is not there: 10" exits 10 "$read" ls "${right[@]}" "$tmp/nowhere"
is "it is said which" "$(cat "$tmp/stderr")" "satchel-read: $tmp/nowhere: No such file or directory"
ok "a directory: 10" exits 10 "$read" ls "${right[@]}" "$tmp/directory"
ok "a device: 10" exits 10 "$read" ls "${right[@]}" /dev/null
mkfifo "$tmp/fifo"
ok "a FIFO, which nobody writes to: 10" exits 10 timeout 20 "$read" ls "${right[@]}" "$tmp/fifo"
ok "a volume that is not there: 10" exits 10 "$read" ls "${right[@]}" --volume "$tmp/nowhere" "$bundle"
ok "a passphrase file that is not there: 1" exits 1 "$read" ls --passphrase-file "$tmp/nowhere" "$bundle"
head -c 15 "$bundle" >"$tmp/short"
ok "a key file that is too short: 1" exits 1 "$read" ls --key-file "$tmp/short" "$bundle"
ok "an identity that is none: 1" exits 1 "$read" ls --identity "$tmp/short" "$bundle"
printf 'bad \xff' >"$tmp/bad"
ok "a passphrase that is not text: 1" exits 1 "$read" ls --passphrase-file "$tmp/bad" "$bundle"
tests/encode.py --flaw slot-version "$tmp"
ok "a later version: 10" exits 10 "$read" ls --key-file "$tmp/a.keyfile" "$tmp/slot-version.bundle"
like "it is said" "$(cat "$tmp/stderr")" 'later version'

# --- paths in the bundle -------------------------------------------------------------

ok "a path that is not there: 1" exits 1 "$read" cat "${right[@]}" "$bundle" nowhere
like "it is said" "$(cat "$tmp/stderr")" 'satchel-read: nowhere: no such file'
ok "a pattern that nothing has: 1" exits 1 "$read" ls "${right[@]}" "$bundle" '*.nothing'
ok "the others are listed all the same" exits 1 "$read" ls "${right[@]}" "$bundle" nowhere a
is "they are" "$(cat "$tmp/stdout")" a
ok "a directory is not shown: 1" exits 1 "$read" cat "${right[@]}" $good/links.bundle under
ok "nor a link: 1" exits 1 "$read" cat "${right[@]}" $good/links.bundle absolute
no "and nothing of another file" test -s "$tmp/stdout"

# --- output ------------------------------------------------------------------------------

ok "output that cannot be written: 1" exits 1 bash -c '"$@" >/dev/full' - "$read" cat "${right[@]}" "$bundle" a
for verb in ls 'ls --json' 'ls --checksum' tree info 'info --json' verify 'verify --json'; do
	# shellcheck disable=SC2086
	ok "nor that of $verb: 1" exits 1 bash -c '"$@" >/dev/full' - "$read" $verb "${right[@]}" "$bundle"
	like "which is said" "$(cat "$tmp/stderr")" '^satchel-read: .*No space left'
done
like "it is said why" "$(cat "$tmp/stderr")" 'standard output: No space left'
# Who stops reading stops it; that is no fault.
"$read" cat "${right[@]}" $good/sparse.bundle hole hole hole 2>"$tmp/stderr" | head -c 10 >"$tmp/ten"
codes=("${PIPESTATUS[@]}")
is "nobody reads any more: 128 + SIGPIPE" "${codes[0]}" 141
is "without a word" "$(cat "$tmp/stderr")" ''

# --- publishers ----------------------------------------------------------------------------

publisher=$(sed -n 's/^publisher //p' $good/signed-publisher.keys)
stranger=$(sed -n 's/^publisher //p' $good/signed-other-publisher.keys)
printf 'untrusted comment: minisign public key\n%s\n' "$publisher" >"$tmp/publisher.pub"
ok "signed by the publisher" exits 0 "$read" ls "${right[@]}" --publisher "$publisher" $good/signed.bundle
ok "the key in a file" exits 0 "$read" ls "${right[@]}" --publisher "$tmp/publisher.pub" $good/signed.bundle
ok "signed by another: 1" exits 1 "$read" ls "${right[@]}" --publisher "$stranger" $good/signed.bundle
like "it is said" "$(cat "$tmp/stderr")" 'another publisher'
is "and nothing else" "$(cat "$tmp/stdout")" ''
ok "not signed: 1" exits 1 "$read" ls "${right[@]}" --publisher "$publisher" "$bundle"
like "it is said, too" "$(cat "$tmp/stderr")" 'not signed'
ok "no publisher's key: 1" exits 1 "$read" ls "${right[@]}" --publisher "$bundle" $good/signed.bundle

# --- memory -----------------------------------------------------------------------------------

nobody=()
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid=65534 --clear-groups)
chmod 755 "$tmp"
if sanitized; then
	skip "memory that cannot be had" "sanitizers have their own"
elif ! "${nobody[@]}" "$read" help >/dev/null 2>&1; then
	skip "memory that cannot be had" "nobody cannot run the program from here"
else
	confined() { (ulimit -l 0 && exec "${nobody[@]}" "$@"); }
	ok "memory that cannot be locked: 1" exits 1 confined "$read" ls "${right[@]}" "$bundle"
	like "what to do is said" "$(cat "$tmp/stderr")" 'ulimit -l.*--allow-unlocked'
	ok "or done without" exits 0 confined "$read" ls --allow-unlocked "${right[@]}" "$bundle"
	like "which is said, too" "$(cat "$tmp/stderr")" 'not locked'

	little() { (ulimit -v 60000 && exec "$@"); }
	ok "memory for the passphrase that cannot be had: 1" exits 1 little "$read" ls "${right[@]}" "$bundle"
	head -c 100000 /dev/urandom >"$tmp/random"
	sed "s!$bundle!FILE!" "$tmp/stderr" >"$tmp/of-a-bundle"
	like "it is said" "$(cat "$tmp/stderr")" 'not enough memory'
	ok "whatever the file: 1" exits 1 little "$read" ls "${right[@]}" "$tmp/random"
	is "in the same words" "$(sed "s!$tmp/random!FILE!" "$tmp/stderr")" "$(cat "$tmp/of-a-bundle")"
	ok "an ordinary user reads" exits 0 "${nobody[@]}" "$read" ls "${right[@]}" "$bundle"
fi

# --- no key fits ---------------------------------------------------------------------------------

no_key() { # WHAT FILE KEY...
	local what=$1 file=$2
	shift 2
	ok "$what: 12" exits 12 "$read" ls "$@" "$file"
	is "$what: the one message" "$(sed "s!$file!FILE!" "$tmp/stderr")" \
		'satchel-read: FILE: no key fits: wrong passphrase, not a bundle, or not for this key'
	is "$what: nothing on standard output" "$(cat "$tmp/stdout")" ''
}

: >"$tmp/empty"
head -c 181001 /dev/urandom >"$tmp/random"
head -c 181001 /dev/zero >"$tmp/zeros"
head -c 16000 "$bundle" >"$tmp/cut"
tar -cf "$tmp/other.tar" tests/unit
tar -czf "$tmp/other.tar.gz" tests/unit
{ printf 'LUKS\xba\xbe\x00\x02' && head -c 100000 /dev/urandom; } >"$tmp/luks"
{ printf 'age-encryption.org/v1\n-> X25519 ' && head -c 100000 /dev/urandom; } >"$tmp/age"
no_key "a wrong passphrase" "$bundle" "${wrong[@]}"
no_key "a wrong key file" "$bundle" --key-file "$good/a.keyfile"
no_key "another's identity" "$bundle" --identity "$good/first.identity"
no_key "one of two keys" "$good/every-key.bundle" "${right[@]}"
for file in empty random zeros cut other.tar other.tar.gz luks age; do
	no_key "$file" "$tmp/$file" "${right[@]}"
done

# What is seen from outside: reads of the file, and Argon2's memory.
trace() { # FILE KEY...
	local file=$1
	shift
	strace -qq -e trace=pread64,mmap -o "$tmp/trace" "$read" ls "$@" "$file" 2>/dev/null
	sed -nE -e 's/^pread64\(([0-9]+), .*, ([0-9]+), ([0-9]+)\).*/read \2 at \3/p' \
		-e 's/^mmap\(NULL, ([0-9]{8,}), .*/memory \1/p' "$tmp/trace"
}

if ! strace -qq -e trace=none true 2>/dev/null; then
	skip "the same reads and derivations" "strace cannot trace here"
elif sanitized; then
	skip "the same reads and derivations" "sanitizers have reads and memory of their own"
else
	trace "$bundle" "${wrong[@]}" >"$tmp/of-a-bundle"
	trace "$tmp/random" "${right[@]}" >"$tmp/of-noise"
	is "two headers are read" "$(grep -c '^read 16384 ' "$tmp/of-a-bundle")" 2
	is "and nothing else" "$(grep -c '^read' "$tmp/of-a-bundle")" 2
	is "four derivations" "$(grep -c '^memory' "$tmp/of-a-bundle")" 4
	is "a random file costs the same" "$(cat "$tmp/of-noise")" "$(cat "$tmp/of-a-bundle")"
	trace "$good/every-key.bundle" --identity "$good/second.identity" >"$tmp/of-another"
	trace "$tmp/zeros" --identity "$good/first.identity" >"$tmp/of-zeros"
	is "with identities, too" "$(sed 's/ at .*//' "$tmp/of-another")" "$(sed 's/ at .*//' "$tmp/of-zeros")"
	no "a right passphrase would look different" \
		diff "$tmp/of-a-bundle" <(trace "$bundle" "${right[@]}")
fi
finish
