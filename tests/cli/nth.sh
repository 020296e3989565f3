# shellcheck shell=bash disable=SC2154  # tmp and name are the script's
# For scripts that let every call fail once (tests/preload/nth.c): behind lib.sh.
#
#   nth_build                 make the library; fails where there is no compiler
#   every CALL:LEAST JUDGE COMMAND...
#                             a test called $name: run COMMAND with its first such call failing,
#                             then its second, until there is no further one, which must be
#                             after LEAST at the earliest; JUDGE looks at $code, $tmp/stdout,
#                             $tmp/stderr after each, prints what is wrong, and makes ready
#                             for the next.  For it: $kind, the CALL; $culprit, the name of
#                             what failed and the file, if any; nothing: none did; $all:
#                             not empty where all behind it failed, too
#   nth_begin                 nth_build, or the script ends here; and what the scripts pack:
#                             $tmp/src, by $tmp/key, ${key[@]}
#   nth_hurt                  $tmp/bundle, of $tmp/src, and $tmp/hurt, which can be repaired
#   about PATH                for judges: was the file, or the directory, of the call that
#                             failed this or below it, or a volume called after it?
#   said PROGRAM [CODE]       for judges: no crash (CODE is none), no leak, and all of stderr
#                             is messages of PROGRAM: some, where something failed, and few
#
# With SATCHEL_LONG=1 every call fails, and once more with all calls behind it; else, and
# of the thousands by which libcrypto begins (the CALL crypto), about $few, spread evenly.
# SATCHEL_FAULTS: a file that gets a line for each.
few=${few:-12}
code=0 kind='' culprit=''
library=$tmp/nth.so
preload=LD_PRELOAD # or what COMMAND takes for it

nth_build() {
	preload nth -U_FILE_OFFSET_BITS
}

nth_begin() {
	if ! nth_build; then
		skip "calls that fail" "needs a compiler"
		finish
	fi
	mkdir -p "$tmp/src/sub" "$tmp/out" "$tmp/spill"
	seq 1 90000 >"$tmp/src/numbers.txt" # three frames
	head -c 300000 /dev/urandom >"$tmp/src/film.mp4"
	cp "$tmp/src/film.mp4" "$tmp/src/sub/again.mp4"
	echo small >"$tmp/src/sub/small.txt"
	ln -s small.txt "$tmp/src/sub/link"
	head -c 32 /dev/urandom >"$tmp/key"
	key=(-q --key-file "$tmp/key")
}

# Damage where there is something to repair: not all pages are owned.
nth_hurt() {
	local page
	"$pack" "${key[@]}" -o "$tmp/bundle" "$tmp/src" || exit 1
	for page in {20..60..2}; do
		cp "$tmp/bundle" "$tmp/hurt"
		dd if=/dev/zero of="$tmp/hurt" bs=16384 count=2 seek="$page" conv=notrunc status=none
		rm -f "$tmp/new"
		"$read" repair "${key[@]}" -o "$tmp/new" "$tmp/hurt" >/dev/null
		cmp -s "$tmp/new" "$tmp/bundle" && break
	done
	rm -f "$tmp/new"
}

about() {
	[[ $culprit == *" $tmp/$1" || $culprit == *" $tmp/$1/"* || $culprit == *" $tmp/$1-"[0-9]* ]]
}

# with_nth CALL N ALL COMMAND...: true if there was an Nth call.
with_nth() {
	local n=$2 all=$3 seen=''
	kind=$1 culprit='' code=0
	shift 3
	rm -f "$tmp/seen"
	# In a shell of its own, whose words on crashes nobody sees.  What a sanitizer finds
	# has a code that no program has.
	(exec timeout -s KILL 60 env ASAN_OPTIONS=verify_asan_link_order=0:exitcode=99 \
		LSAN_OPTIONS=suppressions=tests/preload/leaks:print_suppressions=0 \
		NTH_SEEN="$tmp/seen" NTH_CALL="$kind" NTH_AT="$n" \
		${all:+NTH_ALL=1} "$preload=$library" "$@" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null) 2>/dev/null ||
		code=$?
	{ read -rN 1 seen && [ "$seen" = y ]; } <"$tmp/seen" || return
	culprit=$(tail -c +17 "$tmp/seen" | tr -d '\0')
	[ -z "${SATCHEL_FAULTS-}" ] || echo "$name $kind $n ${all:-once} $code $culprit" >>"$SATCHEL_FAULTS"
}

# total: how many such calls there are when none fails.
count_calls() {
	with_nth "$1" 1000000000 '' "${@:2}"
	total=$(($(od -An -td8 -j8 -N8 "$tmp/seen")))
}

said() {
	local lines
	[ "$code" -le 13 ] || [ "$code" -eq "${2:-0}" ] || echo "died"
	lines=$(wc -l <"$tmp/stderr")
	grep -vE "^($1|fuse): [^ ]" "$tmp/stderr" # libfuse has words of its own
	[ "$lines" -le 8 ] || echo "$lines lines"
	# With -q, what was repaired is said by the exit code alone.
	[ "$lines" -ge 1 ] || [[ $code =~ ^[035]$ ]] || echo "nothing said"
}

# What the judge has against this run, under its name.
judge_run() {
	local wrong
	wrong=$("$judge")
	# A call of the sanitizer's own says nothing of the program.
	if sanitized && grep -qE '(Address|Thread)Sanitizer: CHECK failed: sanitizer_|LeakSanitizer has encountered' "$tmp/stderr"; then
		wrong=
	fi
	[ -z "$wrong" ] || echo "$1: exit $code: $wrong: $(tail -n 2 "$tmp/stderr")" >>"$tmp/wrong"
}

every() {
	local kind=${1%:*} least=${1#*:} judge=$2 step all='' n usual total=0 tried=0
	shift 2
	: >"$tmp/wrong"
	# In a sanitizer's build these libraries' calls cannot be told from others.
	[[ ! $kind =~ ^(crypto|archive)$ ]] || ! sanitized || return
	count_calls "$kind" "$@"
	usual=$code
	judge_run "no $kind fails"
	[[ $usual =~ ^[05]$ ]] || echo "exit $usual when nothing fails" >>"$tmp/wrong"
	[ "$total" -ge "$least" ] || echo "only $total calls, not $least" >>"$tmp/wrong"
	step=$((total / few + 1))
	[ -z "${SATCHEL_LONG:-}" ] || [ "$total" -gt 1000 ] || step=1
	for all in '' ${SATCHEL_LONG:+all}; do
		for ((n = 1; n <= 10 * total + 1000; n += step)); do
			with_nth "$kind" "$n" "$all" "$@" || break
			tried=$((tried + 1))
			judge_run "$kind $n $all: $culprit"
		done
		judge_run "after the last"
		[ -z "$culprit" ] && [ "$code" -eq "$usual" ] ||
			echo "no end at $n of $total, or another, $code" >>"$tmp/wrong"
	done
	ok "$name: $kind, $tried of $total calls" no_wrong
}

no_wrong() {
	! grep . "$tmp/wrong"
}
