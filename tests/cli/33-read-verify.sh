#!/bin/bash
# satchel-read verify finds every byte that was changed, wherever it is, says what
# it means, and names the files that are lost and no others.
. tests/cli/lib.sh

good=tests/data/good
key=(-q --passphrase-file "$good/one.passphrase")
copy=$tmp/copy

verify() { # CODE [OPTION...]
	local code=$1
	shift
	exits "$code" "$read" verify "${key[@]}" "$@" "$copy"
}

# Inverts LENGTH bytes at AT.
flip() { # AT LENGTH
	python3 - "$copy" "$1" "$2" <<-'EOF'
		import sys
		with open(sys.argv[1], 'r+b') as f:
		    f.seek(int(sys.argv[2]))
		    data = f.read(int(sys.argv[3]))
		    f.seek(int(sys.argv[2]))
		    f.write(bytes(b ^ 0xff for b in data))
	EOF
}

said() { tail -n 1 "$tmp/stdout"; }

for name in parity-4 signed signed-full-metadata sparse links many-entries; do
	cp $good/$name.bundle "$copy"
	ok "$name: 0" verify 0
	is "$name: healthy" "$(tail -n +2 "$tmp/stdout"; cat "$tmp/stderr")" healthy
	case $name in signed*) whose='^signed by RW[A-Za-z0-9+/]{54}, which you have not pinned' ;;
	*) whose='^not signed' ;; esac
	like "$name: and whose it is" "$(cat "$tmp/stdout")" "$whose"$'\n'
done

ok "no such file: 10" exits 10 "$read" verify --json "${key[@]}" "$tmp/none"
is "as JSON" "$(jq -c . "$tmp/stdout")" '{"type":"error","code":10}'
echo "another passphrase" >"$tmp/wrong"
ok "another key: 12" exits 12 "$read" verify -q --json --passphrase-file "$tmp/wrong" $good/signed.bundle
is "likewise" "$(tail -n 1 "$tmp/stdout" | jq -c .)" '{"type":"error","code":12}'

# --- headers, where memory is short --------------------------------------------------------

# There is room to stretch the passphrase as it was for this bundle, and for no more: that
# is enough to know that a header does not open.
if sanitized; then
	skip "a damaged header, with little memory" "sanitizers need more"
else
	cp $good/passphrase-low.bundle "$copy"
	KIB=150000
	ok "with little memory: 0" exits 0 bounded "$read" verify "${key[@]}" "$copy"
	is "healthy" "$(said)" healthy
	overwrite "$copy" 16384 $(($(stat -c %s "$copy") - 16384))
	ok "header B is damaged, which needs no more: 5" exits 5 bounded "$read" verify "${key[@]}" --json "$copy"
	is "and is said" "$(said | jq -c '[.result, .headers_damaged, .headers_unchecked]')" '["repaired",1,0]'
	ok "it is not in the copy either" exits 5 bounded "$read" repair "${key[@]}" --json -o "$tmp/again" "$copy"
	is "which is said" "$(said | jq -c '[.identical, .headers_damaged, .headers_unchecked]')" '[false,1,0]'
	rm -f "$tmp/again"
	KIB=1000000
fi

# --- files with holes, and more than one name -----------------------------------------------

mkdir "$tmp/holes"
head -c 3000000 /dev/urandom >"$tmp/holes/film"
truncate -s 9M "$tmp/holes/film"
ln "$tmp/holes/film" "$tmp/holes/film again"
for name in one other; do
	truncate -s 9M "$tmp/holes/$name"
	for at in 1 3 5 7; do
		echo "$name $at" | dd of="$tmp/holes/$name" bs=1M seek=$at conv=notrunc status=none
	done
done
ln "$tmp/holes/one" "$tmp/holes/one again"
cp --sparse=always "$tmp/holes/one" "$tmp/holes/one more"
if [ -x "$pack" ]; then
	ok "holes: packed" "$pack" -q -f --kdf low --parity 0 "${key[@]:1}" -o "$copy" "$tmp/holes/."
	ok "holes: healthy" verify 0
	overwrite "$copy" 16384 "$(tests/where.py data "${key[@]:1}" "$copy" | sed -n 100p)"
	ok "holes: a page of the film is lost" verify 4 --json
	is "holes: under both names, and no other file" \
		"$(jq -c 'select(.type == "loss") | [.path, (.size - .readable | . > 0 and . < 50000)]' "$tmp/stdout" | paste -sd' ')" \
		'["film",true] ["film again",true]'
fi

# --- one byte of each page, one after another --------------------------------------------

