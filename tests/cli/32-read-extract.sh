#!/bin/bash
# satchel-read extract: attributes, what stands in the way, traps that others have
# laid, media that are full or read-only, names that a file system refuses.
. tests/cli/lib.sh

good=tests/data/good
key=(-q --passphrase-file "$good/one.passphrase")
root=$(id -u)

# extract CODE BUNDLE [ARGUMENT...]: into $out, which is new.
out=$tmp/out
extract() {
	local code=$1 bundle=$good/$2.bundle
	shift 2
	exits "$code" "$read" extract "${key[@]}" -C "$out" "$bundle" "$@"
}
names_in() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f ' | tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ' | sed 's/^ //'; }
fresh() {
	chmod -R u+rwX "$out" 2>/dev/null
	rm -rf "$out"
	mkdir "$out"
}

# --- what is said --------------------------------------------------------------------

fresh
ok "extracts" exits 0 "$read" extract "${key[@]:1}" -C "$out" -v $good/passphrase-low.bundle
like "one line says what it leaves" "$(cat "$tmp/stderr")" "^satchel-read: what is extracted stays readable on the disk of $out"
is "nothing else" "$(wc -l <"$tmp/stderr")" 1
is "-v prints what is extracted" "$(LC_ALL=C sort "$tmp/stdout")" \
	"$(cd "$out" && find . -mindepth 1 | cut -c 3- | LC_ALL=C sort)"
rm -rf "$out"
ok "a directory that is not there is made" extract 0 passphrase-low
is "for who asked for it alone" "$(stat -c %a "$out")" 700
ok "only if the one above it is" exits 1 "$read" extract "${key[@]}" -C "$tmp/no/where" $good/links.bundle
touch "$tmp/file"
ok "a file is none" exits 1 "$read" extract "${key[@]}" -C "$tmp/file" $good/links.bundle

# --- selection ---------------------------------------------------------------------------

fresh
ok "one file" extract 0 links under/deeper/several
is "with the directories above it" "$(cd "$out" && find . | sort | tr '\n' ' ')" \
	'. ./under ./under/deeper ./under/deeper/several '
fresh
ok "a pattern" extract 0 links 'un*/*l'
is "takes what it matches" "$(cd "$out" && find . -type f | sort | tr '\n' ' ')" './under/several '
fresh
ok "the same twice, and in each other" extract 0 links under under/deeper under/deeper/several under
is "is extracted once" "$(cd "$out" && find . -type f | wc -l)" 2
fresh
ok "names that are linked, without the first" extract 0 links under
is "are linked to each other" "$(stat -c %h "$out/under/several" "$out/under/deeper/several" | tr '\n' ' ')" '2 2 '
fresh
ok "all of it" extract 0 links
is "four names of one file" "$(stat -c %h "$out/again")" 4
ok "the same one" test "$out/again" -ef "$out/under/deeper/several"
is "two of a symbolic link" "$(stat -c %h "$out/one") $(readlink "$out/under/deeper/two")" '2 several'
ok "what is not there: 1" extract 1 links nowhere
ok "and the rest is" test -e "$out/again"

for name in names links sparse; do
	fresh
	extract 0 $name >/dev/null
	chmod -R u+r "$out" # one may be read by nobody, as it was packed
	"$read" ls --checksum "${key[@]}" $good/$name.bundle >"$tmp/sums"
	ok "$name: b2sum -c finds all of it right" bash -c 'cd "$1" && b2sum -c --quiet "$2"' - "$out" "$tmp/sums"
	is "$name: and has looked at all" "$(wc -l <"$tmp/sums")" "$(find "$out" -type f -print0 | tr -dc '\0' | wc -c)"
	printf x >>"$out/$(sed -n '$s/^.\{130\}//p' "$tmp/sums")"
	no "$name: a change would be seen" bash -c 'cd "$1" && b2sum -c --quiet "$2"' - "$out" "$tmp/sums"
done

# --- attributes ----------------------------------------------------------------------------

for mask in 022 077 002 027; do
	fresh
	umask $mask
	extract 0 links >/dev/null
	umask 022
	is "private, umask $mask: what may be read, and written by the owner" \
		"$(stat -c %a "$out/again" "$out/under" "$out/zero mode" | tr '\n' ' ')" \
		"$(printf '%o %o %o ' $((0644 & ~0$mask)) $((0755 & ~0$mask)) $((0200 & ~0$mask)))"
