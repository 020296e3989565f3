#!/bin/bash
# What archives may hold and a bundle does not, and what is said about it.
. tests/cli/lib.sh

head -c 32 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")
bundle=$tmp/b

# make ARCHIVE MEMBER...: a tar whose members are in a line each:
#   f NAME CONTENT   d NAME   l NAME TARGET   h NAME TARGET [CONTENT]   p/c/b NAME
make() {
	python3 - "$@" <<'END'
import io, sys, tarfile
kinds = {'f': tarfile.REGTYPE, 'd': tarfile.DIRTYPE, 'l': tarfile.SYMTYPE,
         'h': tarfile.LNKTYPE, 'p': tarfile.FIFOTYPE, 'c': tarfile.CHRTYPE,
         'b': tarfile.BLKTYPE}
with tarfile.open(sys.argv[1], 'w') as t:
    for line in sys.argv[2:]:
        kind, name, rest, content = (line + '   ').split(' ')[:4]
        m = tarfile.TarInfo(name)
        m.type = kinds[kind]
        m.mode = 0o755 if kind == 'd' else 0o644
        m.mtime = 1000000000
        if kind in 'lh':
            m.linkname = rest
            m.pax_headers = {'comment': 'links may have content'}
        else:
            content = rest if kind == 'f' else ''
        m.size = len(content)
        t.addfile(m, io.BytesIO(content.encode()))
END
}

# says CODE REGEX ARGUMENT...: how packing ends, and a line of what it says.
says() {
	local code=$1 regex=$2
	shift 2
	rm -f "$bundle"
	exits "$code" bounded "$pack" "${key[@]}" -o "$bundle" "$@" &&
		grep -qE "^satchel-pack: $regex\$" "$tmp/stderr"
}

listing() { # KINDS AND PATHS, one to a line
	tests/decode.py "${key[@]}" ls "$bundle" |
		jq -r 'select(.path != ".") | .kind[:1] + " " + .path'
}

content() {
	"$read" cat "${key[@]}" "$bundle" "$1"
}

# --- names -----------------------------------------------------------------------

make "$tmp/a.tar" 'f ../up x' 'f a/../../b x' 'f a/../c x' 'f good/file one'
ok "names that lead out" says 3 '.*a.tar: ../up: would lie outside of the bundle: left out' \
	--archive "$tmp/a.tar"
is "are named, each" "$(grep -c outside "$tmp/stderr")" 3
is "and not in it, nor what would be beside them" "$(listing)" $'d good\nf good/file'

make "$tmp/a.tar" 'f /etc/one x' 'f //two x' 'f ./three//four x' 'd ./'
ok "names that begin with a slash" says 0 \
	'.*a.tar: names begin with a slash; they are packed without it' --archive "$tmp/a.tar"
is "said once" "$(grep -c slash "$tmp/stderr")" 1
is "are packed without it" "$(listing)" $'d etc\nd three\nf two\nf etc/one\nf three/four'
is "directories that are missing are as old as what is in them" \
	"$(tests/decode.py "${key[@]}" ls "$bundle" | jq -r 'select(.path == "etc") | [.mode, .mtime] | join(" ")')" \
	'0555 999993600'

make "$tmp/a.tar" "f $(printf 'x%.0s' {1..256}) x" "f $(printf 'longer/%.0s' {1..3000})z x" 'f ok x'
ok "names and paths too long" says 3 \
	'.*a part of its name is longer than 255 bytes: left out' --archive "$tmp/a.tar"
like "are named" "$(cat "$tmp/stderr")" 'its path is longer than a bundle can hold: left out'
is "and the rest is packed" "$(listing)" 'f ok'

# --- the same name again -----------------------------------------------------------

make "$tmp/a.tar" 'f a old' 'h b a' 'f a new' 'd c' 'f c/d x' 'd c' 'f c file' 'f a/b x' \
	'l l elsewhere' 'f l/x x' 'd l' 'f l/y x' 'd b'
ok "a file twice" says 3 '.*a.tar: a: comes more than once; the last is packed' \
	--archive "$tmp/a.tar"
