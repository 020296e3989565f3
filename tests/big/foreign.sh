#!/bin/bash
# satchel-read on processors of other kinds: big-endian, and of 32 bits.  It is built
# with Debian's cross compilers and libraries, runs under QEMU, and must list, sum up,
# judge and repair golden and damaged bundles as the one of this machine does (which the
# scripts in tests/cli hold to what is expected).
# Not part of "make check": "make check-foreign" installs a cross compiler, its C library
# and QEMU; three libraries of each architecture are fetched into a folder here, so that
# the system's own dpkg need know of no other architecture.
#
#   FOREIGN   architectures, as Debian calls them: armhf, too
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh

: "${FOREIGN:=s390x i386}"
declare -A gcc=([s390x]=s390x-linux-gnu [i386]=i686-linux-gnu [armhf]=arm-linux-gnueabihf)
declare -A kind=([s390x]="big-endian, 64 bits" [i386]="32 bits" [armhf]="ARM, 32 bits")
declare -A qemu=([s390x]=s390x [i386]=i386 [armhf]=arm)
good=tests/data/good

fetch() { # ARCHITECTURE
	local at=$tmp/$1 apt deb
	mkdir -p "$at/lists/partial" "$at/cache/archives/partial" "$at/debs"
	apt=(apt-get -q -o "APT::Architecture=$1" -o "APT::Architectures=$1" -o "Dir::State::lists=$at/lists"
		-o "Dir::Cache=$at/cache" -o APT::Sandbox::User=root)
	"${apt[@]}" update # a hook of the system's may fail; the download tells
	(cd "$at/debs" && "${apt[@]}" download libsodium-dev libzstd-dev libutf8proc-dev) || return
	for deb in "$at"/debs/*.deb; do dpkg -x "$deb" "$at/root" || return; done
}

build_for() { # ARCHITECTURE
	local root=$tmp/$1/root sources
	mapfile -t sources < <(printf '%s\n' reader/*.c common/*.c | grep -v common/seal_)
	"${gcc[$1]}-gcc" -std=c11 -O2 -Wall -Wextra -Wno-psabi -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
		-DSATCHEL_VERSION='"foreign"' -idirafter "$root/usr/include" -static -o "$tmp/$1/satchel-read" \
		"${sources[@]}" common/seal_sodium.c -L"$(echo "$root"/usr/lib/*-linux-gnu*)" -lsodium -lzstd -lutf8proc -lpthread
}

# --- bundles ------------------------------------------------------------------------------

# Each is a folder with its volumes, and with the options in the file options.
mkdir "$tmp/bundles" "$tmp/src"
golden() { # NAME
	local word value at=$tmp/bundles/$1
	mkdir "$at"
	tests/encode.py --unfold "$good/$1.keys" "$at"
	while read -r word value; do
		case $word in
		bundle) [ "${value%/*}" == "$at" ] || cp "$value" "$at" ;;
		status) ;;
		*) printf '%s\n' "--$word" "$value" >>"$at/options" ;;
		esac
	done <"$at/$1.case"
	rm "$at"/*.case
}
# One passphrase: to stretch it takes seconds there.
for name in keyfile keyfile+publickey publickey header-a-lost-publickey header-a-lost-length-given \
	three-compartments.third volumes-3-second-missing passphrase-low; do
	golden "$name"
done

head -c 64 /dev/urandom >"$tmp/key"
for ((i = 0; i < 30; i++)); do head -c $((90000 + i)) /dev/urandom >"$tmp/src/$i.jpg"; done
seq 1 200000 >"$tmp/src/numbers.txt"
truncate -s 5G "$tmp/large"
printf 'behind a hole' >>"$tmp/large"

# As many pages in a row as parity has, or one more for each column.
damaged() { # NAME PARITY MORE
	local at=$tmp/bundles/$1
	mkdir "$at"
	printf '%s\n' --key-file "$tmp/key" >"$at/options"
	"$pack" -q --key-file "$tmp/key" --parity "$2" -o "$at/bundle" "$tmp/src/." || return
	cp "$at/bundle" "$tmp/whole-$1"
	/usr/bin/python3 -B - "$tmp/key" "$at/bundle" "$3" <<-'END'
		import sys
		sys.path.insert(0, 'tests')
		import decode
		key, path, more = sys.argv[1:]
		volume = decode.Volume(path)
		volume.find_slot((None, decode.key_file_of(open(key, 'rb').read()), []), None)
		volume.read_root()
		with open(path, 'r+b') as file:
		    for t in range(9, 9 + (volume.m + int(more)) * volume.columns):
		        file.seek(decode.PAGE * (1 + volume.place_of(t)))
		        file.write(bytes(decode.PAGE))
	END
}
for m in 2 4 8 16; do
	damaged "repairable-$m" $m 0
	damaged "too-much-$m" $m 1
done

mkdir "$tmp/bundles/large"
printf '%s\n' --key-file "$tmp/key" >"$tmp/bundles/large/options"
"$pack" -q --key-file "$tmp/key" -o "$tmp/bundles/large/bundle" "$tmp/large" || exit

# --- what each reader says ---------------------------------------------------------------------

says() { # NAME PROGRAM...: all that is to be said of the bundle, and the exit codes
	local verb options file verbs=('ls -lR' 'ls --checksum' verify "repair -o $tmp/copy")
	[ "$1" != large ] || verbs=('ls -l' "cat --offset $(((5 << 30) + 7))")
	mapfile -t options <"$tmp/bundles/$1/options"
	for file in "$tmp/bundles/$1"/*bundle; do
		for verb in "${verbs[@]}"; do
			local files=()
			[[ $verb != cat* ]] || files=(large)
			# shellcheck disable=SC2086
			"${@:2}" $verb -q "${options[@]}" "$file" "${files[@]}" 2>&1
			echo "$verb: $?"
		done
		[ ! -e "$tmp/whole-$1" ] || cmp "$tmp/copy" "$tmp/whole-$1" >/dev/null && echo "as it was packed"
		rm -f "$tmp/copy"
		[ "$1" != passphrase-low ] || break
	done
}

for at in "$tmp/bundles"/*; do
	name=${at##*/}
	says "$name" "$read" >"$tmp/$name.says"
	case $name in
	large) ok "$name: what is behind five gigabytes" grep -q '^a hole' "$tmp/$name.says" ;;
	repairable-*) ok "$name: repaired" grep -q 'as it was packed' "$tmp/$name.says" ;;
	too-much-*) ok "$name: not all" grep -q '^lost: ' "$tmp/$name.says" ;;
	esac
done
for arch in $FOREIGN; do
	ok "$arch: libraries" fetch "$arch"
	ok "$arch: builds" build_for "$arch"
	[ -x "$tmp/$arch/satchel-read" ] || continue
	for at in "$tmp/bundles"/*; do
		name=${at##*/}
		ok "${kind[$arch]}: $name" diff "$tmp/$name.says" \
			<(says "$name" "qemu-${qemu[$arch]}-static" "$tmp/$arch/satchel-read")
	done
done
finish
