#!/bin/bash
# Volumes that are damaged or missing: each costs what is in it, is said by its number,
# and is found wherever one of them can still be opened.
. tests/cli/lib.sh

good=tests/data/good
key=(--identity "$good/first.identity")
set=$tmp/set
length=$(stat -c %s $good/volumes-3.2.bundle)

fresh() { # [NUMBER...]: these volumes alone, else all three
	local n
	rm -rf "$set"
	mkdir "$set"
	[ $# -gt 0 ] || set -- 1 2 3
	for n in "$@"; do cp --no-preserve=mode "$good/volumes-3.$n.bundle" "$set/$n"; done
}

noise() { overwrite "$set/$1" "${@:2}"; } # NUMBER LENGTH AT...

where() { tests/where.py "$1" "${@:3}" "$good/volumes-3.$2.bundle"; }
lose() { # WHAT LENGTH NUMBER: all of that sort
	local -a at
	mapfile -t at < <(where "$1" "$3" "${key[@]}")
	noise "$3" "$2" "${at[@]}"
}

verify() { exits "$1" "$read" verify -q "${key[@]}" "$set/$2"; }
named() { sed -nE 's/^satchel-read: ([^:]*): (damaged|lies).*/\1/p' "$tmp/stderr" | sort | tr '\n' ' '; }

fresh
ok "a control: healthy" verify 0 1

# --- the way in of one key ---------------------------------------------------------------

# All of them can be opened through their siblings, but nobody can open volume 2 alone.
lose slots 128 2
ok "the key's slots of a volume are lost: 5" verify 5 1
ok "that is two headers" grep -qx 'damaged: 2 headers' "$tmp/stdout"
fresh 2
lose slots 128 2
ok "for alone it cannot be opened" exits 12 "$read" ls "${key[@]}" "$set/2"
fresh
lose siblings 128 2
ok "the siblings' slots are lost: 5" verify 5 2
ok "that is two, too" grep -qx 'damaged: 2 headers' "$tmp/stdout"
other=(--passphrase-file "$good/one.passphrase" --key-file "$good/a.keyfile")
fresh
mapfile -t slots < <(where slots 2 "${other[@]}")
noise 2 128 "${slots[0]}"
ok "a slot for a passphrase: 5" exits 5 "$read" verify -q "${other[@]}" "$set/1"
ok "that is one" grep -qx 'damaged: 1 header' "$tmp/stdout"
ok "who has the other key has lost nothing" verify 0 1
ok "a copy is made all the same: 5" exits 5 "$read" repair -q "${other[@]}" -o "$tmp/copy" "$set/2"
is "and it is said what ails it" "$(tail -n 1 "$tmp/stdout")" \
	'the copy has all files, but one of its headers does not open, and cannot be made again'
rm "$tmp/copy"

# --- a header of another volume ----------------------------------------------------------

# It opens with every key, and whoever has no other is led to where nothing is.
for number in 1 3; do
	fresh
	tail -c 16384 "$set/2" | dd of="$set/$number" bs=16384 oflag=seek_bytes conv=notrunc status=none \
		seek=$(($(stat -c %s "$set/$number") - 16384))
	ok "header B of volume 2 in volume $number: 5" verify 5 1
	ok "that is one header" grep -qx 'damaged: 1 header' "$tmp/stdout"
	ok "repair says so, too" exits 5 "$read" repair -q "${key[@]}" -o "$tmp/copy" "$set/$number"
	like "in words" "$(tail -n 1 "$tmp/stdout")" 'one of its headers does not open'
	rm "$tmp/copy"
done

# --- one that nobody can open, beside another that all can ----------------------------------

fresh 1 2
overwrite "$set/1" 16384 0 $((length - 16384))
ok "a volume that was named and is dead: 10" exits 10 "$read" verify -q "${key[@]}" --volume "$set/2" "$set/1"
ok "is said to be" grep -qx "$set/1: not used: no volume of this set, or one that is there twice" "$tmp/stdout"
is "and the rest is not taken for it" "$(tail -n 1 "$tmp/stdout")" 'what was checked is healthy'
exits 10 "$read" verify -q --json "${key[@]}" --volume "$set/2" "$set/1" >/dev/null
is "in JSON, too" "$(tail -n 1 "$tmp/stdout" | jq -c '[.result, .unused]')" "[\"unchecked\",[\"$set/1\"]]"
cp "$set/2" "$set/twice"
ok "so is a second copy, which was not looked at" exits 10 "$read" verify -q "${key[@]}" --volume "$set/twice" "$set/2"
ok "what was not named is no matter" verify 0 2
exits 0 "$read" verify -q --json "${key[@]}" "$set/2" >/dev/null
is "in JSON it is not there" "$(tail -n 1 "$tmp/stdout" | jq -c .unused)" '[]'

# --- a volume without a root -----------------------------------------------------------------

for number in 1 2 3; do
	fresh
	lose roots 16384 $number
	for named in 1 2 3; do # also the one itself
		ok "no root in $number, asked of $named: 4" verify 4 $named
		ok "which is said" grep -qx "beyond repair: volume $number of 3, all copies of its root" "$tmp/stdout"
		is "with what is in it" "$(named)" "$number all "
	done
	ok "the other files can be read" exits 4 "$read" extract -q "${key[@]}" -C "$tmp/out" "$set/$number"
	is "only those are not" "$(named)" "$number all "
	is "the others are there" "$(cd "$tmp/out" && echo *)" "$(printf '%s ' 1 2 3 empty link | sed "s/$number //; s/ $//")"
	rm -rf "$tmp/out"
	ok "it cannot be repaired: 4" exits 4 "$read" repair -q "${key[@]}" -o "$tmp/copy" "$set/$number"
	no "and there is no copy" test -e "$tmp/copy"
	cp "$good/volumes-3.$number.bundle" "$set/another-copy-of-it"
	ok "a good copy beside it takes its place: nothing is lost, but what was named is not used: 10" verify 10 $number
	ok "which is said" grep -qx "$set/$number: not used: no volume of this set, or one that is there twice" "$tmp/stdout"
	is "and not that all is healthy" "$(tail -n 1 "$tmp/stdout")" 'what was checked is healthy'
done
fresh
lose roots 16384 3
"$read" verify -q --json "${key[@]}" "$set/1" >"$tmp/json" 2>/dev/null
is "as JSON" "$(tail -n 1 "$tmp/json" | jq -c '[.result, .missing_volumes, .volumes_lost]')" '["lost",[],[3]]'
fresh
for number in 1 2 3; do lose roots 16384 $number; done
ok "no root anywhere: 10" verify 10 1

# --- headers that are hard to find --------------------------------------------------------------

fresh
noise 2 16384 0
head -c 1000 /dev/urandom >>"$set/2"
ok "header A is lost and bytes are appended: 5" verify 5 1
is "the volume is known all the same" "$(tail -n +2 "$tmp/stdout" | head -n 2)" "damaged: 1 header
appended: 1000 bytes at the end, which do no harm"
fresh 2
noise 2 16384 0
head -c 1000 /dev/urandom >>"$set/2"
ok "without it: 12" exits 12 "$read" ls "${key[@]}" "$set/2"
ok "with it: 5" exits 5 "$read" ls "${key[@]}" --length "$length" "$set/2"
noise 2 16384 $((length - 16384))
ok "both headers are lost, and nobody can open it: 12" exits 12 "$read" ls "${key[@]}" --length "$length" "$set/2"

# --- repair is of one volume ---------------------------------------------------------------------

fresh
noise 2 16384 0
ok "another is damaged: 0" exits 0 "$read" repair -q "${key[@]}" -o "$tmp/copy" "$set/1"
ok "the copy is the same" cmp "$tmp/copy" $good/volumes-3.1.bundle
rm "$tmp/copy"
ok "a control: the damaged one, 5" exits 5 "$read" repair -q "${key[@]}" -o "$tmp/copy" "$set/2"

# --- names that are longer than others -------------------------------------------------------------

fresh 1
if ! sanitized && preload long_name 2>"$tmp/.said"; then
	long_name() { exits 0 timeout 60 env LD_PRELOAD="$tmp/long_name.so" "$@"; }
	ok "a control: the directory has a name of 765 bytes" long_name find "$set"
	ok "it is there" grep -qE '(中){255}' "$tmp/stdout"
	ok "a name of 765 bytes beside a volume does no harm" long_name "$build/tests/satchel-read" ls "${key[@]}" "$set/1"
	is "all is listed" "$(cat "$tmp/stdout")" "$("$read" ls "${key[@]}" "$set/1" 2>/dev/null)"
else
	skip "names of 765 bytes" "needs a compiler, and no sanitizer"
fi

# --- a volume is missing ---------------------------------------------------------------------------

for number in 1 2 3; do
	others=$(printf '1\n2\n3\n' | grep -v $number)
	# shellcheck disable=SC2086  # two words
	fresh $others
	first=${others%%[^0-9]*}
	"$read" ls -lR "${key[@]}" "$set/$first" >"$tmp/stdout" 2>"$tmp/stderr"
	is "without $number: ls -l marks its files" "$(grep -o '[^ ]*  (needs.*' "$tmp/stdout")" \
		"$(printf '%s  (needs volume '$number')\n' $number all)"
	ok "and says that it is not here" grep -q "1 of the set's 3 volumes are not here" "$tmp/stderr"
	is "without $number: JSON" \
		"$("$read" ls -R --json "${key[@]}" "$set/$first" 2>/dev/null | jq -c 'select(.missing_volumes) | [.path] + .missing_volumes')" \
		"$(printf '["%s",'$number']\n' $number all)"
	is "names alone, where a program reads them" \
		"$("$read" ls -R "${key[@]}" "$set/$first" 2>/dev/null)" "$(printf '1\n2\n3\nall\nempty\nlink')"
	ok "cat says which: 10" exits 10 "$read" cat "${key[@]}" "$set/$first" $number
	is "in words" "$(cat "$tmp/stderr")" "satchel-read: $number: lies in volume $number of 3, which is not here"
	ok "extract, too: 10" exits 10 "$read" extract -q "${key[@]}" -C "$tmp/out" "$set/$first"
	is "of each" "$(cat "$tmp/stderr")" \
		"$(printf 'satchel-read: %s: lies in volume '$number' of 3, which is not here\n' $number all)"
	rm -rf "$tmp/out"
done
fresh 2
ok "two are missing" exits 10 "$read" cat "${key[@]}" "$set/2" all
is "both are said" "$(cat "$tmp/stderr")" "satchel-read: all: lies in volumes 1, 3 of 3, which are not here"
is "by ls, too" "$("$read" ls -l "${key[@]}" "$set/2" all 2>/dev/null | grep -o '(.*')" '(needs volumes 1, 3)'

# --- all of two volumes is lost, and one is copied ---------------------------------------------------

# Whatever had been in front of its content, too: what is wrong with the other is no matter.
rm -f "$tmp/copy"
for number in 1 2; do
	fresh
	lose pages 16384 1
	lose pages 16384 2
	ok "a copy of $number: 4" exits 4 "$read" repair -q "${key[@]}" -o "$tmp/copy" "$set/$number"
	is "what it lacks, and not what the other does" "$(named)" "$number all "
	rm "$tmp/copy"
done
ok "verify" verify 4 1
is "names both" "$(named)" '1 2 all '

# --- a volume is there, and cannot be read ----------------------------------------------------------

# It is not taken for missing: nobody knows.
as_nobody=()
[ "$(id -u)" -ne 0 ] || as_nobody=(setpriv --reuid=65534 --clear-groups)
barred() { # WORDS COMMAND...: verify does not call it healthy, and says which
	local words=$1
	shift
	ok "$words: 10" exits 10 "$@" verify -q "${key[@]}" "$set/1"
	is "which one, and why" "$(grep -F "$words" "$tmp/stdout")" "$words; a volume that is missing may be there"
	no "it is not healthy" grep -q '^what is here is healthy' "$tmp/stdout"
	ok "as JSON: 10" exits 10 "$@" verify -q --json "${key[@]}" "$set/1"
	is "with its name" "$(tail -n 1 "$tmp/stdout" | jq -c '[.result, .unused]')" "[\"unchecked\",[\"${words%%: *}\"]]"
	ok "ls goes on" exits 0 "$@" ls "${key[@]}" "$set/1"
	like "and warns" "$(cat "$tmp/stderr")" "$words; a volume that is missing may be there"
}
fresh
chmod a+r "$set"/* "${key[1]}" && chmod 755 "$tmp" "$set"
chmod 000 "$set/2"
if sanitized || ! "${as_nobody[@]}" "$read" --version >/dev/null 2>&1; then
	skip "a volume that must not be read" "nobody cannot run the program from here"
else
	barred "$set/2: Permission denied" "${as_nobody[@]}" "$read"
	chmod 644 "$set/2"
	chmod 711 "$set"
	barred "$set/: Permission denied" "${as_nobody[@]}" "$read"
	chmod 755 "$set"
	ok "the control: all can be read" exits 0 "${as_nobody[@]}" "$read" verify -q "${key[@]}" "$set/1"
	# There are never too few descriptors, and nobody hears of it.
	unheard='' heard=0
	for ((n = 4; n < 40; n++)); do
		code=0
		bash -c 'ulimit -n '$n' && exec "$@"' - "$read" verify -q "${key[@]}" "$set/1" >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
		[ $code -ne 0 ] || ! grep -q 'not here' "$tmp/stdout" || unheard="$unheard $n"
		[ $code -eq 0 ] || heard=$((heard + 1))
	done
	is "with too few descriptors it is not healthy" "$unheard" ''
	ok "there were some" test $heard -gt 1 -a $heard -lt 36
fi
chmod 644 "$set/2"
if sanitized || ! preload bad 2>/dev/null; then
	skip "a volume that the drive does not give" "needs a compiler, and no sanitizer"
else
	bad() { env LD_PRELOAD="$tmp/bad.so" BAD_FILE="$1" BAD_AT="$2" "$build/tests/satchel-read" "${@:3}"; }
	barred "$set/2: Input/output error" bad "$set/2" "0+$length"
	barred "$set/2: Input/output error" bad "$set/2" "512+512,$((length - 16384 + 512))+512"
	# Somebody else's file, on a drive that is pulled out.
	head -c 3000000 /dev/urandom >"$set/movie"
	chmod 644 "$set/movie"
	rm "$set/2"
	BAD_AFTER=1 barred "$set/movie: Input/output error" bad "$set/movie" 0+3000000
fi
fresh 1 3
seq 100 4300 | (cd "$set" && xargs touch)
barred "$set/: too many files" "$read"

# --- one derivation for all ---------------------------------------------------------------------------

# Each takes 64 MiB, which is seen from outside.
derivations() {
	strace -f -qq -e trace=mmap -o "$tmp/trace" "$read" ls -R "${other[@]}" "$@" >"$tmp/stdout" 2>"$tmp/stderr"
	grep -cE 'mmap\(NULL, [0-9]{8,}, ' "$tmp/trace"
}
if ! strace -qq -e trace=none true 2>/dev/null; then
	skip "one derivation" "strace cannot trace here"
elif sanitized; then
	skip "one derivation" "sanitizers have memory of their own"
else
	fresh
	is "a set of three opens with one derivation" "$(derivations "$set/2")" 1
	no "and all of it" grep -q 'not here' "$tmp/stderr"
	is "also where they are named" "$(derivations --volume "$set/3" --volume "$set/2" "$set/1")" 1
	fresh 2
	is "as one alone does" "$(derivations "$set/2")" 1
	noise 2 128 "$(where slots 2 "${other[@]}" | head -n 1)"
	ok "a control: with header A lost there are more" test "$(derivations "$set/2")" -gt 1
fi
finish
