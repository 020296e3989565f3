#!/bin/bash
# Bundles whose every tag and digest is right and which ask for more than there is, by
# somebody who has the key; and archives, trees, keys and recipes without end.  All of
# it ends in little memory and time, with few words and the exit code that the manual
# has, and nothing is written but where it was asked for.
. tests/cli/lib.sh

mkdir "$tmp/bombs" "$tmp/out" "$tmp/empty" "$tmp/src"
echo a >"$tmp/src/a"
head -c 32 /dev/urandom >"$tmp/key"
tests/encode.py --bomb all "$tmp/bombs"

# --- what would be noticed --------------------------------------------------------------

if [ "$KIB" = unlimited ]; then
	skip "two gigabytes are too much" "a sanitizer needs more"
else
	no "two gigabytes are too much" bounded python3 -c 'bytearray(2 << 30)'
fi
ok "half of one is not" bounded python3 -c 'bytearray(400 << 20)'
limit=$SECONDS_EACH SECONDS_EACH=1
ok "what does not end is killed" exits 137 bounded sleep 100
SECONDS_EACH=$limit

# --- bombs ---------------------------------------------------------------------------------

read_keys() { # FILE
	local word value
	key=() bundle='' codes=()
	while read -r word value; do
		case $word in
		bundle) if [ "$bundle" ]; then key+=(--volume "$tmp/bombs/$value"); else bundle=$tmp/bombs/$value; fi ;;
		codes) read -ra codes <<<"$value" ;;
		*) key+=("--$word" "$tmp/bombs/$value") ;;
		esac
	done <"$1"
}

# few CODES COMMAND...: ends with one of these, and says what is wrong in few words.  A busy
# machine may take minutes for what the processor takes a few seconds for.
few() {
	local wanted=$1 code=0
	shift
	(
		[ "$KIB" = unlimited ] || ulimit -t 40
		SECONDS_EACH=300
		bounded "$@"
	) >"$tmp/stdout" 2>"$tmp/stderr" || code=$?
	echo "exit code $code, expected one of $wanted; it said:"
	head -c 2000 "$tmp/stderr"
	[[ " $wanted " == *" $code "* ]] && [ "$(wc -l <"$tmp/stderr")" -le 12 ] &&
		{ [[ $code == [05] ]] || [ -s "$tmp/stderr" ]; }
}

# What is written has the codes of each, in this order.  What a hole of eight exbibytes
# sums up to takes for ever to find out.
verbs=(verify info ls 'ls -lR' 'ls --json' 'ls --checksum' tree cat extract repair)

# ends CODES VERB: as it should, and in few words.
ends() {
	local files=() to=()
	case $2 in
	cat) files=(z) ;;
	extract) to=(-C "$tmp/out") ;;
	repair) to=(-o "$tmp/out/copy") ;;
	esac
	# shellcheck disable=SC2086
	few "${1//\// }" "$read" $2 -q "${key[@]}" "${to[@]}" "$bundle" "${files[@]}"
}

for keys in "$tmp"/bombs/*.keys; do
	read_keys "$keys"
	name=${keys##*/} name=${name%.keys}
	is "$name: a code for each verb" "${#codes[@]}" "${#verbs[@]}"
	for i in "${!verbs[@]}"; do
		[ "${codes[i]}" != - ] || continue
		ok "$name: ${verbs[i]}: ${codes[i]}" ends "${codes[i]}" "${verbs[i]}"
		find "$tmp/out" -mindepth 1 -delete
	done
done
ok "there are enough of them" test "$(find "$tmp/bombs" -name '*.keys' | wc -l)" -ge 20

read_keys "$tmp/bombs/harmless.keys"
ok "harmless: extracts" few 0 "$read" extract -q "${key[@]}" -C "$tmp/out" "$bundle"
is "all of it" "$(find "$tmp/out" -mindepth 1 | wc -l)" 7
find "$tmp/out" -mindepth 1 -delete
# A copy of what claims terabytes is not begun.
read_keys "$tmp/bombs/heap-without-end.keys"
ok "a copy needs room: 13" few 13 "$read" repair -q "${key[@]}" -o "$tmp/out/copy" "$bundle"
like "which is said" "$(cat "$tmp/stderr")" 'has room for [0-9.]+ [kMGTP]B, and [0-9.]+ [kMGTP]B are needed'
is "and nothing is left" "$(ls -A "$tmp/out")" ''

# --- keys without end -------------------------------------------------------------------------

read_keys "$tmp/bombs/harmless.keys"
for option in key-file passphrase-file identity; do
	ok "satchel-read --$option /dev/zero" few 1 "$read" ls -q "--$option" /dev/zero "$bundle"
	ok "satchel-mount --$option /dev/zero" few 1 setsid -w "$mount" -f -q "--$option" /dev/zero "$bundle" "$tmp/empty"
