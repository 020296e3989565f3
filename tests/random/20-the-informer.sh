#!/bin/bash
# Somebody who has the key of one compartment, or of two, and knows what is in them,
# cannot tell whether there is one more: over many bundles with and without it, of one
# size, nothing that can be computed differs, and a classifier learns nothing.  Builds
# that deal out space with less thought are caught by the same questions.
#
# MANY=n: n bundles of each sort.
. tests/random/lib.sh

many=${MANY:-100}
mkdir "$tmp/known" "$tmp/also" "$tmp/hidden"
for i in 1 2 3 4; do
	head -c 15000 /dev/urandom >"$tmp/known/$i.mp4"
	head -c 8000 /dev/urandom >"$tmp/also/$i.mp3"
	head -c 11000 /dev/urandom >"$tmp/hidden/$i.mp4"
done
for key in known also hidden; do head -c 64 /dev/urandom >"$tmp/$key.key"; done

# NAME COMPARTMENT...: recipes, for one volume and for three.
recipe() {
	local name=$1 each
	shift
	for each; do
		printf '[compartment %s]\nsource = %s\nkey-file = %s.key\n' "$each" "$each" "$each"
	done >"$tmp/compartments"
	{ printf '[bundle]\nsize = 690001\n' && cat "$tmp/compartments"; } >"$tmp/1.$name.ini"
	{ printf '[bundle]\nsize = 2000K\nvolume-size = 700K\n' && cat "$tmp/compartments"; } >"$tmp/3.$name.ini"
}
recipe 1.0 known
recipe 1.1 hidden known
recipe 2.0 known also
recipe 2.1 hidden known also
declare -A keys=([1]="$tmp/known.key" [2]="$tmp/known.key,$tmp/also.key")

analyst() { nice /usr/bin/python3 tests/random/analyst.py "$@"; }

# Packed and looked at, a hundred at a time; the first are kept.
pack_and_look() { # VOLUMES.KEYS.FURTHER
	local name=$1 n done=0 step i outputs bundles dir=$tmp/now
	n=${name#*.}
	mkdir -p "$tmp/kept.$name"
	while [ "$done" -lt "$many" ]; do
		step=$((many - done < 100 ? many - done : 100)) outputs=() bundles=()
		mkdir "$dir"
		for ((i = 0; i < step; i++)); do
			outputs+=(-o "$dir/b$i")
			case $name in
			1.*) bundles+=("$dir/b$i") ;;
			3.*) bundles+=("$dir/b$i-1,$dir/b$i-2,$dir/b$i-3") ;;
			esac
		done
		"$pack" -q --no-verify --recipe "$tmp/$name.ini" "${outputs[@]}" 2>"$tmp/said" || return
		analyst look "${keys[${n%.*}]}" "${bundles[@]}" >>"$tmp/$name.json" || return
		[ "$done" -gt 0 ] || mv "$dir"/b{?,[12]?} "$tmp/kept.$name" 2>/dev/null
		rm -r "$dir"
		done=$((done + step))
	done
}

# With one key and with two, in one volume and in three.
for sort in 1.1 1.2 3.1 ${MANY:+3.2}; do # volumes.keys
	for further in 0 1; do
		ok "$many bundles: ${sort%.*} volumes, ${sort#*.} known, $further further" pack_and_look "$sort.$further"
	done
	ok "whoever has ${sort#*.} of the keys sees no difference" exits 0 \
		analyst compare "$tmp/$sort.0.json" "$tmp/$sort.1.json"
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
	/usr/bin/python3 tests/random/opening.py "$1" "$2" "$read" "$tmp/known.key" "$3" "$tmp/kept.1.1.0" "$tmp/kept.1.1.1"
}
rounds=${MANY:+100}
for verb in ls verify; do
	ok "$verb makes the same reads" exits 0 opening reads $verb 1
	said
	ok "$verb takes as long" exits 0 opening time $verb "${rounds:-3}"
	said
done
if [ "${MANY:-}" ]; then
	ok "control: a twentieth longer would be noticed" exits 1 opening slower ls 100
	said
fi
finish
