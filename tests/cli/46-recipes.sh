#!/bin/bash
# A recipe packs what the command line would, and what is wrong in it is said with
# file and line before anything is read.
. tests/cli/lib.sh

mkdir -p "$tmp/desk/films" "$tmp/desk/texts" "$tmp/out"
head -c 200K /dev/urandom >"$tmp/desk/films/one.mp4"
seq 1 5000 >"$tmp/desk/texts/numbers.txt"
echo scratch >"$tmp/desk/texts/x.tmp"
chmod 640 "$tmp/desk/texts/numbers.txt"
echo 'abacus abdomen ability ablaze able about' >"$tmp/desk/pw"
head -c 64 /dev/urandom >"$tmp/desk/key"
recipe=$tmp/desk/recipe.ini out=$tmp/out/b

content() { tests/decode.py --passphrase-file "$tmp/desk/pw" hash "$1"; }

cat >"$recipe" <<'RECIPE'
# Summer
[bundle]
kdf = low
parity=8
	level = 9
size = 3M

[compartment]
source = films
source = texts
exclude = *.tmp
label = Summer: "the best" = of it
series = summer
edition = 3
metadata = full
passphrase-file = pw
key-file: key
RECIPE

ok "a recipe is packed" exits 0 "$pack" --recipe "$recipe" -o "$out"
read_info() { "$read" info --json --passphrase-file "$tmp/desk/pw" "$1" | jq -c '[.label,.series,.edition,.metadata,.parity]'; }
is "with its size" "$(stat -c %s "$out")" 3145728
is "and what it says of it" "$(read_info "$out")" '["Summer: \"the best\" = of it","summer",3,"full",8]'
ok "a key file opens it" exits 0 "$read" ls --key-file "$tmp/desk/key" "$out"
(cd "$tmp/desk" && "$pack" -q --kdf low --parity 8 --level 9 --size 3M --exclude '*.tmp' --label 'Summer: "the best" = of it' \
	--series summer --edition 3 --metadata full --passphrase-file pw --key-file key -o "$out-line" films texts)
is "is what the command line packs" "$(content "$out")" "$(content "$out-line")"
no "and no more" grep -q x.tmp <(content "$out")

ok "the command line wins" exits 0 "$pack" --recipe "$recipe" --size 4M --parity 2 -o "$out-4"
is "in size" "$(stat -c %s "$out-4")" 4194304
is "and parity" "$(read_info "$out-4" | jq '.[4]')" 2
ok "a dry run needs no more than the recipe" exits 0 "$pack" -n --recipe "$recipe"
like "and says the length" "$(cat "$tmp/stdout")" 'length     3145728 bytes'

sed "s|= films|= $tmp/desk/films|; s|= texts|= $tmp/desk/texts|; s|= pw|= $tmp/desk/pw|; s|: key|= $tmp/desk/key|" \
	"$recipe" >"$tmp/absolute.ini"
ok "on standard input" exits 0 "$pack" --recipe - -o "$out-stdin" <"$tmp/absolute.ini"
is "it is the same" "$(content "$out-stdin")" "$(content "$out")"
printf '\xef\xbb\xbf' | cat - "$recipe" | sed 's/$/\r/' >"$tmp/desk/notepad.ini"
ok "as an editor of Windows leaves it" exits 0 "$pack" --recipe "$tmp/desk/notepad.ini" -o "$out-notepad"
is "it is the same, too" "$(content "$out-notepad")" "$(content "$out")"

# Of a folder with another file system in it.
mkdir "$tmp/desk/disc"
# shellcheck disable=SC2016  # it is the inner shell's to expand
files() { # LINE OF A RECIPE
	printf '[compartment]\nsource = disc\nkey-file = key\n%s\n' "$1" >"$tmp/desk/disc.ini"
	unshare -rm sh -c 'mount -t tmpfs none "$1/disc" && mkdir "$1/disc/a" "$1/disc/b" && : >"$1/disc/a/1" &&
		mount -t tmpfs none "$1/disc/b" && : >"$1/disc/b/2" && "$2" -nq --json --recipe "$1/disc.ini" | tail -n 1 | jq .files' \
		- "$tmp/desk" "$pack"
}
if unshare -rm true 2>/dev/null; then
	is "other file systems are left out" "$(files '')" 1
	is "one-file-system = yes" "$(files 'one-file-system = yes')" 1
	is "one-file-system = no" "$(files 'one-file-system = no')" 2
	is "cross-file-systems = yes" "$(files 'cross-file-systems = yes')" 2
	is "cross-file-systems = no" "$(files 'cross-file-systems = no')" 1
