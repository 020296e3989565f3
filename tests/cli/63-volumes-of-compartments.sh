#!/bin/bash
# Several compartments in several volumes: each opens with its own key from any of
# them, and what one is given of each volume says nothing of the others.
. tests/cli/lib.sh

desk=$tmp/desk out=$tmp/out
mkdir -p "$desk"/{films,notes,third} "$out"
for i in {1..9}; do head -c 700K /dev/urandom >"$desk/films/$i.mp4"; done
seq 1 400000 >"$desk/notes/numbers"
for i in {1..300}; do echo "note $i" >"$desk/notes/$i"; done
head -c 5M /dev/urandom >"$desk/third/long.mkv"
for i in 1 2 3; do head -c 64 /dev/urandom >"$desk/key$i"; done
minisign -G -f -W -p "$desk/pub" -s "$desk/sec" >/dev/null

recipe() { # COMPARTMENT...
	printf '[bundle]\nsize = 32000000\nvolume-size = 8M\n'
	for name in "$@"; do
		case $name in
		films) printf '[compartment films]\nsource = films\nkey-file = key1\nsign = sec\n' ;;
		notes) printf '[compartment notes]\nsource = notes\nkey-file = key2\n' ;;
		third) printf '[compartment third]\nsource = third\nkey-file = key3\n' ;;
		esac
	done
}

# What the holder of a key sees of the volumes: how much is owned, and how much of it
# used, of how much.
owned() { # KEY VOLUME...
	tests/decode.py --key-file "$desk/key$1" info "${@:2}" |
		grep -E '^(length|slices|owned|data pages|parity pages):'
}

recipe films notes third >"$desk/recipe"
ok "three compartments" exits 0 "$pack" -q --recipe "$desk/recipe" -o "$out/x.bin"
is "in volumes that are together as long as wished" "$(stat -c %s "$out"/* | sort | uniq -c | tr -s ' ')" \
	" 4 8000000"
n=0
for name in films notes third; do
	n=$((n + 1))
	rm -rf "$tmp/got"
	ok "$name opens" exits 0 "$read" extract -q --key-file "$desk/key$n" -C "$tmp/got" "$out/x-$n.bin"
	ok "and is all there is" diff -r "$desk/$name" "$tmp/got/$name"
	is "and nothing else" "$(ls "$tmp/got")" "$name"
	is "$name owns as much in each volume as in any other" \
		"$(owned $n "$out"/* | grep '^owned' | sort -u | wc -l)" 1
done
ok "all are healthy" exits 0 "$read" verify --key-file "$desk/key3" "$out/x-4.bin"

# Alone, or with any others: the same numbers.
with_all=$(owned 1 "$out"/x-{1,2,3,4}.bin)
like "there are such numbers" "$with_all" 'owned: [0-9]+'
for others in "" "notes" "third"; do
	rm "$out"/*
	# shellcheck disable=SC2086  # none, or one
	recipe films $others >"$desk/recipe"
	"$pack" -q --recipe "$desk/recipe" -o "$out/x.bin"
	is "who has the films sees the same with ${others:-nothing} beside them" \
		"$(owned 1 "$out"/x-{1,2,3,4}.bin)" "$with_all"
done
# The control: it is not always the same.
rm "$out"/* "$desk/films/9.mp4"
"$pack" -q --recipe "$desk/recipe" -o "$out/x.bin"
no "but not with other films" test "$(owned 1 "$out"/x-{1,2,3,4}.bin)" == "$with_all"

# One way in less for each of them.
keys=()
for i in {1..28}; do
	head -c 32 /dev/urandom >"$desk/more$i"
	keys+=("key-file = more$i")
done
{
	recipe films
	printf '%s\n' "${keys[@]}"
	recipe notes third | tail -n +4
} >"$desk/recipe"
ok "30 ways into three compartments are too many" exits 2 "$pack" -q -n --recipe "$desk/recipe"
like "which is said" "$(cat "$tmp/stderr")" 'more than 29 passphrases'
sed -i '/more28/d; /more27/d' "$desk/recipe"
rm "$out"/*
ok "29 are not" exits 0 "$pack" -q --recipe "$desk/recipe" -o "$out/x.bin"
ok "and open" exits 0 "$read" verify --key-file "$desk/more26" "$out/x-3.bin"

finish
