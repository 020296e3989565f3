#!/bin/bash
# Bundles with one rule of bundle(5) broken each, by somebody who has the key, and sticks
# that are damaged: the mount is refused, or shows what is sound and EIO for the rest, and
# the exit code tells of it; it does not fall, hang, or show what is outside the tree.
# What of each file is released before an error is what the vector says.
. tests/fuse/lib.sh

flaws=$tmp/flaws
mkdir "$flaws"
tests/encode.py --flaw all "$flaws"
ulimit -v "$KIB"

# What only satchel-read verify sees: nobody who reads files meets it.
unseen=' attributes-order attributes-twice hard-link-to-one-name padding plain-length-longer range-ends-in-a-frame range-ends-in-an-extent runs-back volume-1-index-lost '

read_keys() { # FILE
	local word value
	key=() bundle=''
	while read -r word value; do
		case $word in
		bundle) if [ "$bundle" ]; then key+=(--volume "$flaws/$value"); else bundle=$flaws/$value; fi ;;
		word) wanted=$value ;;
		status) status=$value ;;
		verify) ;;
		publisher | length) key+=("--$word" "$value") ;;
		*) key+=("--$word" "$flaws/$value") ;;
		esac
	done <"$1"
}

# Some of what is broken in the root is noticed when it is opened, some later.
as_good() { # GOT
	case $1/$status in
	4/4 | 4/10 | 10/4 | 10/10 | 0/0 | 5/5 | 12/12) ;;
	0/4 | 0/5) [[ $unseen == *" $name "* ]] ;;
	*) false ;;
	esac
}

vector() { # WORD
	sed -n "s/^$1: //p" "$flaws/$name.vector"
}

# What comes out, file by file: whole and right, or nothing.  Who has read a directory
# asks for fewer names than who has not, so that it is as much as is released, or as
# little as by a reader that looks only at what it needs.
look() { # DIRECTORY
	local wanted sums
	# shellcheck disable=SC2046  # no spaces in them
	timeout 60 /usr/bin/python3 tests/fuse/walk.py "$1" $(vector files) >"$tmp/walked" || return
	cat "$tmp/walked"
	[ "$(vector lazily)" != any ] || return 0
	sums=$(tail -n +2 "$tmp/walked" | sha256sum)
	for wanted in released lazily; do
		[ "$sums" != "$(vector "$wanted")  -" ] || return 0
	done
	return 1
}

refused() {
	code=0
	wait "$pid" || code=$?
	pid=''
	echo "refused: $(cat "$tmp/stderr"); exit code $code, expected $status"
	[ "$code" -ne 0 ] && [ "$(grep -vc 'swap is on' "$tmp/stderr")" -eq 1 ] && as_good "$code" && look "$mnt"
}

fits() { # OPTION...
	local looked=0
	up "$@" || { refused; return; }
	look "$mnt" || looked=$?
	down
	echo "$(cat "$tmp/stderr"); exit code $code, expected $status"
	[ "$looked" -eq 0 ] && as_good "$code"
}

mode=''
for keys in "$flaws"/*.keys; do
	read_keys "$keys"
	name=${keys##*/} name=${name%.keys}
	ok "$name: $wanted ${mode:-private}" fits $mode
	if [ "$mode" ]; then mode=''; else mode=--cache; fi
done

# Controls: what is expected where all can be had, and not a byte less or another.
name=frame-with-checksum
read_keys "$flaws/$name.keys"
mkdir "$tmp/out"
"$read" extract -q "${key[@]}" -C "$tmp/out" "$bundle" 2>/dev/null
ok "a control: all files are right" look "$tmp/out"
truncate -s -1 "$tmp/out/a"
no "one is cut off" look "$tmp/out"
rm "$tmp/out/a"
no "one is not there" look "$tmp/out"
finish
