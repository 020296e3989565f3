#!/bin/bash
# Several compartments in a bundle: each opens with its own key, has its own files
# and signature, and reading one touches nothing of another.
. tests/cli/lib.sh

mkdir -p "$tmp/desk/holidays" "$tmp/desk/interviews" "$tmp/desk/third" "$tmp/out"
for i in 1 2 3; do head -c 300K /dev/urandom >"$tmp/desk/holidays/$i.jpg"; done
seq 1 90000 >"$tmp/desk/interviews/notes.txt"
cp "$tmp/desk/holidays/1.jpg" "$tmp/desk/interviews/same.jpg"
echo 'third' >"$tmp/desk/third/three"
cd "$tmp/desk" || exit 1
echo 'abacus abdomen ability ablaze able about' >pw1
echo 'zucchini zoom zone zodiac zip zigzag' >pw2
head -c 64 /dev/urandom >key3
age-keygen -o identity 2>/dev/null
minisign -G -f -W -p pub -s sec >/dev/null
cd - >/dev/null || exit 1
cat >"$tmp/desk/recipe.ini" <<RECIPE
[bundle]
size = 5M
kdf = low
[compartment family]
source = holidays
label = Holidays
passphrase-file = pw1
[compartment workplace]
source = interviews
sign = sec
passphrase-file = pw2
recipient = $(age-keygen -y "$tmp/desk/identity")
[compartment three]
source = third
key-file = key3
metadata = full
RECIPE

out=$tmp/out/b
names() { "$read" ls -R "$@" "$out" 2>"$tmp/stderr" | grep -v ':$' | sort | tr '\n' ' '; }
ok "three compartments" exits 0 "$pack" --recipe "$tmp/desk/recipe.ini" -o "$out" -o "$out-2"
like "a warning for what fills little" "$(cat "$tmp/stderr")" 'compartment three fills 0 % of the bundle'
no "and for nothing else" grep -q 'compartment family' "$tmp/stderr"
is "the length is that of the recipe" "$(stat -c %s "$out" "$out-2" | sort -u)" 5242880

is "one key" "$("$read" extract --passphrase-file "$tmp/desk/pw1" -C "$tmp/out/1" "$out" 2>"$tmp/stderr" && ls "$tmp/out/1")" holidays
ok "has its files" diff -r "$tmp/desk/holidays" "$tmp/out/1/holidays"
ok "another key" exits 0 "$read" extract --identity "$tmp/desk/identity" --publisher "$tmp/desk/pub" -C "$tmp/out/2" "$out"
ok "has others" diff -r "$tmp/desk/interviews" "$tmp/out/2/interviews"
is "and nothing else" "$(ls "$tmp/out/2")" interviews
ok "a third" exits 0 "$read" extract --key-file "$tmp/desk/key3" -C "$tmp/out/3" "$out-2"
ok "has the rest" diff -r "$tmp/desk/third" "$tmp/out/3/third"
is "in decode.py, too" "$(tests/decode.py --key-file "$tmp/desk/key3" hash "$out" | jq -r .path | tr '\n' ' ')" '. third third/three '
no "the publisher of one is not that of another" "$read" ls --publisher "$tmp/desk/pub" --passphrase-file "$tmp/desk/pw1" "$out"
ok "each is whole" exits 0 "$read" verify --passphrase-file "$tmp/desk/pw2" "$out"
said=$("$read" info --passphrase-file "$tmp/desk/pw1" "$out")
no "info knows of no other" grep -qiE 'compartment|slot|slice|interviews|work' <<<"$said"
no "no name of a compartment is anywhere" grep -qaE 'family|workplace' "$out"

# Which bytes are read for one compartment: only its own slices, and the headers.
reads() { # LOG KEY...: length and offset of each
	local log=$1
	shift
	strace -f -qq -s 0 -e trace=pread64 -P "$out" -o "$log" "$read" verify -q "$@" "$out"
	sed -nE 's|.*, ([0-9]+), ([0-9]+)\) += [0-9]+$|\2 \1|p' "$log" | sort -nu
}
reads "$tmp/s1" --passphrase-file "$tmp/desk/pw1" >"$tmp/r1"
reads "$tmp/s2" --passphrase-file "$tmp/desk/pw2" >"$tmp/r2"
# Pages between the headers, read for the one and for the other.
pages() { awk -v size=5242880 '{ for (o = $1; o < $1 + $2; o += 16384) if (o >= 16384 && o < size - 16384) print int(o / 16384) }' "$1" | sort -u; }
no "nothing is read for both" test -n "$(comm -12 <(pages "$tmp/r1") <(pages "$tmp/r2"))"
ok "though each reads its own" test "$(pages "$tmp/r1" | wc -l)" -gt 55 -a "$(pages "$tmp/r2" | wc -l)" -gt 25

# Refused: what would open two, and a length that tells.
printf 'passphrase-fd = %d\n' {10..39} >"$tmp/desk/fds"
try() { "$pack" --recipe "$tmp/desk/try.ini" -o "$tmp/out/try" >"$tmp/stdout" 2>"$tmp/stderr"; }
refused() { # CODE REGEX SED
	local code=$1 regex=$2 got=0
	sed "$3" "$tmp/desk/recipe.ini" >"$tmp/desk/try.ini"
	try </dev/null || got=$?
	echo "exit code $got; it said:"
	cat "$tmp/stderr"
	[ "$got" -eq "$code" ] && grep -qE "$regex" "$tmp/stderr" && [ ! -e "$tmp/out/try" ]
}
ok "one passphrase for two" refused 2 'passphrase was given before' 's/= pw2/= pw1/'
ok "one key file for two" refused 2 'key file was given before' 's/passphrase-file = pw1/key-file = key3/'
ok "a key file that is a second factor elsewhere" refused 2 'cannot be the second factor' \
	's/passphrase-file = pw1/&\nsecond-factor = key3/'
ok "and the other way" refused 2 'cannot be the second factor' \
	's/passphrase-file = pw1/key-file = key3/; s/key-file = key3$/&/; s/^passphrase-file = pw2/&\nsecond-factor = key3/'
ok "one recipient for two" refused 2 'recipient was given before' \
	"s/passphrase-file = pw1/recipient = $(age-keygen -y "$tmp/desk/identity")/"
ok "no size" refused 2 'several compartments need --size' '/^size/d'
ok "too small a size" refused 13 'the bundle needs .*and --size leaves less' 's/= 5M/= 1M/'
ok "a source that is missing, of the last" refused 1 'No such file' 's/= third/= absent/'
mkdir "$tmp/desk/empty"
ok "a source of no file, of the last" refused 1 'there is no file in what' 's/= third/= empty/'
ok "too many openers in all" refused 2 'more than 32' \
	"/^key-file = key3/r $tmp/desk/fds"
is "the size of the dry run is the size" \
	"$("$pack" -n --json --recipe "$tmp/desk/recipe.ini" 2>/dev/null | jq -c 'select(.type=="summary").length')" '[5242880,5242880]'

finish
