#!/bin/bash
# satchel-read repair writes a copy that is byte for byte what was packed, as far as
# parity and second copies reach; beyond that it has all that is left, names what is
# not, and nothing in it tells where the damage was.
. tests/cli/lib.sh

good=tests/data/good
original=$tmp/original hurt=$tmp/hurt new=$tmp/new
head -c 64 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")

mkdir "$tmp/src"
for ((i = 0; i < 40; i++)); do head -c $((70000 + i)) /dev/urandom >"$tmp/src/$i.jpg"; done
"$pack" -q "${key[@]}" --size 4000000 -o "$original" "$tmp/src/." || exit 1
length=$(stat -c %s "$original")

# repair CODE [OPTION...]: of $hurt to $new.
repair() {
	local code=$1
	shift
	rm -f "$new"
	exits "$code" "$read" repair -q "${key[@]}" "$@" -o "$new" "$hurt"
}

said() { tail -n 1 "$tmp/stdout"; }
same() { cmp "$new" "$original"; }

fresh() { cp --no-preserve=mode "$original" "$hurt"; }

overwrite() { # SOURCE AT LENGTH: with zeros, or random bytes
	dd if=/dev/"$1" of="$hurt" bs=64K iflag=count_bytes count="$3" oflag=seek_bytes seek="$2" \
		conv=notrunc status=none
}

# No sector in FILE is one byte again and again, as no bundle has it.
looks_random() {
	/usr/bin/python3 - "$1" <<-'EOF2'
		import sys
		data = open(sys.argv[1], 'rb').read()
		sys.exit(any(data[i:i + 64] == data[i:i + 1] * 64 for i in range(0, len(data) - 64, 64)))
	EOF2
}

# --- nothing is wrong ---------------------------------------------------------------------

fresh
before=$(sha256sum <"$hurt")
sums=$("$read" ls --checksum "${key[@]}" "$original")
ok "healthy: 0" repair 0
ok "the copy is the same" same
"$read" repair -q "${key[@]}" -o "$tmp/unheard" "$hurt" <&- >&- 2>&-
is "started without any stream: 0" $? 0
ok "and no message went into the copy" cmp "$tmp/unheard" "$original"
rm -f "$tmp/unheard"
is "which is said" "$(said)" 'the copy is as it was packed'
is "and no one else can read it" "$(stat -c %a "$new")" 600
mkdir "$tmp/directory"
ok "a directory is no file: 1" exits 1 "$read" repair -q "${key[@]}" -o "$tmp/directory" "$original"
is "in words" "$(cat "$tmp/stderr")" "satchel-read: $tmp/directory: is a directory; name a file in it"
ok "as JSON" exits 1 "$read" repair -q --json "${key[@]}" -o "$tmp/directory" "$original"
is "the last line" "$(tail -n 1 "$tmp/stdout" | jq -c .)" '{"type":"error","code":1}'
for name in parity-4 signed sparse many-entries passphrase-low three-compartments; do
	ok "$name: 0" exits 0 "$read" repair -q --passphrase-file $good/one.passphrase -o "$tmp/copy" \
		$good/$name.bundle
	ok "$name: the same" cmp "$tmp/copy" $good/$name.bundle
	rm -f "$tmp/copy"
done
tests/encode.py columns "$tmp"
ok "columns: 0" exits 0 "$read" repair -q --passphrase-file "$tmp/one.passphrase" -o "$tmp/copy" "$tmp/columns.bundle"
ok "columns: the same" cmp "$tmp/copy" "$tmp/columns.bundle"

# --- what can be repaired --------------------------------------------------------------------

# Roots, data, parity: each page of a bundle, one after another; what is not of the
# compartment is copied as it is.
read -r code same <<<"0 0"
size=$(stat -c %s $good/parity-4.bundle)
for ((page = 1; page < size / 16384 - 1; page++)); do
	for with in zero urandom; do
		cp --no-preserve=mode $good/parity-4.bundle "$hurt"
		overwrite $with $((page * 16384)) 16384
		rm -f "$new"
		"$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt" >/dev/null
		[ $? -eq 5 ] || code=$page
		cmp -s "$new" $good/parity-4.bundle || same=$page
	done