# What decode.py, which was written from the manual alone, says of the same.
cp $good/parity-4.bundle "$copy"
length=$(stat -c %s "$copy")
for ((page = 0; page * 16384 < length; page++)); do
	cp $good/parity-4.bundle "$copy"
	at=$((page * 16384 + 50 * (page + 1)))
	[ $at -lt "$length" ] || continue
	flip $at 1
	second=0
	tests/decode.py "${key[@]:1}" --json info "$copy" >"$tmp/info" 2>/dev/null || second=$?
	first=0
	"$read" verify "${key[@]}" --json "$copy" >"$tmp/result" 2>"$tmp/stderr" || first=$?
	repaired=$(jq '[.volumes[] | .["pages lost"]] | add' "$tmp/info")
	roots=$(jq '[.volumes[] | .["roots lost"]] | add' "$tmp/info")
	is "page $page: pages and roots that are damaged" \
		"$(tail -n 1 "$tmp/result" | jq -c '[.repaired + .parity_damaged, .roots_damaged, .lost]')" \
		"[$repaired,$roots,0]"
	headers=$(tail -n 1 "$tmp/result" | jq .headers_damaged)
	# decode.py does not look at header B if A opens.
	if [ "$headers" -gt 0 ]; then second=5; fi
	is "page $page: exit code" $first $second
done

header() { # AT WHAT
	cp $good/parity-4.bundle "$copy"
	flip "$1" 16384
	ok "$2: 5" verify 5
	is "$2: it is said" "$(sed -n 2p "$tmp/stdout")" 'damaged: 1 header'
	is "$2: and what to do" "$(said)" 'all files are whole, but this copy is wearing out: get a fresh one, or make one with satchel-read repair'
}
header 0 "header A"
header $((length - 16384)) "header B"

# --- damage of every sort, as unfolded from tests/data/good --------------------------------

mkdir "$tmp/cases"
tests/encode.py --unfold $good/{parity-4-damaged,parity-4-parity-lost,parity-16-damaged,parity-2-too-much,no-parity-page-lost,root-0-1-lost,roots-lost,appended-31-bytes,truncated-repairable}.keys "$tmp/cases"
case_is() { # NAME BUNDLE CODE LAST-LINE NAMES
	cp "$tmp/cases/$1.$2.bundle" "$copy"
	ok "$1: $3" verify "$3"
	is "$1: the last line" "$(said)" "$4"
	is "$1: names" "$(sed 's/^satchel-read: //; s/: .*//' "$tmp/stderr" | tr '\n' ' ')" "$5"
}
worn='all files are whole, but this copy is wearing out: get a fresh one, or make one with satchel-read repair'
case_is parity-4-damaged parity-4 5 "$worn" ''
ok "how much was repaired" grep -q '^repaired: 2 of 6 pages, from parity$' "$tmp/stdout"
ok "and that of parity" grep -q '^damaged: 2 parity pages$' "$tmp/stdout"
ok "how much can be" grep -q '^can be repaired: any 4 pages in a row, at best 4$' "$tmp/stdout"
case_is parity-4-parity-lost parity-4 5 "$worn" ''
case_is parity-16-damaged parity-16 5 "$worn" ''
case_is parity-2-too-much parity-2 4 'lost: 1 file, named above; all others can be read' 'a '
case_is no-parity-page-lost signed 4 'lost: 2 files, named above; all others can be read' 'crumbs frame '
ok "it cannot be repaired" grep -q '^can be repaired: nothing, it was packed without parity$' "$tmp/stdout"
case_is root-0-1-lost passphrase-low 5 "$worn" ''
case_is appended-31-bytes passphrase-low 0 healthy ''
ok "what was appended is said" grep -q '^appended: 31 bytes at the end, which do no harm$' "$tmp/stdout"
case_is truncated-repairable parity-4 5 "$worn" ''
ok "what is cut off is said" grep -q '^cut off: [0-9]* bytes at the end$' "$tmp/stdout"
cp "$tmp/cases/roots-lost.passphrase-low.bundle" "$copy"
ok "no root: 10" verify 10

cp "$tmp/cases/parity-2-too-much.parity-2.bundle" "$copy"
ok "as JSON: 4" verify 4 --json
is "losses and the result" "$(jq -c 'select(.type != "progress") | [.type, .path, .what, .result, .files_lost, .lost]' "$tmp/stdout" | tr '\n' ' ')" \
	'["loss","a","damaged",null,null,null] ["summary",null,null,"lost",1,1] '
is "and nothing on standard error" "$(cat "$tmp/stderr")" ''

# --- exactly the files that are in the lost pages ---------------------------------------------

# Every file has its own place: for each data page the same files must be named
# that cannot be read.
tests/encode.py columns "$tmp"
cp "$tmp/columns.bundle" "$copy"
python3 - "$copy" <<-'EOF'
	import sys
	# A burst that parity of 4 pages for 3 columns cannot repair.
	with open(sys.argv[1], 'r+b') as f:
	    for page in range(60, 90):
	        f.seek(16384 * page + 9)
	        f.write(b'damage')
