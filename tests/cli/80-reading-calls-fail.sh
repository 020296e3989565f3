#!/bin/bash
# Every allocation, read, write, sync, rename, thread... of the reader fails once, with all
# others as they should be: no crash, no leak, the exit code of the manual, some plain
# words, and whatever has its final name is whole.
few=6
. tests/cli/lib.sh
. tests/cli/nth.sh

nth_begin
nth_hurt
dynamic=$build/tests/satchel-read
bundle=$tmp/bundle
echo 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"

# Exit codes that the manual has for this failure; 0 and 5 where the call is only wished
# for, or where there is another header, a parity page, or a volume more.
right_codes() {
	if [ "$all" ]; then
		echo '[01345]|10|13'
		return
	fi
	if [[ $culprit == linkat* ]]; then # which a file system may not have
		echo '[01]'
		return
	fi
	case $kind in
	memory | map | thread) echo '[015]' ;;
	read | open)
		if about bundle || about hurt || about set; then
			echo '[045]|10'
		elif about out; then
			echo '[015]|13'
		elif about got; then # attributes are kept, or not
			echo '[0135]'
		else
			echo '[015]'
		fi
		;;
	write | sync | rename)
		if about out; then echo '13|[05]'; else echo 1; fi
		;;
	note) echo '[035]' ;;
	close) if about got; then echo '[015]'; else echo '[05]'; fi ;;
	make) echo '[1350]' ;;
	*) echo '[0135]|10|13' ;;
	esac
}

right_code() {
	said satchel-read
	[ -z "$culprit" ] || [[ $code =~ ^($(right_codes))$ ]] || echo "not code $(right_codes)"
}

# What is there is whole, and everything where all was well; but that what cannot be
# unlinked stays.
extracted() {
	local file
	right_code
	case $code in
	0 | 5) diff -r "$tmp/src" "$tmp/got/src" ;;
	*)
		find "$tmp/got" -type f -printf '%P\n' 2>/dev/null | while read -r file; do
			[ "$kind$all" != makeall ] || [[ ! ${file##*/} =~ ^[a-z]{8,}\.[a-z0-9]+$ ]] ||
				[ -e "$tmp/src/${file#src/}" ] || continue
			cmp "$tmp/src/${file#src/}" "$tmp/got/$file" 2>&1
		done
		;;
	esac
	rm -rf "$tmp/got"
}

# Old files, or new ones.
extracted_over() {
	local file
	right_code
	for file in numbers.txt film.mp4 sub/again.mp4 sub/small.txt; do
		if [ "$code" -eq 0 ] || [ "$(head -c 4 "$tmp/got/src/$file" | tr -d '\0')" != old ]; then
			cmp "$tmp/src/$file" "$tmp/got/src/$file" 2>&1
		fi
		echo old >"$tmp/got/src/$file"
	done
	file=$(cd "$tmp/got" && find . -type f ! -name numbers.txt ! -name film.mp4 ! -name again.mp4 ! -name small.txt)
	[ -z "$file" ] || echo "left: $file"
}

# What is printed is the beginning of what there is.
printed() {
	local expected=$tmp/src/numbers.txt
	right_code
	[[ ! $code =~ ^[05]$ ]] || cmp "$expected" "$tmp/stdout" 2>&1
	cmp <(head -c "$(stat -c %s "$tmp/stdout")" "$expected") "$tmp/stdout" 2>&1
}

# The copy is what was packed, or it is not there.
repaired() {
	right_code
	case $code in
	0 | 5) cmp "$bundle" "$tmp/out/b" 2>&1 ;;
	# What is said at the end may find no room, when the copy is there.
	1) [ -z "$(ls -A "$tmp/out")" ] || cmp "$bundle" "$tmp/out/b" 2>&1 ;;
	*) ls -A "$tmp/out" ;;
	esac
	find "$tmp/out" -mindepth 1 ! -name b
	rm -rf "$tmp/out" && mkdir "$tmp/out"
}

# The same as ever where all was well; with --json, nothing but whole records.
shown() {
	right_code
	[ "$culprit" ] || cp "$tmp/stdout" "$tmp/usual"
	[ "$code" -ne 0 ] || cmp "$tmp/usual" "$tmp/stdout" 2>&1
}

