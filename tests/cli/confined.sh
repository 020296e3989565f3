# shellcheck shell=bash disable=SC2154  # tmp is that of the scripts
# For scripts that try what one of the programs can still do when what it reads has
# taken it over (tests/preload/try_to_leave.c): behind lib.sh.
#
#   confined_begin            $inside, to be loaded in front of it, and $tmp/src, a tree in
#                             which the mark is.  Ends the script where that cannot be
#   kernel [LANDLOCK [no]]    from here on, as on a kernel with that version of Landlock,
#                             and without filters; nothing: this one
#   try COMMAND...            run it with $inside in front.  What it tries on lies in
#                             $tmp/out, $tmp/spill and $tmp/elsewhere, made anew
#   all_works                 a test, the control: nothing was held back from it; $landlock
#                             is the version that this kernel has
#   left WHAT BY [NAME...]    a test: of what is held back by BY (files, calls, rights,
#                             an extended regular expression) exactly NAME... works
inside=$tmp/try_to_leave.so
as=() attempts=0 landlock=''

confined_begin() {
	if sanitized; then
		skip "what can be done from inside" "a sanitizer wants to be loaded first"
		finish
	fi
	# In the machine of tests/big/sandbox-in-qemu.sh no compiler is.
	if [ "${TRY_LIBRARY-}" ]; then
		inside=$TRY_LIBRARY
	elif ! preload try_to_leave; then
		skip "what can be done from inside" "needs a compiler"
		finish
	fi
	mkdir "$tmp/src"
	seq -f 'TRY TO LEAVE %g' 1 20000 >"$tmp/src/numbers.txt"
	head -c 64 /dev/urandom >"$tmp/key"
}

kernel() {
	as=()
	[ $# -lt 1 ] || as+=("TRY_LANDLOCK=$1")
	[ $# -lt 2 ] || as+=("TRY_SECCOMP=$2")
}

# In front, for what starts the program itself.
try_environment() {
	rm -rf "$tmp/out" "$tmp/spill" "$tmp/elsewhere"
	mkdir "$tmp/out" "$tmp/spill" "$tmp/elsewhere"
	echo 'not to be lost' >"$tmp/elsewhere/existing"
	: >"$tmp/tried"
	with=(env "${as[@]}" LD_PRELOAD="$inside" TRY_BESIDE="$tmp/out/x" TRY_SPILL="$tmp/spill/x"
		TRY_ELSEWHERE="$tmp/elsewhere/x" TRY_EXISTING="$tmp/elsewhere/existing")
}

try() {
	local with
	try_environment
	"${with[@]}" "$@" 9>"$tmp/tried"
}

all_works() {
	local refused
	attempts=$(grep -cE '^(open|shut) ' "$tmp/tried")
	landlock=$(sed -n 's/^landlock \([0-9]*\)$/\1/p' "$tmp/tried")
	is "the control: where nothing confines it all of it works" \
		"$attempts $(grep -E '^shut (files|calls)' "$tmp/tried")" \
		"$(grep -c '^	{"' tests/preload/try_to_leave.c) "
	[ "$landlock" ] || echo "# the kernel has no Landlock"
	refused=$(sed -n 's/^shut rights //p' "$tmp/tried" | paste -sd,)
	[ -z "$refused" ] || echo "# not to be had here anyway: $refused"
}

left() {
	local what=$1 by=$2
	shift 2
	is "$what: all is tried" "$(grep -cE '^(open|shut) ' "$tmp/tried")" "$attempts"
	is "$what: what works is $(named "$@" | paste -sd,)" \
		"$(sed -nE "s/^open ($by) //p" "$tmp/tried" | sort)" "$(named "$@")"
}

named() { [ $# -eq 0 ] || printf '%s\n' "$@" | sort; }
