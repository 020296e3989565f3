#!/bin/bash
# Every allocation, read, write, sync, rename, thread... of the packer fails once, with all
# others as they should be: no crash, no leak, the exit code of the manual, some plain
# words, and either nothing or all of it under the final name.
few=8
. tests/cli/lib.sh
. tests/cli/nth.sh

nth_begin
tar -C "$tmp" -cf "$tmp/archive.tar" src

# Exit codes that the manual has for this failure.  What is only wished for, as a word to the
# kernel about caches or a thread more, may fail unnoticed.
right_codes() {
	if [ "$all" ]; then
		echo '[0123]|13'
		return
	fi
	case $kind in
	memory | crypto | archive | map | thread) echo '[01]' ;;
	write | sync | rename)
		if [[ $culprit == linkat* ]]; then
			echo '[01]' # a file system may have none
		elif about out; then
			echo 13
		else
			echo 1
		fi
		;;
	note) echo 3 ;;
	open | stat)
		if about src; then
			echo '[013]'
		elif about out; then
			echo '[01]|13'
		elif about recipe; then
			echo '[012]'
		else
			echo '[01]'
		fi
		;;
	close)
		if about out; then echo '[01]|13'; else echo '[01]'; fi
		;;
	read)
		if about src; then
			echo '[013]' # 1 where it was staged before, 0 where it is read again
		elif about out; then
			echo 13
		elif about recipe; then
			echo 2
		else
			echo '[01]'
		fi
		;;
	*) echo '[01]' ;;
	esac
}