told() {
	# What could not be read is said in records.
	right_code | { if grep -q '"type": "summary"' "$tmp/stdout"; then grep -vx 'nothing said'; else cat; fi; }
	[ "$code" -ne 0 ] || { jq . "$tmp/stdout" >/dev/null; } 2>&1
}

name=extract
for kind in memory:30 map:2 thread:1 open:16 stat:4 read:10 write:5 rename:1 make:4 note:7 close:15; do
	every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$bundle"
done
name="extract what is damaged"
for kind in memory:30 map:2 thread:1 open:16 read:12; do
	every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$tmp/hurt"
done
name="extract, where nothing can be renamed in one go"
for kind in rename:1 make:4; do
	NTH_OLD=1 every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$bundle"
done

name="extract over other files"
"$read" extract "${key[@]}" -C "$tmp/got" "$bundle" || exit 1
for file in numbers.txt film.mp4 sub/again.mp4 sub/small.txt; do echo old >"$tmp/got/src/$file"; done
for kind in memory:30 open:16 stat:4 read:10 write:5 rename:4 make:1 note:7 close:15; do
	every "$kind" extracted_over "$dynamic" extract --force "${key[@]}" -C "$tmp/got" "$bundle"
done
# Names that the walk could read and a thread cannot, or the other way round, are not just
# left out; and a block of them that is lost is not read again for each.
named() {
	local reads
	right_code
	[[ ! $code =~ ^[05]$ ]] || diff -r "$tmp/many" "$tmp/got"
	reads=$(($(od -An -td8 -j8 -N8 "$tmp/seen")))
	[ "$reads" -le 100 ] || echo "$reads reads"
	rm -rf "$tmp/got"
}
name="extract from the root, where from some time on nothing can be read"
for files in 3 300; do
	rm -rf "$tmp/many" "$tmp/flat" && mkdir "$tmp/many"
	od -An -v -tx1 -w60 -N $((60 * files)) /dev/urandom | tr -d ' ' | (cd "$tmp/many" && xargs touch) || exit 1
	"$pack" "${key[@]}" --parity 0 -o "$tmp/flat" "$tmp/many/." || exit 1
	: >"$tmp/wrong"
	all=all judge=named
	for ((n = 1; n < 100; n++)); do
		with_nth read "$n" all "$dynamic" extract "${key[@]}" -C "$tmp/got" "$tmp/flat" || break
		judge_run "read $n all: $culprit"
	done
	all=
	[ $n -ge 7 ] || echo "only $n" >>"$tmp/wrong"
	ok "$name, $files files: $n" no_wrong
done
name="cat"
for kind in memory:20 map:2 open:4 stat:1 read:3 write:1 close:4; do
	every "$kind" printed "$dynamic" cat "${key[@]}" "$bundle" src/numbers.txt
done
name=repair
for kind in memory:20 map:2 open:6 stat:2 read:12 write:1 sync:2 rename:1 close:4; do
	every "$kind" repaired "$dynamic" repair "${key[@]}" -o "$tmp/out/b" "$tmp/hurt"
done
for verb in ls tree info; do
	name=$verb
	for kind in memory:20 map:2 open:4 stat:1 read:3 write:1 close:4; do
		every "$kind" shown "$dynamic" "$verb" "${key[@]}" "$bundle"
	done
done
name="ls --checksum"
for kind in memory:20 read:3 write:1; do
	every "$kind" shown "$dynamic" ls --checksum "${key[@]}" "$bundle"
done
name="ls --json"
for kind in memory:20 read:3 write:1; do
	every "$kind" told "$dynamic" ls -R --json "${key[@]}" "$bundle"
done
name="verify --json"
for kind in memory:20 map:2 thread:1 open:4 stat:1 read:10 write:1 close:4; do
	every "$kind" told "$dynamic" verify --json "${key[@]}" "$bundle"
done

# --- with full metadata --------------------------------------------------------------------