done
is "private: the day" "$(stat -c %Y "$out/again" "$out/under" | tr '\n' ' ')" "$((86400 * 365)) 1699920000 "
is "private: of a link, too, before 1970" "$(stat -c %Y "$out/absolute")" -86400

fresh
# 3: extended attributes that no file system has, and an owner that is none.
ok "full metadata" extract 3 signed-full-metadata
is "what could not be kept is named" "$(grep -c '^satchel-read: acl: system.posix_acl_access: ' "$tmp/stderr")" 0
ok "with -q it is not, but the exit code is the same" test ! -s "$tmp/stderr"
is "exact modes" "$(stat -c %a "$out/sparse" | tr '\n' ' ')" '600 '
is "exact times" "$(stat -c %.9Y "$out/several")" 1700000000.999999999
if [ "$root" -eq 0 ]; then
	is "owners" "$(stat -c %u:%g "$out/under" "$out/sparse" | tr '\n' ' ')" '7:8 1:0 '
	is "with the set-group-id bit" "$(stat -c %a "$out/under")" 3770
	is "none where the owner is not to be had" "$(stat -c %a "$out/several")" 711
	! has_cap 21 || is "attributes of links" "$(getfattr -h --only-values -n trusted.x "$out/link" 2>/dev/null)" 1
fi
is "extended attributes" "$(getfattr --only-values -n user.two "$out/several" 2>/dev/null | wc -c)" 40
is "small ones beside those that are too large here" \
	"$(getfattr --only-values -n user.small "$out/large" 2>/dev/null)" small
is "holes" "$(test "$(stat -c %b "$out/sparse")" -lt 100 && echo kept)" kept

# --- what stands in the way ---------------------------------------------------------------------

fresh
printf mine >"$out/again"
mkdir "$out/several"
ok "files that exist are not replaced: 1" extract 1 links
is "they stay" "$(cat "$out/again")" mine
is "they are named" "$(grep -c '^satchel-read: again: exists already' "$tmp/stderr")" 1
is "their other names are not made from them" "$(stat -c %s "$out/under/several")" 500
ok "--force replaces" extract 1 links --force
is "it does" "$(stat -c %s "$out/again")" 500
like "but no directory" "$(cat "$tmp/stderr")" 'satchel-read: several: Is a directory'
is "nothing else is left" "$(find "$out" -name '*[a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z][a-z]' ! -name 'dangling' ! -name 'to directory')" ''

# Traps: nothing outside may change, and nothing is read through a link.
mkdir "$tmp/outside"
echo secret >"$tmp/outside/again"
for force in '' --force; do
	fresh
	ln -s "$tmp/outside" "$out/under"
	ln -s "$tmp/outside/again" "$out/again"
	ln -s "$tmp/outside/new" "$out/several"
	# shellcheck disable=SC2086
	ok "links in the way${force:+, forced}: 1" extract 1 links $force
	is "nothing went through them" "$(cd "$tmp/outside" && find . | sort | tr '\n' ' ')$(cat "$tmp/outside/again")" \
		'. ./again secret'
	like "the directory is named" "$(cat "$tmp/stderr")" 'under: exists already and is not a directory'
	ok "what was in it is nowhere else" test ! -e "$out/deeper"
done
ok "forced, the links to files are gone" test ! -L "$out/again"

# A tree that was packed to be one: the link and what is below its name.
fresh
ok "links that lead out are made" extract 0 links absolute above
is "and not followed" "$(readlink "$out/above")" ../../../..

# --- damage ----------------------------------------------------------------------------------------

mkdir "$tmp/damaged"
tests/encode.py --unfold $good/parity-2-too-much.keys $good/parity-4-damaged.keys "$tmp/damaged"
fresh
ok "a damaged file: 4" exits 4 "$read" extract "${key[@]}" -C "$out" "$tmp/damaged/parity-2-too-much.parity-2.bundle"
is "it is named" "$(cat "$tmp/stderr")" 'satchel-read: a: damaged beyond repair'
is "the others are there, and nothing of it" "$(names_in "$out")" 'b c '
fresh
ok "repaired: 5" exits 5 "$read" extract "${key[@]}" -C "$out" "$tmp/damaged/parity-4-damaged.parity-4.bundle"
is "all is there" "$(names_in "$out")" 'a b c '

# --- media ---------------------------------------------------------------------------------------------


if [ "$root" -ne 0 ]; then
	skip "a full disk" "needs root"