done
is "any page: 5" "$code" 0
is "any page: the same" "$same" 0

roots=$(/usr/bin/python3 - "$tmp/key" "$original" <<'EOF2'
import sys
sys.path.insert(0, 'tests')
import decode
bundle = decode.Bundle([sys.argv[2]], (None, decode.key_file_of(open(sys.argv[1], 'rb').read()), []), None, None)
print(*bundle.root.root_pages)
EOF2
)
read -ra roots <<<"$roots"
is "there are three roots" ${#roots[@]} 3
for lost in 0 1 2 '0 1' '0 2' '1 2'; do
	fresh
	for root in $lost; do overwrite zero $(((roots[root] + 1) * 16384 + 8192)) 512; done
	ok "roots $lost: 5" repair 5
	ok "roots $lost: the same" same
done
for lost in 0 1 2; do overwrite zero $(((roots[lost] + 1) * 16384)) 16384; done
ok "all three: 10" repair 10
no "and no copy" test -e "$new"

# --- what could be read when it was opened, and cannot any more ------------------------------

if sanitized || ! preload bad 2>/dev/null; then
	skip "a drive that fails while it is copied" "needs a compiler, and no sanitizer"
else
	fresh
	bad_roots=$(for root in "${roots[@]}"; do echo "$(((root + 1) * 16384))+16384"; done | paste -sd,)
	failing() {
		rm -f "$new"
		env LD_PRELOAD="$tmp/bad.so" BAD_FILE="$hurt" BAD_AT="$bad_roots" BAD_AFTER="$1" \
			"$build/tests/satchel-read" repair -q "${key[@]}" "${@:2}" -o "$new" "$hurt"
	}
	ok "all roots fail when they are copied: 4" exits 4 failing 2
	is "which is said" "$(said)" 'no file is lost, but the copy is not whole'
	ok "in numbers" grep -qx 'random in the copy: 3 pages' "$tmp/stdout"
	ok "as JSON: 4" exits 4 failing 2 --json
	is "not the same" "$(said | jq -c '[.identical, .result, .unrestored]')" '[false,"lost",3]'
	ok "a control: when nothing fails, 0" exits 0 failing 100000 --json
	is "the same" "$(said | jq -c '[.identical, .result, .unrestored]')" '[true,"healthy",0]'
fi

# --- headers, and ends --------------------------------------------------------------------------

for with in zero urandom; do
	for at in 0 $((length - 16384)); do
		fresh
		overwrite $with "$at" 16384
		ok "a header lost: 5" repair 5
		is "which is said" "$(said)" \
			'the copy has all files, but one of its headers does not open, and cannot be made again'
		ok "everything else is the same" cmp \
			<(tail -c +16385 "$new" | head -c -16384) <(tail -c +16385 "$original" | head -c -16384)
		ok "it looks random" looks_random "$new"
		ok "and opens" exits 5 "$read" verify -q "${key[@]}" "$new"
	done
done
no "a control: what was lost does not look random" looks_random <(cat "$original"; head -c 16384 /dev/zero)
fresh
overwrite zero 0 16384
overwrite zero $((length - 16384)) 16384
ok "both headers: 12, as for any other file" repair 12
like "in the same words" "$(cat "$tmp/stderr")" 'no key fits: wrong passphrase, not a bundle'
no "and no copy" test -e "$new"

for at in 0 $((length - 65536)); do
	fresh
	overwrite zero "$at" 65536
	ok "64 KiB at an end lost: 5" repair 5
	ok "it looks random" looks_random "$new"
	is "all files are there" "$("$read" ls --checksum "${key[@]}" "$new" 2>/dev/null)" "$sums"
done

for bytes in 1 31 1024 16384 100000; do
	fresh
	head -c $bytes /dev/urandom >>"$hurt"
	ok "$bytes bytes appended: 0" repair 0
	ok "they are not in the copy" same
	ok "which is said" grep -q "^appended: $bytes byte" "$tmp/stdout"
done
overwrite urandom 0 16384
ok "and header A lost: 12" repair 12
ok "unless it is told how long it was" repair 5 --length "$length"
is "then it is that long" "$(stat -c %s "$new")" "$length"

# --- cut off ---------------------------------------------------------------------------------------

cp --no-preserve=mode $good/parity-4.bundle "$tmp/whole"
for ((page = size / 16384; page > 0; page--)); do
	head -c $((page * 16384)) "$tmp/whole" >"$hurt"
	rm -f "$new"
	code=0
	"$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt" >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
	case $code in
	5) ok "cut to $page pages: the files are whole" cmp <("$read" ls --checksum --passphrase-file $good/one.passphrase "$new" 2>/dev/null) \
		<("$read" ls --checksum --passphrase-file $good/one.passphrase "$tmp/whole") ;;
	4) ok "cut to $page pages: what is lost is named" test -s "$tmp/stderr" ;;
	10) ok "cut to $page pages: no root is left" test ! -e "$new" ;;
	*) is "cut to $page pages" $code '4, 5 or 10' ;;
	esac
	[ $code -eq 10 ] || is "it has its length again" "$(stat -c %s "$new")" "$size"
	[ $code -eq 10 ] || ok "and looks random" looks_random "$new"