is "is the last one" "$(content a)" new
like "a file is no directory" "$(cat "$tmp/stderr")" 'a/b: would lie in a file of the archive: left out'
like "nor the other way round" "$(cat "$tmp/stderr")" 'c: is a directory in the same archive: left out'
like "nothing lies behind a link" "$(cat "$tmp/stderr")" \
	'l/x: would lie behind a symbolic link of the archive: left out'
is "that is all" "$(listing)" $'f a\nd b\nd c\nd l\nf c/d\nf l/y'

make "$tmp/a.tar" 'f a old' 'h b a' 'f a new'
ok "a name that is given to another file" says 0 '.*' --archive "$tmp/a.tar"
is "leaves the other names alone" "$(content a) $(content b)" 'new old'

make "$tmp/a.tar" 'f a x' 'h b a' 'h c b' 'h d nowhere' 'h e e' 'd f' 'h g f' 'l s a' 'h t s'
ok "names of nothing" says 3 '.*a.tar: d: is another name of what is not in the archive: left out' \
	--archive "$tmp/a.tar"
like "or of a directory" "$(cat "$tmp/stderr")" 'g: is another name of a directory: left out'
is "chains of names are names of one" "$(listing)" $'f a\nh b\nh c\nd f\ns s\nh t'

make "$tmp/a.tar" 'f a old' 'h b a new'
ok "content that comes with the last name" says 0 '.*' --archive "$tmp/a.tar"
is "is that of every name" "$(content a) $(content b)" 'new new'
make "$tmp/a.tar" 'f a old' 'h a a new'
ok "content for a name of itself" says 0 '.*a.tar: a: comes more than once; the last is packed' \
	--archive "$tmp/a.tar"
is "is a file twice" "$(content a)" new
make "$tmp/a.tar" 'f films/a first'
make "$tmp/b.tar" 'f ok x' 'h other films/a REPLACED' 'h third films/a'
ok "names of what another archive has" says 3 \
	'.*b.tar: other: is another name of what is not in the archive: left out' \
	--archive "$tmp/a.tar" --archive "$tmp/b.tar"
is "are left out, both" "$(grep -c 'not in the archive' "$tmp/stderr")" 2
is "and what it has is as it was" "$(content films/a)" first

# --- kinds ---------------------------------------------------------------------------

make "$tmp/a.tar" 'p dev/pipe' 'c dev/null' 'b dev/sda' 'f ok x'
ok "devices and pipes" says 0 '.*a.tar: dev/sda: is a device: left out' --archive "$tmp/a.tar"
is "are left out" "$(listing)" 'f ok'

# --- what is excluded ------------------------------------------------------------------

make "$tmp/a.tar" 'f films/a.mp4 x' 'f films/notes.txt x' 'f old/b x' 'h linked films/notes.txt'
ok "patterns" says 3 '.*linked: is another name of what --exclude leaves out: left out' \
	--archive "$tmp/a.tar" --exclude '*.txt' --exclude old
is "fit members, too" "$(listing)" $'d films\nf films/a.mp4'

# --- where they go ---------------------------------------------------------------------

make "$tmp/a.tar" 'f films/a x'
make "$tmp/b.tar" 'f films/b x'
mkdir -p "$tmp/src/films"
ok "two archives of one name" says 1 \
	".*b.tar: films: $tmp/a.tar has this name, too; pack them one by one" \
	--archive "$tmp/a.tar" --archive "$tmp/b.tar"
ok "an archive and a path" says 1 \
	".*src/films: $tmp/a.tar/films has this name, too; .*|.*a.tar/films: .*src/films has this name.*" \
	--archive "$tmp/a.tar" "$tmp/src/films"
no "are no bundle" test -e "$bundle"
tar -cf "$tmp/empty.tar" -T /dev/null
cp "$tmp/empty.tar" "$tmp/last.tar"
ok "one archive twice, before others" says 1 \
	".*src/films: $tmp/a.tar/films has this name, too; .*|.*a.tar/films: .*src/films has this name.*" \
	--archive "$tmp/empty.tar" --archive "$tmp/empty.tar" --archive "$tmp/a.tar" \
	--archive "$tmp/last.tar" "$tmp/src/films"
