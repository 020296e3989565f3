#!/bin/bash
# What can be checked without running a test.  usage: tests/lint.sh BUILD
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
status=0
flags=(-std=c11 -I. -I/usr/include/fuse3 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DHAVE_LIBSYSTEMD
	-Wall -Wextra -Werror)

shopt -s nullglob globstar extglob
sources=({common,bundler,reader,fusefs,tests}/**/*.c)
headers=({common,bundler,reader,fusefs,tests}/**/*.h)
programs=("$build"/satchel-@(pack|read|mount))

# check NAME COMMAND...: the command's output is the complaint.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1) && [ -z "$output" ]; then
		echo "ok   $name"
	else
		printf '%s\n' "$output" "FAIL $name"
		status=1
	fi
}

headers_alone() {
	local header
	for header in "${headers[@]}"; do
		gcc "${flags[@]}" -fsyntax-only -x c "$header" -Wno-pragma-once-outside-header ||
			echo "$header does not compile alone"
	done
}

# WHO may include WHAT: every other use is a complaint.
only() {
	local what=$1 who=$2
	grep -nE "^#include [<\"]$what" "${sources[@]}" "${headers[@]}" |
		grep -vE "^tests/|^($who):"
}

layers() {
	only 'bundler/' 'bundler/[^:]*'
	only 'reader/' 'reader/[^:]*'
	only 'fusefs/' 'fusefs/[^:]*'
	only 'openssl/' 'common/seal_(openssl|heap)\.[ch]|(bundler|fusefs)/[^:]*'
	only 'zstd' 'common/squeeze\.c'
	only 'utf8proc' '(common/kdf|reader/spared)\.c'
	only 'archive' 'bundler/archive\.c'
	only 'ini\.h' 'bundler/recipe\.c'
	only 'isa-l|erasure_code' '(bundler|fusefs)/[^:]*'
	only 'fuse3?/|fuse_lowlevel' 'fusefs/[^:]*'
	only 'sodium' '(bundler|reader|fusefs)/[^:]*|common/(bundle|content|hash4|header|kdf|outfile|pages|repair|publisher|seal_[a-z]+)\.c'
	# The floor knows nothing above it.
	grep -nE '^#include "common/(header|pages|repair|index|bundle|diag|passphrase|progress|publisher)\.h"' \
		common/{bytes,status,path,arena,format,gf,kdf,seal,squeeze,source,outfile}*.[ch]
	# What is for programs only stays out of the library.
	local theirs='(diag|fileset|keyring|opening|progress|publisher|rows)'
	grep -nE "^#include \"common/$theirs\.h\"" common/*.[ch] | grep -vE "^common/$theirs\.[ch]:"
	return 0
}

# One file at a time: in one run gcc keeps the branches of all of them.  Of an array of
# pointers that grows, as the bases of bundler/roots.c, it believes that they leak; for
# what is unrolled from common/hash4.c, which has no branch, it takes 20 GB.
analyser() {
	local gcc=(gcc "${flags[@]}" -DSATCHEL_VERSION='""' -O2 -fanalyzer -c -o /dev/null)
	printf '%s\n' common/!(hash4).c bundler/!(roots).c reader/*.c fusefs/*.c |
		xargs -P "$(nproc)" -n 1 "${gcc[@]}"
	"${gcc[@]}" -Wno-analyzer-malloc-leak bundler/roots.c
}

# Of all of it: what gcc's does not see, in a few seconds.
second_analyser() {
	cppcheck -q -j2 --std=c11 --enable=warning,portability,performance --error-exitcode=1 \
		--suppress=missingIncludeSystem -I. -D_GNU_SOURCE -DHAVE_LIBSYSTEMD -U__SANITIZE_ADDRESS__ \
		common bundler reader fusefs
}

# The one that the fuzzers, msan and coverage are built with, where there is one.
other_compiler() {
	! command -v clang >/dev/null ||
		printf '%s\n' {common,bundler,reader,fusefs}/*.c |
		xargs -P "$(nproc)" -n 16 clang "${flags[@]}" -Wno-missing-field-initializers \
			-DSATCHEL_VERSION='""' -fsyntax-only
}

scripts() {
	local file
	for file in .ci/* tests/**/*; do
		[ -f "$file" ] && head -c 64 "$file" | grep -qaE '^#!.*\b(ba)?sh\b' && echo "$file"
	done
}

