#!/bin/bash
# Bundles with one rule of bundle(5) broken each, by somebody who has the key: the
# mount is refused, or shows what is sound and EIO for the rest, and the exit code
# tells of it; it does not fall, hang, or show what is outside the tree.
. tests/fuse/lib.sh

flaws=$tmp/flaws
mkdir "$flaws"
tests/encode.py --flaw all "$flaws"
ulimit -v "$KIB"

# What only satchel-read verify sees: nobody who reads files meets it.
unseen=' attributes-order attributes-twice hard-link-to-one-name padding plain-length-longer range-ends-in-a-frame range-ends-in-an-extent runs-back '

read_keys() { # FILE
	local word value
	key=() bundle=''
	while read -r word value; do
		case $word in
		bundle) if [ "$bundle" ]; then key+=(--volume "$flaws/$value"); else bundle=$flaws/$value; fi ;;
		word) wanted=$value ;;
		status) status=$value ;;
		publisher | length) key+=("--$word" "$value") ;;
		*) key+=("--$word" "$flaws/$value") ;;
		esac
	done <"$1"
}

# Some of what is broken in the root is noticed when it is opened, some later.
as_good() { # GOT
	case $1/$status in
	4/4 | 4/10 | 10/4 | 10/10 | 0/0) ;;
	0/4) [[ $unseen == *" $name "* ]] ;;
	*) false ;;
	esac
}

refused() {
	code=0
	wait "$pid" || code=$?
	pid=''
	echo "refused: $(cat "$tmp/stderr"); exit code $code, expected $status"
	[ "$code" -ne 0 ] && [ "$(wc -l <"$tmp/stderr")" -eq 1 ] && as_good "$code"
}

fits() { # OPTION...
	local walked=0
	up "$@" || { refused; return; }
	timeout 60 python3 tests/fuse/walk.py "$mnt" || walked=$?
	down
	echo "$(cat "$tmp/stderr"); exit code $code, expected $status"
	[ "$walked" -eq 0 ] && as_good "$code"
}

mode=''
for keys in "$flaws"/*.keys; do
	read_keys "$keys"
	name=${keys##*/} name=${name%.keys}
	ok "$name: $wanted ${mode:-private}" fits $mode
	if [ "$mode" ]; then mode=''; else mode=--cache; fi
done
finish