ok "a clock from the environment" env SOURCE_DATE_EPOCH=500000000 "$pack" -q "${key[@]}" \
	-o "$bundle" --metadata full --archive "$tmp/a.tar"
is "is the latest time" "$(tests/decode.py "${key[@]}" ls "$bundle" | jq -r .mtime | sort -u)" 500000000

# --- what is no archive ---------------------------------------------------------------

ok "nothing" says 1 'standard input: is empty, and no archive' --archive - </dev/null
ok "nothing in a pipe" says 1 'standard input: is empty, and no archive' --archive - < <(:)
head -c 100000 /dev/urandom >"$tmp/noise"
ok "noise" says 1 '.*noise: is not a whole archive of a kind that is known here' \
	--archive "$tmp/noise"
ok "a directory" says 1 ".*src: Is a directory" --archive "$tmp/src"
ok "what is not there" says 1 ".*absent: No such file or directory" --archive "$tmp/absent"
ok "a path that is not there, before a pipe is waited for" says 1 ".*absent: No such file or directory" \
	--archive - "$tmp/absent" < <(sleep 5)
ok "an archive of nothing" says 1 '.*empty.tar: holds nothing' --archive "$tmp/empty.tar"
ok "beside something" says 3 '.*empty.tar: holds nothing' --archive "$tmp/empty.tar" "$tmp/key"
# A list of files, which libarchive would read from this disk.
printf '#mtree\n./stolen type=file size=32 contents=%s\n' "$tmp/key" >"$tmp/list.mtree"
ok "a list of this machine's files" says 1 '.*list.mtree: is not a whole archive of .*' \
	--archive "$tmp/list.mtree"
ok "which bsdtar would read" cmp "$tmp/key" <(bsdtar -cf - "@$tmp/list.mtree" | tar -xO)
cp "$tmp/a.tar" "$bundle.tar"
ok "the output" exits 2 "$pack" -f "${key[@]}" -o "$bundle.tar" --archive "$bundle.tar"
ok "is untouched" cmp "$tmp/a.tar" "$bundle.tar"

printf 'x%.0s' {1..5000} >"$tmp/secret.txt"
(cd "$tmp" && bsdtar --format=zip --options zip:encryption=traditional --passphrase x \
	-cf e.zip secret.txt 2>/dev/null)
ok "an encrypted zip" says 1 '.*e.zip: secret.txt: is encrypted; unpack it with its password, .*' \
	--archive "$tmp/e.zip"

# --- standard input ----------------------------------------------------------------------

ok "nobody writes, and a signal comes" exits 130 timeout --preserve-status -s INT 1 "$pack" "${key[@]}" \
	-o "$bundle" --archive - < <(sleep 9)
ok "a terminal" exits 1 script -qec "$pack ${key[*]} -o $bundle --archive -" /dev/null
like "is no archive" "$(cat "$tmp/stdout")" 'standard input: is a terminal; pipe an archive into it'
ok "twice" exits 2 "$pack" "${key[@]}" -o "$bundle" --archive - --archive - </dev/null
ok "for a passphrase, too" exits 2 "$pack" --passphrase-fd 0 -o "$bundle" --archive - </dev/null
like "is refused" "$(cat "$tmp/stderr")" 'standard input can be read only once'
(cat "$tmp/a.tar" && head -c 307200 /dev/zero) >"$tmp/padded.tar"
ok "is read to its end" says 0 '.*' --archive - < <(cat "$tmp/padded.tar" && echo whole >"$tmp/whole")
is "so that who writes it ends well" "$(cat "$tmp/whole")" whole
cat "$tmp/a.tar" "$tmp/empty.tar" <(make "$tmp/c.tar" 'f second x' && cat "$tmp/c.tar") >"$tmp/ab.tar"
ok "archives one behind the other" says 0 '.*' --archive "$tmp/ab.tar"
is "are all read" "$(listing)" $'d films\nf second\nf films/a'

key=()
ok "in a recipe" says 0 '.*' --recipe - <<END
[compartment]
archive = $tmp/a.tar
key-file = $tmp/key
END
key=(--key-file "$tmp/key")
is "it is the same" "$(listing)" $'d films\nf films/a'

finish