# The runner starts them by themselves.
not_executable() {
	find tests -name '[0-9]*.sh' ! -perm -u+x
}

help_width() {
	local program
	for program in "${programs[@]}"; do
		"$program" --help | awk -v p="$program" 'length > 80 { print p ": " $0 }'
	done
}

# With its complaints on standard output.
is_hard() { # PROGRAM
	readelf -hW "$1" | grep -q 'Type: *DYN' || echo "$1: not PIE"
	readelf -lW "$1" | grep -q 'GNU_RELRO' || echo "$1: no RELRO"
	readelf -dW "$1" | grep -q 'BIND_NOW\|FLAGS.*NOW' || echo "$1: lazy binding"
	readelf -lW "$1" | grep 'GNU_STACK' | grep -q 'RW ' || echo "$1: executable stack"
	readelf -dW "$1" | grep -E 'TEXTREL|RPATH|RUNPATH' && echo "$1: goes elsewhere for code"
}

# What the compiler put in.  The reader has no names left: its objects are asked.
is_guarded() { # PROGRAM OBJECT...
	local names
	names=$(nm -D --undefined-only "$1" 2>/dev/null; nm --undefined-only "${@:2}" 2>/dev/null)
	grep -q '__stack_chk_fail' <<<"$names" || echo "$1: no stack protector"
	grep -qE '__[a-z]+_chk(@|$)' <<<"$names" || echo "$1: not fortified"
}

# Of the one with musl, which has no fortified functions, no names are left.
hardening() {
	local program
	[ ${#programs[@]} -eq 3 ] || echo "not three programs: ${programs[*]}"
	for program in "${programs[@]}"; do
		is_hard "$program"
		case $program in
		*-read) is_guarded "$program" "$build"/static/{reader,common}/*.o ;;
		*) is_guarded "$program" ;;
		esac
	done
	[ ! -e "$build/satchel-read-musl" ] || is_hard "$build/satchel-read-musl"
}

# The control: of a program that has nothing, all of it is missed.
softness_is_seen() {
	local soft missed
	soft=$(mktemp)
	gcc -O2 -no-pie -fno-stack-protector -U_FORTIFY_SOURCE -w -Wl,-z,norelro,-z,lazy,-z,execstack \
		-Wl,-rpath,/nowhere -o "$soft" -x c - <<'SOURCE'
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
	char name[16];
	return puts(strcpy(name, argv[argc - 1]));
}
SOURCE
	missed=$({ is_hard "$soft"; is_guarded "$soft"; } | grep -c "^$soft: ")
	[ "$missed" -eq 7 ] || { echo "7 things are missing, and seen:"; is_hard "$soft"; is_guarded "$soft"; }
	rm -f "$soft"
}

# The reader goes along on every stick.
reader_is_small_and_static() {
	local reader=$build/satchel-read
	[ -e "$reader" ] || return 0
	[ "$(stat -c %s "$reader")" -le 1700000 ] || echo "$reader: over 1.7 MB"
	! readelf -lW "$reader" | grep INTERP
}

check 'headers compile alone' headers_alone
check 'layers' layers
check 'clang-format' clang-format --dry-run -Werror "${sources[@]}" "${headers[@]}"
check 'the other compiler' other_compiler
check 'analyser' analyser
check 'second analyser' second_analyser
mapfile -t shell < <(scripts)
check 'tests can be started' not_executable
check 'shellcheck' shellcheck "${shell[@]}" ./*/*.bash
check 'manuals' mandoc -Tlint -W warning man/*.[15]
check 'help within 80 columns' help_width
check 'hardening' hardening
check 'what is not hardened is seen' softness_is_seen
check 'reader is small and static' reader_is_small_and_static
exit $status