done

# --- what cannot --------------------------------------------------------------------------------------

fresh
overwrite zero 1000000 700000
ok "too much: 4" repair 4
like "how much is left, for each" "$(head -n 1 "$tmp/stderr")" \
	'^satchel-read: [0-9]+.jpg: damaged beyond repair; [0-9]+ of its [0-9]+ bytes can be read$'
sed 's/^satchel-read: //; s/: .*//' "$tmp/stderr" | sort >"$tmp/named"
files=$(wc -l <"$tmp/named")
ok "some are lost" test "$files" -gt 3
is "how many is said" "$(said)" "lost: $files files, named above; the copy has all others"
ok "it looks random" looks_random "$new"
mkdir "$tmp/out"
ok "the others come out of the copy" exits 4 "$read" extract -q "${key[@]}" -C "$tmp/out" "$new"
is "all of them" "$(cd "$tmp/out" && echo *)" \
	"$(cd "$tmp/src" && printf '%s\n' * | sort | comm -23 - "$tmp/named" | LC_ALL=C sort | paste -sd' ')"
different=0
for file in "$tmp"/out/*; do cmp -s "$file" "$tmp/src/${file##*/}" || different=1; done
is "as they were" $different 0
code=0
"$read" repair --json "${key[@]}" -o "$tmp/again" "$hurt" >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
is "as JSON: 4" $code 4
is "each loss" "$(jq -r 'select(.type == "loss") | .path' "$tmp/stdout" | sort)" "$(cat "$tmp/named")"
is "less is readable than there was" \
	"$(jq -c 'select(.type == "loss") | .readable < .size and .readable >= 0' "$tmp/stdout" | sort -u)" true
is "and a summary" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .identical, .result, .files_lost]')" \
	"[\"summary\",false,\"lost\",$files]"
is "with progress" "$(jq -r 'select(.type == "progress") | .phase' "$tmp/stdout" | sort -u | paste -sd' ')" 'copying verifying'

# What is said to be readable of a file is what cat can give of it.  Where the first loss
# begins in the first page of a file, the second does not.
for at in 1000000 1030000; do
	fresh
	overwrite zero $at 700000
	rm -f "$new"
	"$read" repair -q --json "${key[@]}" -o "$new" "$hurt" >"$tmp/stdout" 2>/dev/null
	read -r name bytes <<<"$(jq -r 'select(.type == "loss" and .readable > 0) | "\(.path) \(.readable)"' "$tmp/stdout" | head -n 1)"
	[ -z "$name" ] || break
done
got=0
size=$(stat -c %s "$tmp/src/$name")
for ((at = 0; at < size; at += 16384)); do
	"$read" cat --offset $at --count 16384 "${key[@]}" "$hurt" "$name" >"$tmp/part" 2>/dev/null
	if cmp -s "$tmp/part" <(tail -c +$((at + 1)) "$tmp/src/$name" | head -c 16384); then
		got=$((got + $(stat -c %s "$tmp/part")))
	fi