# What a file could not be given is said.
noted() {
	extracted
	[ -z "$culprit" ] || [ "$kind" != note ] || [ "$code" -ne 0 ] || echo "nothing was said"
}
name="extract with full metadata"
ln "$tmp/src/numbers.txt" "$tmp/src/numbers, too"
chmod 640 "$tmp/src/film.mp4"
setfattr -n user.note -v kept "$tmp/src/film.mp4" "$tmp/src/sub"
chown -h 1:1 "$tmp/src/numbers.txt" "$tmp/src/sub" "$tmp/src/sub/link" 2>/dev/null
"$pack" "${key[@]}" --metadata full -o "$tmp/bundle-full" "$tmp/src" || exit 1
few=40 every note:12 noted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$tmp/bundle-full"
for kind in memory:30 rename:1 make:4; do
	every "$kind" extracted "$dynamic" extract "${key[@]}" -C "$tmp/got" "$tmp/bundle-full"
done

# --- with other keys, signed, in volumes --------------------------------------------------

few=4
name="a passphrase"
"$pack" -q --kdf low --passphrase-file "$tmp/passphrase" -o "$tmp/bundle-1" "$tmp/src/sub" || exit 1
for kind in memory:20 map:2 open:4 stat:1 read:4 close:4; do
	every "$kind" shown "$dynamic" ls -q --passphrase-file "$tmp/passphrase" "$tmp/bundle-1"
done
# A header that could not be tried is not called healthy.
tried() {
	told
	[ "$code" -ne 0 ] || [ "$(tail -n 1 "$tmp/stdout" | jq -c '[.result, .headers_unchecked]')" == '["healthy",0]' ] ||
		echo "not all was tried"
}
name="verify by a passphrase"
few=12 every map:4 tried "$dynamic" verify -q --json --passphrase-file "$tmp/passphrase" "$tmp/bundle-1"

# Nor is a list of files damaged because there was no memory to look at all of it.
count_calls memory "$dynamic" verify --json "${key[@]}" "$bundle"
unchecked=0
for ((n = total - 20; n <= total; n++)); do
	with_nth memory "$n" '' "$dynamic" verify --json "${key[@]}" "$bundle"
	[[ $(tail -n 1 "$tmp/stdout" | jq -c '[.result, .index_damaged, .index_unchecked]' 2>/dev/null)$code != '["unchecked",false,true]1' ]] ||
		unchecked=$((unchecked + 1))
done
is "without memory for the list of files it is unchecked" "$unchecked" 1

if command -v age-keygen >/dev/null && command -v minisign >/dev/null; then
	age-keygen -o "$tmp/identity" 2>/dev/null
	minisign -G -W -p "$tmp/publisher" -s "$tmp/secret" >/dev/null
	"$pack" -q --recipient "$(age-keygen -y "$tmp/identity")" --sign "$tmp/secret" \
		--size 2M --volume-size 700K -o "$tmp/set" "$tmp/src" || exit 1
	rm -rf "$tmp/got"
	volumes=("$tmp"/set*)
	bundle=${volumes[0]}
	with=(-q --identity "$tmp/identity" --publisher "$tmp/publisher")
	for volume in "${volumes[@]:1}"; do with+=(--volume "$volume"); done
	name="extract a signed set"
	for kind in memory:40 map:2 thread:1 open:18 stat:4 read:15 write:5 close:18; do
		every "$kind" extracted "$dynamic" extract "${with[@]}" -C "$tmp/got" "$bundle"
	done
	name="verify a signed set"
	for kind in memory:40 thread:1 open:6 read:15 close:6; do
		every "$kind" told "$dynamic" verify --json "${with[@]}" "$bundle"
	done
	# One volume of it, over an old copy: that stays, or a new one is there.
	renewed() {
		right_code
		[ "$code" -ne 0 ] || cmp "$bundle" "$tmp/out/b" 2>&1
		cmp -s "$tmp/old" "$tmp/out/b" || cmp "$bundle" "$tmp/out/b" 2>&1
		# A copy that lacks something is beside it, which is said.
		find "$tmp/out" -mindepth 1 ! -name b -printf '%f\n' | while read -r name; do
			grep -q "that is $name, beside it" "$tmp/stderr" || echo "left: $name"
			rm "$tmp/out/$name"
		done
		cp "$tmp/old" "$tmp/out/b"
	}
	name="repair a volume of it, over another file"
	echo old | tee "$tmp/old" >"$tmp/out/b"
	for kind in memory:40 open:6 read:15 write:1 sync:2 rename:1 close:6; do
		every "$kind" renewed "$dynamic" repair --force "${with[@]}" -o "$tmp/out/b" "$bundle"
	done
else
	skip "a signed set" "needs age-keygen and minisign"
fi

finish
