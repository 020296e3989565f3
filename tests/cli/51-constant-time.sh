#!/bin/bash
# No jump and no address depends on a secret: slot scan, field arithmetic and the
# inverse map, as they were compiled.  What does depend on one is caught.
. tests/cli/lib.sh

export CMOCKA_MESSAGE_OUTPUT=TAP
program=$build/tests/unit/test_constant_time

valgrind_says() { # CODE [CONTROL], of $program
	local code=$1
	shift
	exits "$code" valgrind -q --error-exitcode=99 "$program" "$@"
}

why=
command -v valgrind >/dev/null || why='valgrind is not installed'
[ -n "$why" ] || ! sanitized || why='a sanitizer is built in'
[ -n "$why" ] || ! "$program" | grep -q memcheck.h || why='built without valgrind/memcheck.h'

if [ -n "$why" ]; then
	skip "constant time" "$why"
	finish
fi
check() {
	ok "$1: nothing depends on a secret" valgrind_says 0
	like "all of it was looked at" "$(cat "$tmp/stdout")" 'ok 6 - reading_an_identity'
	ok "a control without a fault passes" valgrind_says 0 nothing
	for control in branch table memcmp; do
		ok "a fault is caught: $control" valgrind_says 99 $control
	done
}
check "as packer and mount have it"
program=$build/tests/unit/constant_time_small
check "as the reader has it"
finish