done
ok "$name: $bytes bytes are readable, cat gives $got" test "$got" -ge $((bytes - 32768)) -a "$got" -le "$bytes"

# --- what the key does not open -----------------------------------------------------------------------------

cp --no-preserve=mode $good/two-compartments.bundle "$hurt"
size=$(stat -c %s "$hurt")
for ((page = 1; page < size / 16384 - 1; page++)); do overwrite urandom $((page * 16384 + 100)) 100; done
rm -f "$new"
"$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt" >/dev/null 2>&1
is "all pages damaged: 10" $? 10
sectors=0 wrong=0
for ((page = 1; page < size / 16384 - 1; page++)); do
	cp --no-preserve=mode $good/two-compartments.bundle "$hurt"
	overwrite urandom $((page * 16384 + 100)) 100
	rm -f "$new"
	"$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt" >/dev/null 2>&1
	case $? in
	0) sectors=$((sectors + 1))
		cmp -s "$hurt" "$new" || wrong=1 ;;
	4 | 5) ;;
	*) wrong=2 ;;
	esac
done
ok "the other's pages are copied as they are" test $sectors -gt 2
is "in every case" $wrong 0

# A header that this key does not open may still open to another, who has only that:
# it is copied as it is.  What another program left in it is not.
cp --no-preserve=mode $good/two-compartments.bundle "$tmp/whole"
wrong=0 lost=0
for ((slot = 0; slot < 32; slot++)); do
	cp "$tmp/whole" "$hurt"
	overwrite urandom $((48 + slot * 128)) 128
	rm -f "$new"
	"$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt" >/dev/null 2>&1
	[ $? -ne 5 ] || lost=$((lost + 1))
	cmp -s "$hurt" "$new" || wrong=1
done
ok "a slot of a header that is overwritten is this key's, once" test $lost -eq 1
is "the header is copied as it is" $wrong 0
cp "$tmp/whole" "$hurt"
yes 'CANARY of a file that was copied over it' | dd of="$hurt" bs=5000 count=1 iflag=fullblock conv=notrunc status=none
rm -f "$new"
ok "a text over its beginning: 5" exits 5 "$read" repair -q --passphrase-file $good/one.passphrase -o "$new" "$hurt"
ok "a control: it is found in the damaged one" grep -q CANARY "$hurt"
no "and nothing of it in the copy" grep -q CANARY <(head -c 4608 "$new")
ok "what is behind it is copied" cmp <(tail -c +5121 "$new") <(tail -c +5121 "$tmp/whole")

# --- volumes ---------------------------------------------------------------------------------------------------

cp --no-preserve=mode $good/volumes-3.?.bundle "$tmp"
both=(--passphrase-file "$good/one.passphrase" --key-file "$good/a.keyfile")
for number in 1 2 3; do
	hurt=$tmp/volumes-3.$number.bundle
	page=$(tests/where.py data "${both[@]}" "$good/volumes-3.$number.bundle")
	overwrite urandom $((page + 5000)) 20
	rm -f "$new"
	ok "volume $number: a page is lost, which has no parity: 4" exits 4 "$read" repair -q "${both[@]}" -o "$new" "$hurt"
	is "volume $number: what is in it is named" \
		"$(sed -nE 's/^satchel-read: ([^:]*): damaged.*/\1/p' "$tmp/stderr" | tr '\n' ' ')" "$number all "
	is "volume $number: nothing else was changed" "$(cmp -l "$new" "$good/volumes-3.$number.bundle" |
		awk -v at="$page" '$1 <= at || $1 > at + 16384' | wc -l)" 0
	cp --no-preserve=mode "$good/volumes-3.$number.bundle" "$hurt"
done
ok "one that is given helps" exits 0 "$read" repair -q "${both[@]}" --volume "$tmp/volumes-3.1.bundle" -o "$tmp/v2" "$tmp/volumes-3.2.bundle"
ok "the one named is repaired" cmp "$tmp/v2" $good/volumes-3.2.bundle
hurt=$tmp/hurt

# --- where it is written -------------------------------------------------------------------------------------------

