#!/bin/bash
# A bundle for public keys: each of the identities opens it, nothing else does, and
# whoever packed it has nothing that would.
. tests/cli/lib.sh

if ! command -v age-keygen >/dev/null; then
	skip "bundles for age's keys" "age-keygen is not installed"
	finish
fi

src=$tmp/src bundle=$tmp/b
mkdir "$src"
seq 100000 >"$src/numbers.txt"
head -c 300000 /dev/urandom >"$src/film.mp4"
head -c 64 /dev/urandom >"$tmp/key"
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
expected=$(cd "$src" && sha256sum film.mp4 numbers.txt | cut -d ' ' -f 1)

for n in 1 2 3 4; do
	age-keygen -o "$tmp/identity$n" 2>/dev/null
	recipient[n]=$(age-keygen -y "$tmp/identity$n")
done

# A new bundle at $bundle, without a terminal.
packs() {
	rm -f "$bundle"
	exits 0 setsid -w "$pack" -q -o "$bundle" --kdf low "$@" "$src" </dev/null
}

# CODE REGEX ARGUMENT...: one line that matches, and no bundle.
refused() {
	local code=$1 regex=$2
	shift 2
	rm -f "$bundle"
	exits "$code" setsid -w "$pack" -o "$bundle" "$@" "$src" </dev/null &&
		[ "$(wc -l <"$tmp/stderr")" -eq 1 ] && [ ! -e "$bundle" ] &&
		grep -Eq "^satchel-pack: .*($regex)" "$tmp/stderr"
}

# KEY...: both readers find what was packed.
opens() {
	rm -rf "$tmp/got"
	exits 0 "$read" extract -q "$@" -C "$tmp/got" "$bundle" || return
	diff -r "$src" "$tmp/got/src" || return
	exits 0 /usr/bin/python3 tests/decode.py "$@" hash "$bundle" || return
	[ "$(jq -r '.sha256 // empty' "$tmp/stdout")" == "$expected" ]
}

stays_closed() {
	exits 12 "$read" ls "$@" "$bundle" && [ ! -s "$tmp/stdout" ] &&
		exits 12 /usr/bin/python3 tests/decode.py "$@" ls "$bundle" && [ ! -s "$tmp/stdout" ]
}

# --- opened by those it is for ------------------------------------------------

ok "for two recipients, with nobody asked" packs --recipient "${recipient[1]}" \
	--recipient "${recipient[2]}"
ok "the first opens it" opens --identity "$tmp/identity1"
ok "the second opens it" opens --identity "$tmp/identity2"
ok "another does not" stays_closed --identity "$tmp/identity3"
ok "nor does what else the packer has" stays_closed --passphrase-file "$tmp/pw" --key-file "$tmp/key"
is "it is written as it was meant" "$(stat -c %s "$bundle")" \
	"$("$read" info --json --identity "$tmp/identity1" "$bundle" | jq '.volumes[0].length // .length')"

printf '# the desk\n\n  %s\t\r\n%s' "${recipient[3]}" "${recipient[4]}" >"$tmp/desk"
ok "recipients from a file, a passphrase and a key file" packs --recipients-file "$tmp/desk" \
	--recipient "${recipient[1]}" --passphrase-file "$tmp/pw" --key-file "$tmp/key"
for n in 1 3 4; do
	ok "recipient $n opens it" opens --identity "$tmp/identity$n"
done
ok "the passphrase opens it" opens --passphrase-file "$tmp/pw"
ok "the key file opens it" opens --key-file "$tmp/key"
ok "who was not named does not" stays_closed --identity "$tmp/identity2"

ok "with a second factor" packs --recipient "${recipient[1]}" --second-factor "$tmp/key"
ok "both open it" opens --identity "$tmp/identity1" --key-file "$tmp/key"
ok "the identity alone does not" stays_closed --identity "$tmp/identity1"
ok "the file alone does not" stays_closed --key-file "$tmp/key"

many=()
for ((n = 0; n < 32; n++)); do
	age-keygen -o "$tmp/many$n" 2>/dev/null
	many+=(--recipient "$(age-keygen -y "$tmp/many$n")")
done
ok "for 32" packs "${many[@]}"
ok "the last opens it" opens --identity "$tmp/many31"

# --- refused --------------------------------------------------------------------

slip=q
[ "${recipient[1]: -1}" != q ] || slip=p
mistyped=${recipient[1]%?}$slip
for bad in "$mistyped" '' age1 "$(tail -n 1 "$tmp/identity1")" ssh-ed25519; do
	ok "--recipient '${bad:0:20}'" refused 2 '--recipient: (not a recipient|empty)' \
		--recipient "$bad"
	ok "also in a dry run" refused 2 '--recipient: (not a recipient|empty)' -n --recipient "$bad"
done
ok "an identity in its place is not repeated" refused 2 'not a recipient' \
	--recipient "$(tail -n 1 "$tmp/identity1")"
no "in the message" grep -q AGE-SECRET "$tmp/stderr"
ok "33 of them" refused 2 'more than 32' "${many[@]}" --recipient "${recipient[1]}"
ok "32 and a passphrase" refused 2 'more than 32' "${many[@]}" --passphrase-file "$tmp/pw"
ok "the same twice" refused 2 "${recipient[1]}: this recipient was given before" \
	--recipient "${recipient[1]}" --recipient "${recipient[1]}"
ok "again in a file" refused 2 'desk: this recipient was given before' \
	--recipient "${recipient[4]}" --recipients-file "$tmp/desk"

printf '# one\n%s\n\n%s\n' "${recipient[1]}" "$mistyped" >"$tmp/bad"
ok "a bad line is named" refused 1 'bad: line 4: not a recipient' --recipients-file "$tmp/bad"
ok "identities are no recipients" refused 1 'identity1: line 3: not a recipient' \
	--recipients-file "$tmp/identity1"
echo '# nobody' >"$tmp/nobody"
ok "a file with none" refused 1 'nobody: no recipient in it' --recipients-file "$tmp/nobody"
ok "a file that is missing" refused 1 'absent: No such file' --recipients-file "$tmp/absent"
ok "a directory" refused 1 'Is a directory' --recipients-file "$src"
ok "a file with one too many" refused 1 'desk: line 4: more than 32' "${many[@]:0:60}" \
	--recipients-file "$tmp/desk" --passphrase-file "$tmp/pw"

finish
