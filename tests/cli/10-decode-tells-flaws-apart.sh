#!/bin/bash
# Bundles with one rule of bundle(5) broken, each, and sticks that are damaged: what the
# reader says of them.
set -u

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
count=0

tests/encode.py --flaw all "$tmp" || exit 1

for keys in "$tmp"/*.keys; do
	name=$(basename "${keys%.keys}")
	options=() bundles=()
	while read -r word value; do
		case $word in
		bundle) bundles+=("$tmp/$value") ;;
		word) wanted=$value ;;
		status) status=$value ;;
		verify) ;;
		length) options+=(--length "$value") ;;
		*) options+=("--$word" "$tmp/$value") ;;
		esac
	done < "$keys"
	tests/decode.py "${options[@]}" hash "${bundles[@]}" > "$tmp/out" 2> "$tmp/err"
	[ $? = "$status" ] && ! grep -q Traceback "$tmp/err" && case $status in
	0 | 5) cmp -s "$tmp/out" "${keys%.keys}.expect" ;;
	4) grep -q "\"error\": \"$wanted\"" "$tmp/out" || grep -q "^decode.py: $wanted: " "$tmp/err" ;;
	*) grep -qE "^decode.py: $wanted(: |\$)" "$tmp/err" ;;
	esac
	bad=$?
	# No byte is released but those of the files that the flaw does not concern.
	# (Of many files some are named.)
	files=$(sed -n 's/^files: //p' "${keys%.keys}.vector")
	released=$(jq -r --arg files " ${files:-} " 'select(.sha256) | " \(.path) " as $path |
		select($files == "  " or ($files | contains($path))) | .sha256 + "  " + .path' "$tmp/out" |
		sha256sum | cut -d' ' -f1)
	grep -qx "released: $released" "${keys%.keys}.vector" || bad=1
	count=$((count + 1))
	if [ $bad = 0 ]; then echo "ok $count - $name"; else echo "not ok $count - $name"; fi
	[ $bad = 0 ] || sed 's/^/# /' "$tmp/err"
	rm -f "${bundles[@]}"
done

echo "1..$count"
