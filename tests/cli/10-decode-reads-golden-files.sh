#!/bin/bash
# The reader written from bundle(5) reads what the writer written from it wrote.
set -u

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
count=0

result() {          # result STATUS TEXT
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
}

# Runs decode.py VERB on a case that has been unfolded.
decode() {
	local word value wanted=0 options=() bundles=()
	while read -r word value; do
		case $word in
		bundle) bundles+=("$value") ;;
		status) wanted=$value ;;
		*) options+=("--$word" "$value") ;;
		esac
	done < "$2"
	tests/decode.py "${options[@]}" "$1" "${bundles[@]}" > "$tmp/out" 2> "$tmp/err"
	[ $? = "$wanted" ] || return 1
	! grep -q Traceback "$tmp/err"
}

check() {           # check DIRECTORY: every case in it
	local keys expect name bad
	tests/encode.py --unfold "$1"/*.keys "$tmp"
	for keys in "$1"/*.keys; do
		name=$(basename "${keys%.keys}")
		expect=${keys%.keys}.expect
		decode hash "$tmp/$name.case" && { [ ! -e "$expect" ] || cmp -s "$tmp/out" "$expect"; }
		bad=$?
		result $bad "$name"
		[ $bad = 0 ] || sed 's/^/# /' "$tmp/err"
	done
}

check tests/data/good
check tests/data/golden-1          # what satchel-pack wrote, for ever

# Too large to be kept in the source.
mkdir "$tmp/large"
tests/encode.py one-page two-pages columns columns-12-lost columns-scattered deep wide \
	cut-extents cut-extents-other cut-extents-third-missing \
	cut-extents-signed cut-extents-signed-third-missing "$tmp/large"
result $? "what is too large to be kept is written"
check "$tmp/large"

head -c 200000 /dev/urandom > "$tmp/random.bundle"
: > "$tmp/nothing.bundle"
for file in random nothing; do
	tests/decode.py --key-file tests/data/good/a.keyfile ls "$tmp/$file.bundle" > "$tmp/out" 2>&1
	[ $? = 12 ] && grep -q 'no key fits' "$tmp/out" && [ "$(wc -l < "$tmp/out")" = 1 ]
	result $? "no key fits a file of $file"
done

good=tests/data/good
read -r hash _ < <(tests/decode.py --passphrase-file $good/one.passphrase cat $good/links.bundle \
	-- under/several | sha256sum)
grep -q "\"under/several\".*$hash" $good/links.expect
result $? "cat follows a hard link"

tests/decode.py --passphrase-file $good/one.passphrase cat $good/links.bundle -- nowhere 2> "$tmp/err"
[ $? = 1 ] && [ "$(wc -l < "$tmp/err")" = 1 ]
result $? "cat of what is not there is one line"

tests/decode.py --passphrase-file $good/one.passphrase --json info $good/parity-4.bundle > "$tmp/out" &&
	grep -q '"parity": 4' "$tmp/out" && grep -q '"pages lost": 0' "$tmp/out"
result $? "info of what is whole"

tests/decode.py --passphrase-file $good/one.passphrase --json info "$tmp/parity-4-damaged.parity-4.bundle" > "$tmp/out"
[ $? = 5 ] && grep -q '"pages lost": 4' "$tmp/out" && grep -q '"repaired": 2' "$tmp/out"
result $? "info of what can be repaired"

printf 'bad \xff' > "$tmp/bad"
tests/decode.py --passphrase-file "$tmp/bad" ls $good/empty.bundle 2> "$tmp/err"
[ $? = 2 ] && [ "$(wc -l < "$tmp/err")" = 1 ]
result $? "a passphrase that is not UTF-8 is refused"

echo "1..$count"