# Was it said that this, or the directory that it is in, was left out?
named() {
	local path=$tmp/$1
	while [ "$path" != "$tmp" ]; do
		! grep -qF "$path: " "$tmp/stderr" || return 0
		path=${path%/*}
	done
	return 1
}

# The tree that the bundle must hold; of what is not in it, each name was said.
comes_back() {
	local bundles=("$tmp/out"/b*) volumes=() path
	for bundle in "${bundles[@]:1}"; do volumes+=(--volume "$bundle"); done
	rm -rf "$tmp/got"
	"$read" extract "${key[@]}" "${volumes[@]}" -C "$tmp/got" "${bundles[0]}" 2>&1 || return
	[ "$code" -eq 0 ] && diff -r "$tmp/src" "$tmp/got/src" && return
	(cd "$tmp" && find src ! -type d) | while read -r path; do
		named "$path" || diff -r --no-dereference "$tmp/$path" "$tmp/got/$path" 2>&1
	done
}

packed() {
	local left
	said satchel-pack
	left=$(ls -A "$tmp/out")
	case $code in
	0 | 3) comes_back ;;
	*) [ -z "$left" ] || echo "left: $left" ;;
	esac
	[ -z "$culprit" ] || [[ $code =~ ^($(right_codes))$ ]] || echo "not code $(right_codes)"
	left=$(find "$tmp/spill" "$tmp/out" -mindepth 1 ! -name b ! -name 'b-[0-9]')
	[ -z "$left" ] || echo "left behind: $left"
	rm -rf "$tmp/out" && mkdir "$tmp/out"
}

# libarchive 3.6.2 does not look in two places whether it was given memory, and dies of
# it, and in others ends the program: then nothing is left, at least.
packed_by_libarchive() {
	if [ "$code" -eq 139 ] || grep -q '^Fatal Internal Error in libarchive' "$tmp/stderr"; then
		find "$tmp/out" "$tmp/spill" -mindepth 1
	else
		packed
	fi
}

with=("$pack" "${key[@]}" --jobs 2 --spill "$tmp/spill" -o "$tmp/out/b")
name="a directory"
for kind in memory:60 crypto:1000 map:8 thread:4 open:13 stat:24 read:11 write:1 sync:2 rename:1 \
	close:12; do
	every "$kind" packed "${with[@]}" "$tmp/src"
done

name="a directory, where nothing can be renamed in one go"
for kind in sync:2 rename:1 make:1; do
	NTH_OLD=1 every "$kind" packed "${with[@]}" "$tmp/src"
done

# Where one of several drives fails the other has all of it.
several() {
	local bundle left
	said satchel-pack
	[ -z "$culprit" ] || [[ $code =~ ^($(right_codes))$ ]] || echo "not code $(right_codes)"
	for bundle in "$tmp"/out/?/*; do
		[ -e "$bundle" ] || continue
		rm -rf "$tmp/got"
		"$read" extract "${key[@]}" -C "$tmp/got" "$bundle" 2>&1 || continue
		[ "$code" -eq 3 ] || diff -r "$tmp/src" "$tmp/got/src"
	done
	left=$(find "$tmp/out" "$tmp/spill" -type f ! -name b)
	[ -z "$left" ] || echo "left behind: $left"
	[ "$code" -ne 0 ] || [ "$(find "$tmp/out" -name b | wc -l)" -eq 2 ] || echo "not two of them"
	rm -rf "$tmp/out" && mkdir -p "$tmp"/out/{1,2}
}
few=5
name="two drives"
mkdir "$tmp"/out/{1,2}
for kind in memory:60 open:15 read:11 write:2 sync:4 rename:2 close:14; do
	every "$kind" several "$pack" "${key[@]}" --jobs 2 --spill "$tmp/spill" \
		-o "$tmp/out/1/b" -o "$tmp/out/2/b" "$tmp/src"
done
rm -rf "$tmp/out" && mkdir "$tmp/out"

few=4
name="with a passphrase"
echo 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"
for kind in memory:60 map:8 stat:24 read:11; do
	every "$kind" packed "${with[@]}" --kdf low --passphrase-file "$tmp/passphrase" "$tmp/src"
done

name="an archive that is spilled"
for kind in memory:60 map:8 thread:4 open:10 stat:5 read:20 write:20 sync:2 rename:1 close:8; do
	every "$kind" packed "${with[@]}" --memory 101M --archive "$tmp/archive.tar"
done
few=20
every archive:20 packed_by_libarchive "${with[@]}" --memory 101M --archive "$tmp/archive.tar"

few=5
cat >"$tmp/recipe" <<RECIPE
[bundle]
size = 4M
volume-size = 1M
[compartment one]
archive = $tmp/archive.tar
key-file = $tmp/key
RECIPE
if command -v minisign >/dev/null; then
	minisign -G -W -p "$tmp/publisher" -s "$tmp/secret" >/dev/null
	echo "sign = $tmp/secret" >>"$tmp/recipe"
fi
cat >>"$tmp/recipe" <<RECIPE
[compartment two]
source = $tmp/src/sub
metadata = full
generate-passphrase = no
recipient = age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg
RECIPE
name="an archive, signed, in volumes, with another compartment"
with=("$pack" -q --jobs 2 --spill "$tmp/spill" -o "$tmp/out/b")
for kind in memory:80 map:8 thread:4 open:15 stat:20 read:20 write:4 sync:4 rename:4 note:2 close:15; do
	every "$kind" packed "${with[@]}" --recipe "$tmp/recipe"
done

# --- over another bundle, for a program ---------------------------------------------------

# The old bundle is there, or a new one, and the last record says which; but where the
# directory could not be synced behind the rename, the new one is there all the same.
replaced() {
	local last
	last=$(tail -n 1 "$tmp/stdout" | jq -r .type 2>&1)
	[ "$code" -ne 13 ] || code=1
	case $code:$last in
	0:summary | 3:summary) comes_back ;;
	1:error | 1:) cmp -s "$tmp/old" "$tmp/out/b" || comes_back ;;
	*) echo "record: $last" ;;
	esac
	cp "$tmp/old" "$tmp/out/b"
	[ "$(ls -A "$tmp/out")" = b ] || echo "left: $(ls -A "$tmp/out")"
}

few=4
name="over another, with --json"
echo old >"$tmp/old"
cp "$tmp/old" "$tmp/out/b"
with=("$pack" --json --force --key-file "$tmp/key" --jobs 2 --spill "$tmp/spill" -o "$tmp/out/b")
for kind in memory:60 map:8 thread:4 open:13 stat:24 read:11 write:2 sync:2 rename:1 close:12; do
	every "$kind" replaced "${with[@]}" "$tmp/src"
done

finish
