#!/bin/bash
# Somebody who has the key of one compartment, or of two, and knows what is in them,
# cannot tell whether there is one more: over many bundles with and without it, of one
# size, nothing that can be computed differs, and a classifier learns nothing.  Builds
# that deal out space with less thought are caught by the same questions.
#
# MANY=n: n bundles of each sort.
export TMPDIR=${TMPDIR:-/dev/shm} PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1
. tests/cli/lib.sh

many=${MANY:-120}
mkdir "$tmp/known" "$tmp/also" "$tmp/hidden"
head -c 60000 /dev/urandom >"$tmp/known/clip.mp4"
head -c 30000 /dev/urandom >"$tmp/also/song.mp3"
head -c 45000 /dev/urandom >"$tmp/hidden/film.mp4"
for key in known also hidden; do head -c 64 /dev/urandom >"$tmp/$key.key"; done

# NAME COMPARTMENT...: a recipe.
recipe() {
	local name=$1 each
	shift
	{
		printf '[bundle]\nsize = 690001\n'
		for each; do
			printf '[compartment %s]\nsource = %s\nkey-file = %s.key\n' "$each" "$each" "$each"
		done
	} >"$tmp/$name.ini"
}
recipe 1.0 known
recipe 1.1 hidden known
recipe 2.0 known also
recipe 2.1 hidden known also
declare -A keys=([1]="$tmp/known.key" [2]="$tmp/known.key,$tmp/also.key")

analyst() { nice /usr/bin/python3 tests/random/analyst.py "$@"; }

# Packed and looked at, a hundred at a time; the first are kept.
pack_and_look() { # NAME
	local name=$1 done=0 step i outputs dir=$tmp/now
	mkdir -p "$tmp/kept.$name"
	while [ "$done" -lt "$many" ]; do
		step=$((many - done < 100 ? many - done : 100)) outputs=()
		mkdir "$dir"
		for ((i = 0; i < step; i++)); do outputs+=(-o "$dir/b$i"); done
		"$pack" -q --no-verify --recipe "$tmp/$name.ini" "${outputs[@]}" 2>"$tmp/said" || return
		analyst look "${keys[${name%.*}]}" "$dir"/* >>"$tmp/$name.json" || return
		[ "$done" -gt 0 ] || mv "$dir"/b{?,1?,2?} "$tmp/kept.$name"
		rm -r "$dir"
		done=$((done + step))
	done
}

said() { sed 's/^/# /' "$tmp/stderr"; }

for name in 1.0 1.1 2.0 2.1; do
	ok "$many bundles: ${name%.*} known, ${name#*.} further" pack_and_look $name
done
for n in 1 2; do
	ok "whoever has $n of the keys sees no difference" exits 0 analyst compare "$tmp/$n.0.json" "$tmp/$n.1.json"
	said
done

# Controls: what a build would do that has not thought of it.
caught() { # WHAT REGEX
	ok "control: $1 would be noticed" exits 1 analyst compare "$tmp/without" "$tmp/with"
	like "and by that" "$(cat "$tmp/stdout")" "$2"
}
simulated() { # DEAL REGEX [VOLUMES]
	local n
	for n in 1 ${MANY:+2}; do
		analyst simulate "$1" 120 0 "$n" "${3:-1}" >"$tmp/without"
		analyst simulate "$1" 120 1 "$n" "${3:-1}" >"$tmp/with"
		if [ "$1" == right ]; then
			ok "control: a right deal is not suspected, with $n keys" exits 0 analyst compare "$tmp/without" "$tmp/with"
		else
			caught "$1, with $n keys," "$2"
		fi
	done
}
simulated right '' 3
simulated contiguous 'key 0: first'
simulated leftover 'key 0: (gaps squared|at)'
simulated slots 'slots 0'
simulated length 'volume 0: length'
simulated greedy 'volume [0-2], key 0: count' 3

# The same with real bundles.
for deal in right contiguous slots; do
	for further in 0 1; do
		mkdir -p "$tmp/faulty$further"
		nice /usr/bin/python3 tests/random/faulty.py $deal $further 100 "$tmp/faulty$further"
	done
	analyst look "$tmp/faulty0/a.keyfile" "$tmp"/faulty0/*.bundle >"$tmp/without"
	analyst look "$tmp/faulty1/a.keyfile" "$tmp"/faulty1/*.bundle >"$tmp/with"
	case $deal in
	right) ok "control: rightly written bundles are not suspected" exits 0 analyst compare "$tmp/without" "$tmp/with" ;;
	contiguous) caught "contiguous slices in bundles" 'key 0: first' ;;
	slots) caught "slots in order in bundles" 'key 0: slots' ;;
	esac
	rm -r "$tmp/faulty0" "$tmp/faulty1"
done

# How the reader goes about it.
opening() { # WHAT VERB ROUNDS
	/usr/bin/python3 tests/random/opening.py "$1" "$2" "$read" "$tmp/known.key" "$3" "$tmp/kept.1.0" "$tmp/kept.1.1"
}
rounds=${MANY:+100}
for verb in ls verify; do
	ok "$verb makes the same reads" exits 0 opening reads $verb 1
	said
	ok "$verb takes as long" exits 0 opening time $verb "${rounds:-10}"
	said
done
if [ "${MANY:-}" ]; then
	ok "control: a twentieth longer would be noticed" exits 1 opening slower ls 100
	said
fi
finish
