#!/bin/bash
# An inspector without a key, over many bundles: key files, passphrases, recipients,
# several compartments, several volumes.  Whatever is to be found in none of them is
# first planted in copies, as a build with that fault would have written it, and must
# be found; planting shows as much as such a build would, and nobody can install it.
#
# MANY=n: n bundles of each sort.
. tests/random/lib.sh

many=${MANY:-100}
mkdir "$tmp/src" "$tmp/other" "$tmp/long"
seq 1 200 >"$tmp/src/numbers.txt"
head -c 3000 /dev/urandom >"$tmp/src/clip.mp4"
head -c 400000 /dev/urandom >"$tmp/long/film.mp4"
echo 'another' >"$tmp/other/file"
head -c 64 /dev/urandom >"$tmp/key1"
head -c 64 /dev/urandom >"$tmp/key2"
head -c 64 /dev/urandom >"$tmp/key3"
printf 'correct horse battery staple of no use' >"$tmp/pass"
age-keygen -o "$tmp/identity" 2>/dev/null
recipient=$(age-keygen -y "$tmp/identity")
cat >"$tmp/recipe.ini" <<'RECIPE'
[bundle]
size = 430001
[compartment one]
source = src
key-file = key1
[compartment two]
source = other
key-file = key2
[compartment three]
source = other
key-file = key3
RECIPE

# N bundles of the same content, so that what repeats is ours.
pack_many() { # DIRECTORY N ARGUMENT...
	local dir=$tmp/$1 n=$2 i outputs=()
	shift 2
	mkdir "$dir"
	for ((i = 0; i < n; i++)); do
		outputs+=(-o "$dir/$i")
		if [ ${#outputs[@]} -eq 200 ] || [ $((i + 1)) -eq "$n" ]; then
			"$pack" -q --no-verify "${outputs[@]}" "$@" || return
			outputs=()
		fi
	done
}

inspect() { nice /usr/bin/python3 tests/random/inspector.py "$@"; }

nothing() { # WHAT ARGUMENT...
	local what=$1
	shift
	ok "nothing is found: $what" exits 0 inspect "$@"
	said
}

# Tells are planted in copies of some bundles, and all of them found.
caught() { # KIND,... TEST REGEX...
	local kinds=$1 test=$2 regex
	shift 2
	rm -rf "$tmp/control"
	mkdir "$tmp/control"
	nice /usr/bin/python3 tests/random/plant.py "$kinds" "$tmp/control" "${some[@]}" || return
	inspect --only "$test" "$tmp"/control/* >"$tmp/found" 2>/dev/null
	for regex; do
		like "control: $kinds would be found: $regex" "$(cat "$tmp/found")" "$regex"
	done
}

ok "$many bundles are packed" pack_many keyfile "$many" --key-file "$tmp/key1" "$tmp/src"
ok "for recipients, too" pack_many recipient "$many" --recipient "$recipient" --parity 0 "$tmp/src"
ok "with three compartments" pack_many three $((many / 2)) --recipe "$tmp/recipe.ini"
ok "in several volumes" pack_many volumes $((many / 10)) --key-file "$tmp/key1" --volume-size 256K "$tmp/long"
ok "of which there are several" test -e "$tmp/volumes/0-3"
ok "a few for passphrases" pack_many passphrase 6 --passphrase-file "$tmp/pass" --kdf low "$tmp/src"

# E, which is the one thing in a bundle that is not a cipher's output.
nothing "with a recipient, in E" --only curve "$tmp"/recipient/*
nothing "all together" --exact "$tmp"/{keyfile,recipient,three,volumes,passphrase}/*
mapfile -t some < <(find "$tmp/keyfile" -type f | head -n 60)
for kind in x25519 no-torsion one-branch lower-roots; do
	caught $kind curve 'E of header A'
done
if [ "${MANY:-}" ]; then
	nothing "with a key file" "$tmp"/keyfile/*
	nothing "with a recipient" "$tmp"/recipient/*
	nothing "with three compartments" --exact "$tmp"/three/*
	nothing "in volumes" --exact "$tmp"/volumes/*
	for kind in x25519-with-a-random-bit ed25519 half-the-torsion even-roots top-bit-zero; do
		caught $kind curve 'E of header A'
	done
	caught good-keys curve '^$'
	caught random-bytes bytes,repeated,multiples,files '^$'
fi

mapfile -t some < <(find "$tmp/keyfile" -type f | head -n 100)
caught fixed-byte,fixed-byte-of-header-b,rare-bit,all-bytes-a-little bytes \
	'byte 100 of header A' \
	'byte 16383 of header B' 'bit 4 of byte 3000 of header A' 'bit 7 of all bytes of header A'
caught shared-block,both-headers,same-e-in-both-headers,block-within repeated \
	'file ([0-9]+) at 50000 is file [0-9]+ at 50000' 'is file ([0-9]+) at 0 ' \
	'is file ([0-9]+) at 16 ' 'at 40000 is file ([0-9]+) at 20000'
caught parity-of-what-is-sealed,plaintext multiples,files 'is a multiple of' 'bytes of file [0-9]'
caught whole-pages lengths 'multiples of 4096'
caught even-lengths lengths 'bit 0 of the length'
caught one-length lengths 'times a length of 100000'

# Parity pages, seen by somebody who knows where they are.
parity() { nice /usr/bin/python3 tests/random/parity.py "$@"; }
mapfile -t some < <(find "$tmp/keyfile" "$tmp/three" -type f -name '*[13]')
ok "parity is that of nothing on the drive" parity "$tmp/key1" "${some[@]}"
for kind in raw unsealed; do
	rm -rf "$tmp/control"
	mkdir "$tmp/control"
	parity --plant $kind "$tmp/key2" "$tmp/control" "$tmp"/three/1
	ok "control: $kind parity would be found" exits 1 parity "$tmp/key2" "$tmp/control/1"
	like "by what it says" "$(cat "$tmp/stdout")" 'p = 0'
done

if [ -z "${MANY:-}" ]; then
	skip "ent and rngtest" "only in make check-random"
elif command -v ent >/dev/null && command -v rngtest >/dev/null; then
	others() { exits "$1" /usr/bin/python3 tests/random/others.py "${@:2}"; }
	for sort in keyfile recipient three volumes; do
		ok "ent and rngtest: $sort" others 0 "$tmp/$sort"/*
		said
	done
	yes 'a little text' | head -c 20000 >"$tmp/text"
	ok "control: ent and rngtest see a little text" others 1 "$tmp"/keyfile/1? "$tmp/text"
else
	skip "ent and rngtest" "not installed"
fi
finish
