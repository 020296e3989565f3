#!/bin/bash
# Bundles with one rule of bundle(5) broken each, by somebody who has the key, and sticks
# that are damaged: satchel-read verify says what the manual's own reader says, ls and
# extract take no harm, and nothing gets out of the tree.
. tests/cli/lib.sh

flaws=$tmp/flaws
mkdir "$flaws" "$tmp/out"
tests/encode.py --flaw all "$flaws"

# Exit codes that are as good: what is broken in the root may be noticed when it
# is opened, and what does not match the signature is altered then, too.
as_good() { # GOT WANTED WORD
	[ "$1" -eq "$2" ] || { [ "$2" -eq 4 ] && [ "$1" -eq 10 ] && [ "$3" == invalid ]; } ||
		{ [ "$2" -eq 10 ] && [ "$1" -eq 4 ] && [ "$3" == altered ]; }
}

fits() { # NAME STATUS WORD
	local code=0
	bounded "$read" verify -q "${key[@]}" "$bundle" >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
	echo "exit code $code, expected $2, $3"
	cat "$tmp/stderr"
	as_good "$code" "$2" "$3" || return 1
	# Something is said, in words, unless all is well.
	[ "$2" -eq 0 ] || [ -s "$tmp/stderr" ] || grep -q 'invalid\|altered\|damaged\|repaired\|cut off\|not used' "$tmp/stdout"
}

harmless() {
	local code=0 verb
	for verb in 'ls -lR' 'ls -R --json' tree "extract -C $tmp/out"; do
		# shellcheck disable=SC2086
		bounded "$read" $verb -q "${key[@]}" "$bundle" >/dev/null 2>"$tmp/stderr" || code=$?
		[ "$code" -lt 124 ] || { echo "$verb: exit code $code"; return 1; }
		! grep -E 'Sanitizer|runtime error' "$tmp/stderr" || return 1
	done
	find "$tmp/out" -mindepth 1 -delete
}

# What is released, file by file, is what NAME.vector says: whole and right, or
# nothing.
releases() { # NAME
	local wanted files path sums=
	wanted=$(sed -n 's/^lazily: //p' "$flaws/$1.vector")
	files=$(sed -n 's/^files: //p' "$flaws/$1.vector")
	[ "$wanted" != any ] || return 0
	for path in $files; do
		"$read" cat -q "${key[@]}" "$bundle" "$path" >"$tmp/file" 2>/dev/null
		[ ! -s "$tmp/file" ] || sums+="$(sha256sum <"$tmp/file" | cut -d' ' -f1)  $path"$'\n'
	done
	[ "$(printf '%s' "$sums" | sha256sum)" == "$wanted  -" ] || { echo "released: $sums"; return 1; }
}

for keys in "$flaws"/*.keys; do
	name=${keys##*/} name=${name%.keys}
	key=() bundle=''
	while read -r word value; do
		case $word in
		bundle) if [ "$bundle" ]; then key+=(--volume "$flaws/$value"); else bundle=$flaws/$value; fi ;;
		word) wanted=$value ;;
		status | verify) status=$value ;;
		publisher | length) key+=("--$word" "$value") ;;
		*) key+=("--$word" "$flaws/$value") ;;
		esac
	done <"$keys"
	ok "$name: $wanted" fits "$name" "$status" "$wanted"
	ok "$name: no harm" harmless
	ok "$name: what is released" releases "$name"
done
ok "there are enough of them" test "$(find "$flaws" -name '*.vector' | wc -l)" -ge 100
is "nothing else was made" "$(cd "$tmp" && echo *)" 'file flaws out stderr stdout'
finish