EOF
key=(-q --passphrase-file "$tmp/one.passphrase")
ok "a long burst: 4" verify 4
sed 's/^satchel-read: //; s/: .*//' "$tmp/stderr" | sort >"$tmp/named"
mkdir "$tmp/out"
"$read" extract "${key[@]}" -C "$tmp/out" "$copy" 2>/dev/null
comm -3 <("$read" ls "${key[@]}" "$copy" | sort) <(find "$tmp/out" -type f -printf '%P\n' | sort) | sort >"$tmp/lost"
is "named is what cannot be extracted" "$(cat "$tmp/named")" "$(cat "$tmp/lost")"
ok "which are some" test "$(wc -l <"$tmp/named")" -gt 3
ok "and not all" test "$(wc -l <"$tmp/named")" -lt 60
is "as many as it says" "$(said)" \
	"lost: $(wc -l <"$tmp/named") files, named above; all others can be read"

# --- sets ------------------------------------------------------------------------------------------

key=(-q --passphrase-file "$good/one.passphrase" --key-file "$good/a.keyfile")
cp $good/volumes-3.2.bundle "$copy"
ok "one volume of three alone: 0" verify 0
is "which are not there is said" "$(tail -n +2 "$tmp/stdout")" \
	'not here: volume 1 of 3; what is only in it was not checked
not here: volume 3 of 3; what is only in it was not checked
what is here is healthy'
for number in 1 2 3; do
	rm -rf "$tmp/set"
	mkdir "$tmp/set"
	cp $good/volumes-3.?.bundle "$tmp/set"
	copy=$tmp/set/volumes-3.$number.bundle
	flip 0 16384
	copy=$tmp/set/volumes-3.1.bundle
	ok "volume $number damaged: what lies beside is checked, too" verify 5
	is "volume $number damaged: it is said" "$(sed -n 2p "$tmp/stdout")" 'damaged: 1 header'
done

# --- from the medium -----------------------------------------------------------------------------

# Bytes that come from the drive while a command runs.
fetched() { # COMMAND [ARGUMENT...]
	python3 - "$@" <<-'EOF'
		import resource, subprocess, sys
		subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock * 512)
	EOF
}

copy=$tmp/recent
cat $good/parity-4.bundle >"$copy"
length=$(stat -c %s "$copy")
sync "$copy"
dd if="$copy" iflag=nocache count=0 status=none
if [ "$(fetched cat "$copy")" -lt "$length" ]; then
	skip "what was copied a moment ago is read from the drive" "what is read of $tmp is not counted"
else
	cat $good/parity-4.bundle >"$copy"
	ok "the control: what was copied a moment ago is in memory" \
		test "$(fetched cat "$copy")" -eq 0
	key=(-q --passphrase-file "$good/one.passphrase")
	ok "others leave it there" test "$(fetched "$read" ls "${key[@]}" "$copy")" -eq 0
	ok "verify reads it from the drive" \
		test "$(fetched "$read" verify "${key[@]}" "$copy")" -ge $((length * 3 / 4))
fi

# --- what is lost is looked at once, whatever names it -----------------------------------------

calls() { # NAMES: reads that verify makes of a film that has so many, and a copy of it
	local n page
	rm -rf "$tmp/film" "$tmp/films"
	mkdir "$tmp/film"
	head -c 3000000 /dev/urandom >"$tmp/film/0"
	for ((n = 1; n < $1; n++)); do ln "$tmp/film/0" "$tmp/film/$n"; done
	cp "$tmp/film/0" "$tmp/film/copy"
	"$pack" -q --parity 0 --key-file "$tmp/key" -o "$tmp/films" "$tmp/film/." || return
	mapfile -t page < <(tests/where.py data --key-file "$tmp/key" "$tmp/films") # not the root's
	overwrite "$tmp/films" 16384 "${page[50]}" "${page[90]}"
	exits 4 strace -f -qq -c -e trace=pread64 -o "$tmp/counted" "$read" verify -q --key-file "$tmp/key" "$tmp/films" >/dev/null || return
	[ "$(grep -c 'damaged beyond repair' "$tmp/stderr")" -eq $(($1 + 1)) ] &&
		awk '$NF == "pread64" { print $4 }' "$tmp/counted"
}

head -c 32 /dev/urandom >"$tmp/key"
if sanitized || ! strace -qq -e trace=none true 2>/dev/null; then
	skip "reads are counted" "strace cannot trace here"
else
	one=$(calls 1)
	many=$(calls 300)
	echo "# $one and ${many:-no} reads"
	ok "a name, and three hundred: each is told, the film is read once" test "${many:-9999}" -le $((one + one / 2))
fi

# Two disk images of one length, of which one is a hole.
mkdir "$tmp/images"
truncate -s 64M "$tmp/images/empty" "$tmp/images/full"
dd if=/dev/urandom of="$tmp/images/full" bs=1M seek=1 count=3 conv=notrunc status=none
"$pack" -q --parity 0 --key-file "$tmp/key" -o "$tmp/packed" "$tmp/images/." || exit 1
overwrite "$tmp/packed" 16384 $((16384 * 90))
ok "one of two disk images is damaged: 4" exits 4 "$read" verify -q --key-file "$tmp/key" "$tmp/packed"
is "and not the other" "$(grep -o '[a-z]*: damaged beyond' "$tmp/stderr")" 'full: damaged beyond'
finish