fresh
ok "no output: 2" exits 2 "$read" repair "${key[@]}" "$hurt"
ok "a copy that exists: 1" exits 1 "$read" repair -q "${key[@]}" -o "$original" "$hurt"
like "what to do is said" "$(cat "$tmp/stderr")" 'exists already; --force replaces it'
ln "$hurt" "$tmp/link"
ln -s hurt "$tmp/symlink"
ok "a link: 1" exits 1 "$read" repair -q --force "${key[@]}" -o "$tmp/symlink" "$hurt"
like "which is said" "$(cat "$tmp/stderr")" 'symlink: is a symbolic link; name what it leads to'
for name in "$hurt" "$tmp/link"; do
	ok "${name##*/} is the input: 1" exits 1 "$read" repair -q --force "${key[@]}" -o "$name" "$hurt"
	like "which is said" "$(cat "$tmp/stderr")" 'is what is read'
done
ok "the key is needed: 1" exits 1 "$read" repair -q --force "${key[@]}" -o "${key[1]}" "$hurt"
like "which is said, too" "$(cat "$tmp/stderr")" 'is what is read'
ok "no such directory: 1" exits 1 "$read" repair -q "${key[@]}" -o "$tmp/none/new" "$hurt"
is "the input is as it was" "$(sha256sum <"$hurt")" "$before"

# on_drive OPTIONS COMMAND...: with a file system of its own at $tmp/drive.
on_drive() {
	# shellcheck disable=SC2016  # it is the inner shell's to expand
	unshare -rm sh -c 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"' - "$1" "$tmp/drive" "${@:2}"
}
mkdir "$tmp/drive"
if on_drive size=1m true 2>/dev/null; then
	ok "a drive that is too small: 13" exits 13 on_drive size=2m "$read" repair -q "${key[@]}" -o "$tmp/drive/new" "$hurt"
	like "how much is needed is said" "$(cat "$tmp/stderr")" "and [0-9.]+ MB are needed"
	ok "one that is read-only: 13" exits 13 on_drive ro "$read" repair -q "${key[@]}" -o "$tmp/drive/new" "$hurt"
else
	skip "drives that are unfit" "no mounts of one's own here"
fi
(
	ulimit -f 1000
	"$read" repair -q "${key[@]}" -o "$tmp/cut" "$hurt" >/dev/null 2>"$tmp/stderr"
)
is "a file that may not be so large: 13" $? 13
no "and nothing is left" test -e "$tmp/cut"

# Reading back fails: that is said, and not that the drive has changed something.
calls() { strace -f -qq -o "$tmp/trace" -e trace=pread64 "$@"; }
fresh
rm -f "$new"
if calls "$read" repair -q "${key[@]}" -o "$new" "$hurt" >"$tmp/stdout" 2>&1; then
	last=$(grep -c "^$(tail -n 1 "$tmp/trace" | cut -d ' ' -f 1) " "$tmp/trace")
	rm "$new"
	ok "it cannot be read back: 13" exits 13 calls -e inject=pread64:error=EIO:when="$last" \
		"$read" repair -q "${key[@]}" -o "$new" "$hurt"
	is "which is said" "$(cat "$tmp/stderr")" "satchel-read: $new: Input/output error"
	no "and nothing is left" test -e "$new"
else
	skip "it cannot be read back" "nothing can be traced here"
fi

# --- stopped ----------------------------------------------------------------------------------------------------------

mkdir "$tmp/stop"
head -c 200000000 /dev/urandom >"$tmp/big"
"$pack" -q "${key[@]}" -o "$tmp/large" "$tmp/big"
for signal in INT TERM HUP; do
	heeding "$read" repair -q "${key[@]}" -o "$tmp/stop/new" "$tmp/large" >/dev/null 2>&1 &
	while [ -z "$(ls -A "$tmp/stop")" ] && kill -0 $! 2>/dev/null; do sleep 0.01; done
	name=$(ls -A "$tmp/stop")
	kill -$signal $!
	wait $! 2>/dev/null
	is "SIG$signal: its exit code" $? $((128 + $(kill -l $signal)))
	is "its name says nothing" "$([[ $name =~ ^[a-z]{8}$ ]] && echo so)" so
	is "nothing is left" "$(ls -A "$tmp/stop")" ''
done
finish
