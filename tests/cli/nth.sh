# shellcheck shell=bash disable=SC2154  # tmp and name are the script's
# For scripts that let every call fail once (tests/preload/nth.c): behind lib.sh.
#
#   nth_build                 make the library; fails where there is no compiler
#   every CALL JUDGE COMMAND...
#                             a test called $name: run COMMAND with its first such call failing,
#                             then its second, until there is no further one; JUDGE
#                             looks at $code, $tmp/stdout, $tmp/stderr after each,
#                             prints what is wrong, and makes ready for the next
#   said PROGRAM              for judges: no crash, and all of stderr is messages of
#                             PROGRAM: some, where something failed, and few
#
# With SATCHEL_LONG=1 every call fails, and once more with all calls behind it; else
# about $few of them, spread evenly.
few=${few:-12}
code=0
library=$tmp/nth.so
preload=LD_PRELOAD # or what COMMAND takes for it

nth_build() {
	${CC:-gcc} -D_GNU_SOURCE -O1 -shared -fPIC -o "$library" tests/preload/nth.c 2>"$tmp/.said"
}

# with_nth CALL N ALL COMMAND...: true if there was an Nth call.
with_nth() {
	local kind=$1 n=$2 all=$3 seen=''
	shift 3
	rm -f "$tmp/seen"
	code=0
	# In a shell of its own, whose words on crashes nobody sees.  Leaks are not counted:
	# libcrypto leaves some where it cannot start, and the arena is never unmapped.
	(exec timeout -s KILL 60 env ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 NTH_SEEN="$tmp/seen" NTH_CALL="$kind" NTH_AT="$n" \
		${all:+NTH_ALL=1} "$preload=$library" "$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null) 2>/dev/null ||
		code=$?
	read -rN 1 seen <"$tmp/seen"
	[ "$seen" = y ]
}

# total: how many such calls there are when none fails.
count_calls() {
	local kind=$1
	shift
	with_nth "$kind" 1000000000 '' "$@"
	total=$(($(od -An -td8 -j8 -N8 "$tmp/seen")))
}

said() {
	local lines
	[ "$code" -le 13 ] || echo "died"
	lines=$(wc -l <"$tmp/stderr")
	grep -vE "^($1|fuse): [^ ]" "$tmp/stderr" # libfuse has words of its own
	[ "$lines" -le 8 ] || echo "$lines lines"
	# With -q, what was repaired is said by the exit code alone.
	[ "$lines" -ge 1 ] || [[ $code =~ ^[035]$ ]] || echo "nothing said"
}

every() {
	local kind=$1 judge=$2 step all n wrong total=0
	shift 2
	count_calls "$kind" "$@"
	: >"$tmp/wrong"
	[ "$code" -eq 0 ] || cp "$tmp/stderr" "$tmp/wrong"
	"$judge" >>"$tmp/wrong"
	step=$((total / few + 1))
	[ "${SATCHEL_LONG:-}" ] && step=1
	for all in '' ${SATCHEL_LONG:+all}; do
		n=1
		while with_nth "$kind" "$n" "$all" "$@" && [ "$n" -le $((total * 2 + 100)) ]; do
			wrong=$("$judge")
			[ -z "$wrong" ] || echo "$kind $n $all: exit $code: $wrong: $(tail -n 2 "$tmp/stderr")" >>"$tmp/wrong"
			n=$((n + step))
		done
		wrong=$("$judge")
	done
	ok "$name: $kind, $total calls" no_wrong
}

no_wrong() {
	! grep . "$tmp/wrong"
}