else
	skip "other file systems" "no mounts of one's own here"
fi

# wrong LINE WORDS TEXT: one line that says so, exit code 2, no output.
wrong() {
	local line=$1 words=$2 got=0
	printf '%b' "$3" >"$tmp/desk/wrong.ini"
	rm -f "$tmp/out/wrong"
	"$pack" --recipe "$tmp/desk/wrong.ini" -o "$tmp/out/wrong" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || got=$?
	echo "exit code $got; it said:"
	cat "$tmp/stderr"
	[ "$got" -eq 2 ] && [ "$(wc -l <"$tmp/stderr")" -eq 1 ] && [ ! -e "$tmp/out/wrong" ] &&
		grep -qE "^satchel-pack: .*wrong\.ini:${line:+$line:} .*$words" "$tmp/stderr"
}
x=$(printf '%0200d' 0)
ok "an unknown key" wrong 3 'colour: no such key' '[compartment]\nsource = films\ncolour = red\n'
ok "an option that is no key" wrong 2 'memory: no such key' '[bundle]\nmemory = 64M\n'
ok "an unknown section" wrong 1 'no such section' '[films]\nsource = films\n'
ok "a section with no end" wrong 1 'a section is a line' '[compartment\nsource = films\n'
ok "a section name that the library cuts" wrong 1 'too long' "[compartment ${x:0:60}]\n"
ok "a line that the library cuts" wrong 2 'longer than 197 bytes' "[compartment]\nsource = $x\n"
ok "the longest line is none" wrong '' 'has no source' "[compartment]\nlabel = ${x:0:189}\n"
ok "half a value before a semicolon" wrong 2 "';'" '[compartment]\nsource = films ; and more\n'
ok "a key before any section" wrong 1 'belongs in a section' 'source = films\n'
ok "no key at all" wrong 2 'not a line' '[compartment]\nfilms\nsource = films\n'
ok "a value twice" wrong 4 'label: is there twice' '[compartment]\nsource = films\nlabel = a\nlabel = b\n'
ok "an empty value" wrong 2 'source: empty' '[compartment]\nsource =\n'
ok "a wrong value" wrong 2 'parity: 0, 2, 4, 8 or 16' '[bundle]\nparity = 3\n'
ok "a switch is yes or no" wrong 2 'generate-passphrase: yes or no' '[compartment]\ngenerate-passphrase = 1\n'
ok "a key in the wrong section" wrong 2 'size: belongs in .bundle' '[compartment]\nsize = 3M\n'
ok "and the other way" wrong 2 'label: belongs in .compartment' '[bundle]\nlabel = x\n'
ok "a bundle twice" wrong 3 'is there twice' '[bundle]\nparity = 2\n[bundle]\n'
ok "two compartments of one name" wrong 4 'two compartments of this name' \
	'[compartment a]\nsource = films\n\n[compartment a]\nsource = texts\n'
ok "no compartment" wrong '' 'has no .compartment' '[bundle]\nparity = 2\n'
ok "a compartment with nothing in it" wrong '' 'compartment b. has no source' \
	'[bundle]\nsize = 3M\n[compartment a]\nsource = films\n[compartment b]\n'
ok "a NUL" wrong 2 'not a text' '[compartment]\nsour\0000ce = films\n'
ok "an indented line is a line" wrong 3 'colour: no such key' '[compartment]\nsource = films\n colour = x\n'
no "a recipe that is missing" "$pack" --recipe "$tmp/absent.ini" -o "$tmp/out/wrong"
like "is named" "$("$pack" --recipe "$tmp/absent.ini" -o "$tmp/out/wrong" 2>&1)" 'absent.ini: No such file'
like "a folder is no recipe" "$("$pack" --recipe "$tmp" -o "$tmp/out/wrong" 2>&1)" 'Is a directory'
for word in --label=x --exclude=x --key-file=x "$tmp/desk/films"; do
	ok "not beside a recipe: ${word##*/}" exits 2 "$pack" --recipe "$recipe" "$word" -o "$tmp/out/wrong"
done
sed 's/= pw/= -/' "$recipe" >"$tmp/desk/wrong.ini"
ok "a passphrase and a recipe from one input" exits 2 "$pack" --recipe - -o "$tmp/out/wrong" <"$tmp/desk/wrong.ini"
like "is said" "$(cat "$tmp/stderr")" 'read only once'
is "nothing was written" "$(find "$tmp/out" -name '*wrong*')" ""

finish
