#!/bin/bash
# Bundles with one rule of bundle(5) broken, each: satchel-read verify notices,
# and says it with the exit code that tests/decode.py has for it.  What is wrong
# with the root shows when a bundle is opened or when it is read: 4 or 10.
. tests/cli/lib.sh

flaws=$tmp/flaws
mkdir "$flaws"
tests/encode.py --flaw all "$flaws" >/dev/null || exit 1

# From the .keys of a flaw: options, bundle, wanted exit code.
take() {
	local word value
	key=(-q) bundle='' wanted=0
	while read -r word value; do
		case $word in
		bundle)
			if [ "$bundle" ]; then key+=(--volume "$flaws/$value"); else bundle=$flaws/$value; fi
			;;
		word) ;;
		status) wanted=$value ;;
		*) key+=("--$word" "$flaws/$value") ;;
		esac
	done <"$1"
}

noticed() {
	local code=0
	timeout 30 "$read" verify "${key[@]}" "$bundle" 2>"$tmp/stderr" || code=$?
	cat "$tmp/stderr"
	echo "exit code $code, expected $wanted"
	case $wanted,$code in
	4,10 | 10,4) ;;
	*) [ "$code" -eq "$wanted" ] ;;
	esac
}

for keys in "$flaws"/*.keys; do
	take "$keys"
	ok "$(basename "$keys" .keys)" noticed
done
finish
