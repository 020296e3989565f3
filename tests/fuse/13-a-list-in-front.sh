#!/bin/bash
# The list of files lies twice, at both ends of the content: a mount of what was cut off, or
# is broken at one end, shows every name, and the files that are not hit as they were packed.
. tests/fuse/lib.sh

bundle=$tmp/bundle src=$tmp/src
head -c 64 /dev/urandom >"$tmp/key"
key=(-q --key-file "$tmp/key")
mkdir "$src"
for i in {10..24}; do head -c $((60000 + i)) /dev/urandom >"$src/$i.jpg"; done

where() { tests/where.py "$1" --key-file "$tmp/key" "$tmp/whole"; }
lose() { overwrite "$bundle" 16384 "$@"; } # AT...: these pages
lose_end() { lose "${data[@]:${#data[@]}-12}" "${pages[@]:${#data[@]}}"; }
lose_begin() { lose "${pages[@]:0:20}"; }
cut_off() { truncate -s "${data[${#data[@]}-12]}" "$bundle"; }

# shows MIN MAX [OPTION]: all names, and all files but so many.
shows() {
	local same=0 lost=0 file names
	up "${@:3}" || { cat "$tmp/stderr"; return 1; }
	names=$(ls "$mnt")
	for file in "$src"/*; do
		if cat "$mnt/${file##*/}" >"$tmp/file" 2>/dev/null; then
			cmp -s "$file" "$tmp/file" && same=$((same + 1))
		else
			lost=$((lost + 1))
		fi
	done
	down
	echo "exit code $code; $same are the same, $lost are lost"
	[ "$names" == "$(ls "$src")" ] && [ "$code" -eq 4 ] && [ $((same + lost)) -eq 15 ] &&
		[ "$lost" -ge "$1" ] && [ "$lost" -le "$2" ]
}

for parity in 0 4; do
	"$pack" -f --no-verify "${key[@]}" --parity $parity --size 2000000 -o "$tmp/whole" "$src/." || exit 1
	mapfile -t pages < <(where pages)
	mapfile -t data < <(where data)
	for mode in '' --cache; do
		for loss in 'cut_off 2 5' 'lose_end 2 5' 'lose_begin 5 9'; do
			read -r how min max <<<"$loss"
			cp "$tmp/whole" "$bundle"
			$how
			# shellcheck disable=SC2086  # a word or none
			ok "parity $parity, $how: ${mode:-private}" shows "$min" "$max" $mode
		done
	done
	cp "$tmp/whole" "$bundle"
	lose_begin
	lose_end
	no "a control: both ends lost" shows 0 15
done
finish
