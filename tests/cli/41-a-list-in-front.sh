#!/bin/bash
# The list of files lies twice, at both ends of the content: what is cut off, or broken in
# one place, costs the files there, and no others, whatever parity there is.  tests/decode.py,
# which was written from the manual alone, says which those are.
. tests/cli/lib.sh

bundle=$tmp/bundle hurt=$tmp/hurt new=$tmp/new out=$tmp/out src=$tmp/src
head -c 64 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")
mkdir "$src" "$src/d"
for i in {10..24}; do head -c $((60000 + i)) /dev/urandom >"$src/$i.jpg"; done
head -c 5000 /dev/urandom >"$src/d/small.jpg"
files=16

# --- what each verb says of $hurt ------------------------------------------------------------

decode() { /usr/bin/python3 tests/decode.py "${key[@]}" "$@"; }

# What is left of the files, and what is not, by decode.py alone.
expect() {
	decode hash "$@" >"$tmp/hash" 2>/dev/null
	jq -r 'select(.sha256) | .sha256 + "  " + .path' "$tmp/hash" | sort >"$tmp/whole"
	jq -r 'select(.error) | .path' "$tmp/hash" | sort >"$tmp/lost"
}

hashes() { (cd "$1" && find . -type f -printf '%P\0' | xargs -r -0 sha256sum | sort); }
named() { sed -nE 's/^satchel-read: ([^:]*): damaged beyond.*/\1/p' "$1" | sort; }

lists_all() { # CODE VOLUME
	exits "$1" "$read" ls -q -R "${key[@]}" "$2" || return
	[ "$(grep -c 'jpg$' "$tmp/stdout")" -eq "$files" ]
}

gives_the_rest() { # CODE VOLUME
	rm -rf "$out"
	exits "$1" "$read" extract -q "${key[@]}" -C "$out" "$2" || return
	diff <(hashes "$out") "$tmp/whole" && diff <(named "$tmp/stderr") "$tmp/lost" &&
		diff <(hashes "$src" | comm -13 - "$tmp/whole") /dev/null
}

says_what() { # VOLUME
	local last='no file is lost'
	[ ! -s "$tmp/lost" ] || last='lost: '
	exits 4 "$read" verify -q "${key[@]}" "$1" || return
	diff <(named "$tmp/stderr") "$tmp/lost" && tail -n 1 "$tmp/stdout" | grep "^$last" &&
		! grep 'part of the index' "$tmp/stdout"
}

says_it_to_programs() { # VOLUME
	exits 4 "$read" verify -q --json "${key[@]}" "$1" || return
	diff <(jq -r 'select(.type == "loss").path' "$tmp/stdout" | sort) "$tmp/lost" &&
		[ "$(tail -n 1 "$tmp/stdout" | jq -c '[.result, .files_lost, .index_damaged]')" == \
			"[\"lost\",$(wc -l <"$tmp/lost"),false]" ]
}

repairs_the_rest() { # VOLUME CODE: that of extract, of the copy
	rm -f "$new"
	exits 4 "$read" repair -q "${key[@]}" -o "$new" "$1" || return
	diff <(named "$tmp/stderr") "$tmp/lost" || return
	expect "$new"
	diff <(named "$tmp/stderr") "$tmp/lost" && gives_the_rest "$2" "$new"
}

# Lost are at least MIN files and at most MAX.
between() { # MIN MAX
	local n
	n=$(wc -l <"$tmp/lost")
	echo "$n files are lost"
	[ "$n" -ge "$1" ] && [ "$n" -le "$2" ] && [ "$(wc -l <"$tmp/whole")" -eq $((files - n)) ]
}

# The last list is read first: who does not miss it does not see that the other is lost.
costs() { # WHAT LS-CODE MIN MAX
	local code=$2
	expect "$hurt"
	[ ! -s "$tmp/lost" ] || code=4
	ok "$1: decode.py misses some" between "$3" "$4"
	ok "$1: ls lists all" lists_all "$2" "$hurt"
	ok "$1: extract gives the rest" gives_the_rest "$code" "$hurt"
	ok "$1: verify says what is lost" says_what "$hurt"
	ok "$1: as JSON, too" says_it_to_programs "$hurt"
	ok "$1: repair makes a copy of the rest" repairs_the_rest "$hurt" "$code"
}

# --- damage ------------------------------------------------------------------------------------

where() { tests/where.py "$1" "${key[@]}" "$bundle"; }

lay_out() { # the offsets of all logical pages, of data pages, and of the front's and the last's
	mapfile -t pages < <(where pages)
	mapfile -t data < <(where data)
	mapfile -t front < <(where front)
	mapfile -t index < <(where index)
}

lose() { overwrite "$hurt" 16384 "$@"; } # AT...: these pages

# The last pages of the data, and all that is behind them: they are what parity is of.
lose_end() { lose "${data[@]:${#data[@]}-12}" "${pages[@]:${#data[@]}}"; }
lose_begin() { lose "${pages[@]:0:20}"; }

pack_one() { # PARITY [OPTION...]
	"$pack" -q -f --no-verify "${key[@]}" --parity "$1" --size 2000000 "${@:2}" -o "$bundle" "$src/." || exit 1
	lay_out
}

signs=('')
if command -v minisign >/dev/null; then
	minisign -G -W -p "$tmp/ours.pub" -s "$tmp/ours" >/dev/null
	signs=('' "--sign $tmp/ours")