done
ok "satchel-read --publisher" few 1 "$read" ls -q --publisher /dev/zero "${key[@]}" "$bundle"
ok "a bundle without end" few 10 "$read" ls -q "${key[@]}" /dev/zero
to=(-q -o "$tmp/out/b")
for option in passphrase-file key-file recipients-file second-factor sign; do
	ok "satchel-pack --$option /dev/zero" few '1 2' "$pack" "${to[@]}" --key-file "$tmp/key" "--$option" /dev/zero "$tmp/src"
	ok "satchel-pack --$option, a pipe" few '1 2' "$pack" "${to[@]}" --key-file "$tmp/key" "--$option" <(yes) "$tmp/src"
done
ok "a passphrase in one line" few 1 "$pack" "${to[@]}" --passphrase-file <(yes | tr -d '\n') "$tmp/src"
ok "a recipe" few 2 "$pack" -q --recipe /dev/zero
ok "a recipe of many lines" few 2 "$pack" -q --recipe <(yes 'label = b')
ok "a recipe of one line" few 2 "$pack" -q --recipe <(yes | tr -d '\n')

# --- archives and trees ---------------------------------------------------------------------------

python3 - "$tmp" <<'EOF'
import os, struct, sys, tarfile, zlib
def zip_of(archive, stored, names, size, crc):
    """A zip whose members all have the same bytes, deflated."""
    head = struct.pack('<5H3I', 20, 0, 8, 0, 33, crc, len(stored), size)
    local = b'PK\3\4' + head + struct.pack('<2H', len(names[0]), 0) + names[0] + stored
    central = b''.join(b'PK\1\2' + struct.pack('<H', 20) + head + struct.pack('<5H2I', len(n), 0, 0, 0, 0, 0, 0) + n
                       for n in names)
    with open(archive, 'wb') as out:
        out.write(local + central + struct.pack('<4s4H2IH', b'PK\5\6', 0, 0, len(names), len(names),
                                                len(central), len(local), 0))
c, megabyte, crc = zlib.compressobj(9, zlib.DEFLATED, -15), bytes(1 << 20), 0
zeros = []
for _ in range(200):
    zeros.append(c.compress(megabyte))
    crc = zlib.crc32(megabyte, crc)
zeros = b''.join(zeros + [c.flush()])
zip_of(sys.argv[1] + '/zeros.zip', zeros, [b'00000'], 200 << 20, crc)
zip_of(sys.argv[1] + '/overlap.zip', zeros, [b'%05d' % i for i in range(60000)], 200 << 20, crc)
def tar(archive, format, name, size=1):
    with tarfile.open(f'{sys.argv[1]}/{archive}.tar', 'w', format=format) as t:
        member = tarfile.TarInfo(name)
        member.size = size
        t.fileobj.write(member.tobuf(format))
        t.fileobj.write(bytes(512 if size == 1 else 5000))
tar('deep', tarfile.PAX_FORMAT, 'd/' * 9000 + 'x')
tar('deeper', tarfile.PAX_FORMAT, 'd/' * 500000 + 'x')
tar('huge', tarfile.GNU_FORMAT, 'huge', size=1 << 60)
os.chdir(sys.argv[1])
os.mkdir('deep')
os.chdir('deep')
for i in range(10000):
    os.mkdir('d')
    os.chdir('d')
with open('bottom', 'w') as f:
    f.write('x')
EOF
truncate -s 300M "$tmp/zeros"
tar -C "$tmp" -cf - zeros | gzip -1 | gzip | gzip >"$tmp/zeros.gz"
mv "$tmp/zeros.gz" "$tmp/zeros"
dry=("$pack" -q --dry-run --key-file "$tmp/key")
ok "an archive of 9,000 levels: 3" few 3 "${dry[@]}" --archive "$tmp/deep.tar" "$tmp/key"
ok "of half a million: 3" few 3 "${dry[@]}" --archive "$tmp/deeper.tar"
ok "a member of an exbibyte that is not there: 1" few 1 "${dry[@]}" --archive "$tmp/huge.tar"
ok "compressed again and again: 0" few 0 "${dry[@]}" --archive "$tmp/zeros"
ok "200 MB of zeros in a zip: 0" few 0 "${dry[@]}" --archive "$tmp/zeros.zip"
# A zip is read from the front, where there is one.
ok "60,000 members of a zip that are the same bytes: 0" few 0 "${dry[@]}" --archive "$tmp/overlap.zip"
ok "a tree of 10,000 levels: 3" few 3 "${dry[@]}" "$tmp/deep" "$tmp/key"
like "what is too deep is named" "$(tail -c 300 "$tmp/stderr")" 'too long|too deep|left out'

is "no bundle was made" "$(ls -A "$tmp/out" "$tmp/empty")" "$(printf '%s:\n\n%s:' "$tmp/empty" "$tmp/out")"
finish
