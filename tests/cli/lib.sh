# shellcheck shell=bash
# For the scripts in this directory: TAP, and a place for files that goes away.
#
#   . tests/cli/lib.sh
#   ok "what should hold" COMMAND [ARGUMENT...]     it exits with 0
#   no "what must not" COMMAND [ARGUMENT...]        it does not
#   is "what" GOT EXPECTED                          the same text
#   like "what" GOT REGEX                           matches (bash's =~)
#   skip "what" "why"                               cannot be tested here
#   exits CODE COMMAND [ARGUMENT...]                for ok: exits with CODE;
#                                                   output in $tmp/stdout, stderr
#   bounded COMMAND [ARGUMENT...]                   in $KIB of address space (a sanitizer's
#                                                   build has its own, in terabytes) and
#                                                   $SECONDS_EACH; its exit code, 137 if killed
#   heeding PROGRAM... &                            one that can be interrupted, as a job of a
#                                                   script cannot
#   has_thread_sanitizer                            for if: is it that one
#   sanitized                                       for if: are these programs a sanitizer's, or
#                                                   valgrind's?  They have memory, threads and
#                                                   calls that ours have not
#   has_cap NUMBER                                  for if: root in a container may lack some, as
#                                                   CAP_SYS_PTRACE (19) or CAP_SYS_ADMIN (21)
#   preload NAME [OPTION...]                        $tmp/NAME.so, of tests/preload/NAME.c
#   overwrite FILE LEN AT...                        LEN random bytes at each; a page has 16384
#   finish                                          the last line of a script
#
# $tmp: an empty directory.  $pack, $read, $mount: the programs; with VALGRIND=1 under
# valgrind, and what it finds is a test that fails.
set -uo pipefail
export LC_ALL=C.UTF-8
umask 022 # an ordinary user is to read some of it
# Debian's own first: a python3 of somebody's is without Debian's modules, and may be a script
# that takes ten times as long to start.
export PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH

build=${BUILD:-build}
# shellcheck disable=SC2034  # for the scripts
pack=$build/satchel-pack read=$build/satchel-read mount=$build/satchel-mount
tmp=$(mktemp -d)
export XDG_CONFIG_HOME=$tmp/config # nobody's pinned publishers
on_exit() { :; } # a script may have something to undo
trap 'on_exit; chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp" "$watched"' EXIT

# watch PROGRAM: print what runs it under valgrind.  (Threads of a mount go on to the end.)
watch() {
	local of="--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite"
	printf '#!/bin/sh\nLD_PRELOAD=%s exec valgrind -q --error-exitcode=99 %s --log-file=%s "%s" "$@"\n' \
		"$watched/no_filter.so" "$of" "$watched/%p.log" "$PWD/$1" >"$watched/${1##*/}"
	chmod +x "$watched/${1##*/}"
	echo "$watched/${1##*/}"
}

# What fails under valgrind fails for its slowness, for want of Landlock, or since nothing may
# come before the C library: what counts is what it finds itself.
watched='' lenient=''
if [ "${VALGRIND-}" ]; then
	watched=$(mktemp -d) lenient=yes
	${CC:-gcc} -shared -fPIC -o "$watched/no_filter.so" tests/preload/no_filter.c || exit 1
	build=${build#"$PWD/"}
	# shellcheck disable=SC2034
	pack=$(watch "$build/satchel-pack") read=$(watch "$build/satchel-read") mount=$(watch "$build/satchel-mount")
fi

count=0
failed=0

# preload NAME [FLAG...]: $tmp/NAME.so.  Where there is a compiler, what does not compile is no reason
# to skip anything.
preload() {
	command -v "${CC:-gcc}" >/dev/null || return
	${CC:-gcc} -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -O1 -shared -fPIC -o "$tmp/$1.so" "tests/preload/$1.c" "${@:2}" ||
		{ ok "tests/preload/$1.c compiles" false; return 1; }
}

has_cap() {
	(($((0x$(sed -n 's/^CapEff:[ \t]*//p' /proc/self/status))) >> $1 & 1))
}

overwrite() {
	local at
	for at in "${@:3}"; do
		dd if=/dev/urandom of="$1" bs="$2" count=1 oflag=seek_bytes seek="$at" conv=notrunc status=none
	done
}

result() { # STATUS WHAT
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	elif [ "$lenient" ]; then
		echo "not ok $count - $2 # TODO not under valgrind"
	else
		failed=$((failed + 1))
		echo "not ok $count - $2"
		sed 's/^/# /' "$tmp/.said" 2>/dev/null | tail -n 20
	fi
	rm -f "$tmp/.said"
}

ok() {
	local what=$1
	shift
	"$@" >"$tmp/.said" 2>&1
	result $? "$what"
}

no() {
	local what=$1
	shift
	! "$@" >"$tmp/.said" 2>&1
	result $? "$what"
}

is() {
	[ "$2" == "$3" ] || printf 'got:      %s\nexpected: %s\n' "$2" "$3" >"$tmp/.said"
	[ "$2" == "$3" ]
	result $? "$1"
}

like() {
	[[ $2 =~ $3 ]] || printf 'got:   %s\nregex: %s\n' "$2" "$3" >"$tmp/.said"
	[[ $2 =~ $3 ]]
	result $? "$1"
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

heeding() {
	exec /usr/bin/python3 -c 'import os, signal, sys
for no in signal.SIGINT, signal.SIGQUIT:
    signal.signal(no, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
}

exits() {
	local code=$1 got=0
	shift
	"$@" >"$tmp/stdout" 2>"$tmp/stderr" || got=$?
	echo "exit code $got, expected $code; it said:"
	cat "$tmp/stderr"
	[ "$got" -eq "$code" ]
}

sanitized() {
	[ "$watched" ] || ldd "$build"/satchel-* 2>/dev/null | grep 'lib[at]san' >/dev/null
}

# A thread of its own keeps a program from making namespaces.
has_thread_sanitizer() {
	ldd "$build"/satchel-* 2>/dev/null | grep libtsan >/dev/null
}

KIB=1000000 SECONDS_EACH=60
if sanitized; then
	KIB=unlimited SECONDS_EACH=600
	# Its search for leaks traces the process, which two cannot do at a time.
	mkdir "$tmp/.bin"
	printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec %s "$@"\n' "$(command -v strace)" >"$tmp/.bin/strace"
	chmod +x "$tmp/.bin/strace"
	PATH=$tmp/.bin:$PATH
fi
bounded() {
	(ulimit -v "$KIB" && ulimit -f 1000000 && exec timeout -s KILL "$SECONDS_EACH" "$@")
}

finish() {
	lenient=''
	[ -z "$watched" ] || no "valgrind finds nothing" grep -h '^==' "$watched"/*.log
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}