else
	skip "what is signed" "minisign is not installed"
fi

for parity in 0 4; do for sign in "${signs[@]}"; do
	what="parity $parity${sign:+, signed}"
	# shellcheck disable=SC2086  # two words or none
	pack_one $parity $sign
	decode info "$bundle" >"$tmp/info" || exit 1
	ok "$what: the list is in front, too" grep -qx 'index in front: True' "$tmp/info"
	ok "$what: decode.py finds all" test "${#front[@]}" -ge 1 -a "${#index[@]}" -ge 1

	head -c "${data[${#data[@]}-12]}" "$bundle" >"$hurt"
	costs "$what, cut off" 5 2 5
	cp "$bundle" "$hurt"
	lose_end
	costs "$what, broken at the end" 5 2 5
	cp "$bundle" "$hurt"
	lose_begin
	costs "$what, broken in front" 0 5 9
	cp "$bundle" "$hurt"
	lose_begin
	lose_end
	expect "$hurt"
	is "$what, a control: with both lost decode.py has nothing" "$(cat "$tmp/whole")" ''
	ok "nor has ls" exits 4 "$read" ls -q -R "${key[@]}" "$hurt"
	is "nothing is listed" "$(cat "$tmp/stdout")" ''
	ok "verify: 4" exits 4 "$read" verify -q "${key[@]}" "$hurt"
	ok "and says why" grep -qx 'beyond repair: a part of the index' "$tmp/stdout"
	is "and what it comes to" "$(tail -n 1 "$tmp/stdout")" \
		'lost: the list of files, and so all of them: get a fresh copy'
done; done

# --- a list of several pages --------------------------------------------------------------------

# Pages that have nothing but the list: what only one of them is lost of costs no file.
rm -r "$src"
mkdir "$src"
files=320
for ((i = 0; i < files; i++)); do
	head -c 4500 /dev/urandom >"$src/$(head -c 118 /dev/urandom | od -An -v -tx1 | tr -d ' \n').jpg"
done
pack_one 0
ok "a list of several pages" test "${#front[@]}" -ge 3 -a "${#index[@]}" -ge 3
cp "$bundle" "$hurt"
lose "${front[0]}"
costs "a page of the list in front" 0 0 0
cp "$bundle" "$hurt"
lose "${index[@]: -1}"
costs "a page of the last list" 5 0 0
lose "${front[0]}"
costs "another page of each" 5 0 0
cp "$bundle" "$hurt"
lose "${index[@]:1}"
costs "all of the last list" 5 0 0
ok "a control: all of both" lose "${front[@]:0:${#front[@]}-1}"
ok "lists nothing" exits 4 "$read" ls -q -R "${key[@]}" "$hurt"

# --- a list that is large for what it lists ---------------------------------------------------------

for file in "$src"/*; do echo tiny >"$file"; done
pack_one 0
decode info "$bundle" >"$tmp/info" || exit 1
ok "a list that is too large is there once" grep -qx 'index in front: False' "$tmp/info"
for length in 1600000 600000 100000; do
	head -c $length "$bundle" >"$hurt"
	for verb in "ls -R" "extract -C $out" verify; do
		rm -rf "$out"
		code=0
		# shellcheck disable=SC2086  # several words
		timeout 60 "$read" $verb -q "${key[@]}" "$hurt" >/dev/null 2>&1 || code=$?
		like "cut to $length: ${verb%% *} fails in order" $code '^(4|5|10)$'
	done
done

# --- a set of volumes ---------------------------------------------------------------------------------

rm -r "$src"
mkdir "$src"
for i in {10..29}; do head -c $((60000 + i)) /dev/urandom >"$src/$i.jpg"; done
files=20 set=$tmp/set
mkdir "$set"
"$pack" -q --no-verify "${key[@]}" --parity 0 --volume-size 600000 -o "$set/v.bin" "$src/." || exit 1
ok "there are several" test -e "$set/v-3.bin"
for volume in "$set"/v-*.bin; do
	decode info "$volume" >"$tmp/info"
	ok "${volume##*/}: the list is in front" grep -qx 'index in front: True' "$tmp/info"
done
for volume in "$set"/v-*.bin; do
	bundle=$volume
	lay_out
	hurt=$volume
	lose "${index[@]: -1}"
done
expect "$set"/v-*.bin
ok "each has lost its end" between 1 5
ok "ls lists all" lists_all 5 "$set/v-1.bin"
ok "extract gives the rest" gives_the_rest 4 "$set/v-1.bin"
ok "verify says what is lost" says_what "$set/v-1.bin"
mv "$set"/v-2.bin "$tmp/alone"
expect "$tmp/alone"
ok "one alone lists all" lists_all 5 "$tmp/alone"
rm -rf "$out"
"$read" extract -q "${key[@]}" -C "$out" "$tmp/alone" >/dev/null 2>&1
is "and gives what it has" "$(hashes "$out")" "$(cat "$tmp/whole")"
ok "which is something" test -s "$tmp/whole"

# --- copies that are not the same -----------------------------------------------------------------------

tests/encode.py --flaw index-copies-differ "$tmp"
key=(--key-file "$tmp/a.keyfile")
ok "a forger's second list is not asked" exits 0 "$read" ls -q -R "${key[@]}" "$tmp/index-copies-differ.bundle"
ok "decode.py looks at it" exits 4 /usr/bin/python3 tests/decode.py "${key[@]}" info "$tmp/index-copies-differ.bundle"
finish
