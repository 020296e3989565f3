#!/bin/bash
# Bundles that ask for more than there is, mounted in both modes: within an address
# space, what is looked at ends, the exit code tells of it, and the mount is taken away
# at once: in a second, and what it takes to ask.
. tests/fuse/lib.sh

mkdir "$tmp/bombs"
tests/encode.py --bomb all "$tmp/bombs"
ulimit -v "$KIB"

# What nobody meets who lists names and reads one file; what is cut short is worn.
unseen=' frame-of-gigabytes frame-that-says-so heap-of-gigabytes heap-without-end runs-without-end runs-of-many-files ten-thousand-levels a-path-of-16384 '

read_keys() { # FILE
	local word value
	key=() bundle='' status=''
	while read -r word value; do
		case $word in
		bundle) if [ "$bundle" ]; then key+=(--volume "$tmp/bombs/$value"); else bundle=$tmp/bombs/$value; fi ;;
		codes) status=${value%% *} ;;
		*) key+=("--$word" "$tmp/bombs/$value") ;;
		esac
	done <"$1"
}

# looked COMMAND...: it ends by itself.
looked() {
	local ended=0
	timeout -s KILL "$SECONDS_EACH" "$@" >/dev/null 2>"$tmp/said" || ended=$?
	[ "$ended" -lt 124 ] || { echo "$*: $ended"; tail -n 3 "$tmp/said"; return 1; }
}

if [ "$KIB" = unlimited ]; then
	skip "two gigabytes are too much" "a sanitizer needs more"
else
	no "two gigabytes are too much" python3 -c 'bytearray(2 << 30)'
fi
limit=$SECONDS_EACH SECONDS_EACH=1
no "what does not end is seen" looked sleep 100
SECONDS_EACH=$limit

as_good() { # CODE
	[ "$1" -eq "$status" ] || { [[ $1 == [05] ]] && [[ $unseen == *" $name "* ]]; }
}

holds() { # OPTION...
	local since good=0 code=0
	if ! up -q "$@"; then
		wait "$pid" || code=$?
		pid=''
		echo "refused: $code; $(cat "$tmp/stderr")"
		[ "$code" -eq 4 ]
		return
	fi
	# ls goes down as far as paths do, which takes the kernel a minute where others are busy.
	case $name in
	ten-thousand-levels | chains-side-by-side) looked find "$mnt" -maxdepth 300 || good=1 ;;
	*) looked ls -lR "$mnt" || good=1 ;;
	esac
	looked head -c 1000000 "$mnt/z" || good=1
	since=$(now)
	down || good=1
	took=$(($(now) - since))
	echo "exit code $code, expected $status; $(cat "$tmp/stderr")"
	within 2000 && [ "$good" -eq 0 ] && as_good "$code"
}

for keys in "$tmp"/bombs/*.keys; do
	read_keys "$keys"
	name=${keys##*/} name=${name%.keys}
	ok "$name, private" holds
	ok "$name, cached" holds --cache
done
finish