elif ! { mkdir "$tmp/small" && mount -t tmpfs -o size=400k none "$tmp/small" 2>/dev/null; }; then
	skip "a full disk" "nothing can be mounted here"
else
	on_exit() { umount "$tmp/small" "$tmp/medium" 2>/dev/null; }
	ok "a full disk: 1" exits 1 "$read" extract "${key[@]}" -C "$tmp/small" $good/many-entries.bundle
	is "one line says so" "$(grep -c 'no room is left' "$tmp/stderr") $(wc -l <"$tmp/stderr")" '1 1'
	is "no temporary file remains" "$(cd "$tmp/small" && find . -type f ! -name 'file *' ! -name comb ! -name 'in *' | wc -l)" 0
	is "what is there is whole" "$(find "$tmp/small" -type f -name 'file *' -empty | wc -l)" 0
	ok "as many as fitted" test "$(find "$tmp/small" -type f | wc -l)" -gt 10
	umount "$tmp/small"

	mkdir "$tmp/medium"
	mount -t tmpfs -o size=4m none "$tmp/medium"
	cp $good/links.bundle "$tmp/medium"
	mount -o remount,ro "$tmp/medium"
	fresh
	ok "from a read-only medium" exits 0 "$read" extract "${key[@]}" -C "$out" "$tmp/medium/links.bundle"
	ok "onto one: 1" exits 1 "$read" extract "${key[@]}" -C "$tmp/medium" $good/links.bundle
	like "it is said why" "$(cat "$tmp/stderr")" 'read-only'
	is "once" "$(wc -l <"$tmp/stderr")" 1
fi

# --- names of one letter ---------------------------------------------------------------------------------------

# What one thread has under a name for a while must not be what another is to write.
mkdir "$tmp/let"
for letter in {a..z}; do head -c 300000 /dev/urandom >"$tmp/let/$letter"; done
head -c 32 /dev/urandom >"$tmp/key"
"$pack" -q --key-file "$tmp/key" -o "$tmp/letters" "$tmp/let" || exit 1
for try in 1 2 3 4 5; do
	fresh
	ok "names of one letter, $try: 0" exits 0 "$read" extract -q --force --key-file "$tmp/key" -C "$out" \
		"$tmp/letters" 'let/?'
	ok "none is another's" diff -r "$tmp/let" "$out/let"
done

# --- names that are the same to the file system ---------------------------------------------------------------

if sanitized || ! preload fold 2>/dev/null; then
	skip "names that do not tell case" "needs a compiler, and no sanitizer"
else
	mkdir -p "$tmp/cases/Dir" "$tmp/cases/dir"
	for name in README readme Dir/X Dir/x dir/X dir/x Dir/7 dir/7; do echo "$name" >"$tmp/cases/$name"; done
	ln -s README "$tmp/cases/Readme"
	ln "$tmp/cases/README" "$tmp/cases/dir/README"
	ln "$tmp/cases/README" "$tmp/cases/dir/readme"
	"$pack" -q --key-file "$tmp/key" -o "$tmp/folded" "$tmp/cases/." || exit 1
	shims=$tmp/fold.so
	folding() {
		LD_PRELOAD=$shims "$build/tests/satchel-read" extract -q --force --key-file "$tmp/key" \
			-C "$out" "$tmp/folded"
	}
	fresh
	mkdir "$out/dir"
	echo old >"$out/dir/x"
	echo old >"$out/readme"
	for try in "files that were there" "what an earlier run wrote"; do
		ok "--force, names that do not tell case: 1" exits 1 folding
		is "each that has no place is named" "$(grep -c ': is what is read, or was just extracted: ' "$tmp/stderr")" 7
		like "whatever it is" "$(cat "$tmp/stderr")" "dir/readme: is what"
		is "$try are replaced, and nothing else" "$(cat "$out/readme" "$out/dir/x" | grep -c old)" 0
	done
	rm -rf "$out/dir"
	ok "in a directory that it makes, too" exits 1 folding
	is "each is named" "$(grep -c ': is what is read, or was just extracted: ' "$tmp/stderr")" 7
	is "and one of those that are the same is there" "$(find "$out/dir" -mindepth 1 | wc -l)" 3

	# FAT has no numbers of files, and the kernel makes up others when it has forgotten them.
	preload renumbers && preload drive || exit 1
	fresh
	shims="$tmp/renumbers.so $tmp/drive.so $tmp/fold.so"
	export DRIVE_AT=$out DRIVE_FREE=9999999999
	mkdir "$out/dir"
	echo old >"$out/dir/x"
	DRIVE_TYPE=0x4d44 ok "on FAT: 1" exits 1 folding
	is "each that has no place is named" "$(grep -c ': is what is read, or was just extracted: ' "$tmp/stderr")" 7
	is "files that were there are replaced" "$(grep -c old "$out/dir/x")" 0
	fresh
	shims="$tmp/renumbers.so $tmp/drive.so"
	for try in 1 2; do
		DRIVE_TYPE=0x65735546 ok "where names tell case and numbers do not last, $try: 0" exits 0 folding
		ok "all is there, $try" diff -r --no-dereference "$tmp/cases" "$out"
	done
	unset DRIVE_AT DRIVE_FREE
fi

# --- what is read is not replaced ----------------------------------------------------------------------------

fresh
mkdir "$out/own"
for name in bundle key link; do echo "not the $name" >"$out/own/$name"; done
head -c 32 /dev/urandom >"$tmp/other"
"$pack" -q --key-file "$tmp/other" -o "$tmp/own" "$out/own/." || exit 1
mv "$tmp/own" "$out/own/bundle"
mv "$tmp/other" "$out/own/key"
ln -sf key "$out/own/link"
before=$(sha256sum "$out/own"/*)
ok "--force does not replace what is read: 1" exits 1 "$read" extract -q --force --key-file "$out/own/link" \
	-C "$out/own" "$out/own/bundle"
is "each is named" "$(sort "$tmp/stderr")" "$(printf "satchel-read: %s: is what is read, or was just extracted: --force does not replace it\n" bundle key link)"
is "all are as they were" "$(sha256sum "$out/own"/*)" "$before"

# --- names that are refused ---------------------------------------------------------------------------------

# The only mkdir(2) of this is the question whether the name may be: no is said for
# the file system.  (FAT cannot be mounted everywhere.)
if ! strace -qq -e trace=none true 2>/dev/null; then
	skip "a name that is refused" "strace cannot trace here"
	finish
fi
if sanitized; then
	# They look for leaks by tracing themselves.
	skip "a name that is refused" "sanitizers cannot be traced"
	finish
fi
for error in EINVAL EILSEQ ENAMETOOLONG; do
	fresh
	ok "a name that is refused ($error): 3" exits 3 strace -f -qq -o "$tmp/trace" -e trace=mkdirat \
		-e inject=mkdirat:error=$error "$read" extract "${key[@]:1}" -C "$out" $good/names.bundle 'a:b\c'
	is "has another" "$(names_in "$out" | sed 's/[0-9a-f]\{8\}/HASH/')" 'a_b_c-HASH '
	is "and its content" "$(cat "$out"/*)" 'a:b\c'
	like "it is said" "$(cat "$tmp/stderr")" 'a:b\\c: the file system refuses this name; it is a_b_c-[0-9a-f]{8} instead'
done
name=$(basename "$out"/*)
fresh
ok "it is always the same" exits 3 strace -f -qq -o "$tmp/trace" -e trace=mkdirat \
	-e inject=mkdirat:error=EINVAL "$read" extract "${key[@]}" -C "$out" $good/names.bundle 'a:b\c'
is "that is" "$(names_in "$out")" "$name "

# --- stopped ---------------------------------------------------------------------------------------------------

tests/encode.py columns "$tmp" 2>/dev/null

temporary() { find "$out" -type f ! -name 'part *'; }

# While the third file waits for its name.
for signal in INT TERM HUP; do
	fresh
	heeding strace -D -f -qq -o "$tmp/trace" -e trace=renameat2 -e inject=renameat2:delay_enter=20s:when=3 \
		"$read" extract -q "${key[@]}" -C "$out" "$tmp/columns.bundle" >/dev/null 2>"$tmp/stderr" &
	for ((i = 0; i < 400; i++)); do
		[ "$(find "$out" -type f -name 'part *' | wc -l)" -ge 2 ] && [ -n "$(temporary)" ] && break
		sleep 0.05
	done
	ok "a temporary file is there" test $i -lt 400
	kill -$signal $!
	wait $! 2>/dev/null
	is "stopped by SIG$signal: 128 + its number" $? $((128 + $(kill -l $signal)))
	is "no temporary file remains (SIG$signal)" "$(temporary)" ''
	is "nothing is said (SIG$signal)" "$(grep '^satchel' "$tmp/stderr")" ''
done
finish
