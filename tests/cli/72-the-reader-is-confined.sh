#!/bin/bash
# Taken over by what is in a bundle, satchel-read can do nothing more, or write where it
# extracts to; on older kernels too.
. tests/cli/lib.sh
. tests/cli/confined.sh

dynamic=$build/tests/satchel-read
confined_begin
key=(--key-file "$tmp/key")
"$pack" -q "${key[@]}" -o "$tmp/bundle" "$tmp/src" || exit 1

# The output is not beside the bundle.
extracts() {
	try "$dynamic" extract "$@" "${key[@]}" -C "$tmp/out" "$tmp/bundle"
}
shows() {
	try "$dynamic" cat "$@" "${key[@]}" "$tmp/bundle" src/numbers.txt
}
comes_back() { cmp "$tmp/src/numbers.txt" "$1"; }

kernel 0 no
ok "it reads with neither Landlock nor filters" exits 0 shows
all_works
like "and says so, calmly" "$(cat "$tmp/stderr")" 'this kernel has no Landlock and no seccomp: less '

# What root extracts has owners; what anybody does has times.
calls=(times)
[ "$(id -u)" -ne 0 ] || calls+=("an owner, at" "an attribute, of a link")

kernel 0
for verb in shows extracts; do
	ok "without Landlock it $verb" exits 0 "$verb"
	like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no Landlock: less .*; see CONFINEMENT'
	is "in one line" "$(grep -c CONFINEMENT "$tmp/stderr")" 1
	ok "it $verb" exits 0 "$verb" -q
	is "nothing is said with -q" "$(cat "$tmp/stderr")" ''
done
# A descriptor is there to be had, and modes of what is extracted must be set.
left "filters alone, extracting" 'calls|rights' "${calls[@]}" "a mode, of what is open"
exits 0 shows >/dev/null
left "filters alone" 'calls|rights'

if [ -z "$landlock" ]; then
	skip "files" "the kernel has no Landlock"
	finish
fi
kernel "$landlock" no
ok "without filters it shows" exits 0 shows
like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no seccomp: '
left "Landlock alone" files
ok "without filters it extracts" exits 0 extracts
left "Landlock alone, extracting" files "making a file beside the output"

kernel
for name in "this kernel, Landlock $landlock" "Landlock 2"; do
	ok "it shows: $name" exits 0 shows
	ok "all of it" comes_back "$tmp/stdout"
	no "nothing is to be said" grep CONFINEMENT "$tmp/stderr"
	left "$name" '[a-z]+'
	ok "it extracts: $name" exits 0 extracts
	ok "all of it" comes_back "$tmp/out/src/numbers.txt"
	no "nothing is to be said" grep CONFINEMENT "$tmp/stderr"
	left "$name, extracting" '[a-z]+' "making a file beside the output" "${calls[@]}"
	is "nothing is lost" "$(cat "$tmp/elsewhere/existing")" 'not to be lost'
	ok "it makes a directory, and extracts to it: $name" exits 0 \
		try "$dynamic" extract "${key[@]}" -C "$tmp/elsewhere/new" "$tmp/bundle"
	ok "all of it" comes_back "$tmp/elsewhere/new/src/numbers.txt"
	left "$name, extracting beside others" '[a-z]+' "${calls[@]}"
	is "nothing is lost" "$(cat "$tmp/elsewhere/existing")" 'not to be lost'
	kernel 2
done

# What is static can only be looked at: while it waits for somebody who does not read.
state() { sed -n "s/^$1:[ \t]*//p" /proc/"$2"/status; }
# Whoever starts this may have a filter already.
is_filtered() {
	[ "$(state Seccomp "$1")" -eq 2 ] && [ "$(state NoNewPrivs "$1")" -eq 1 ] &&
		[ "$(state Seccomp_filters "$1")" != "$(state Seccomp_filters $$)" ]
}
mkfifo "$tmp/pipe"
head -c 1000000 /dev/urandom >"$tmp/film"
"$pack" -q "${key[@]}" -o "$tmp/bundle2" "$tmp/film" || exit 1
for reader in "$read" "$read-musl"; do
	[ -x "$reader" ] || continue
	"$reader" cat -q "${key[@]}" "$tmp/bundle2" film >"$tmp/pipe" &
	exec 3<"$tmp/pipe"
	head -c 1 <&3 >/dev/null
	ok "${reader##*/} is filtered, and has no new privileges" is_filtered $!
	no "the control: this shell is not" is_filtered $$
	exec 3<&-
	wait $!
done

# And at whether the kernel took what it was asked for: Landlock before the bundle is opened, and
# again when it is open.
held_back() { # READER VERB...
	strace -f -qq -o "$tmp/log" -e trace=landlock_restrict_self,prctl,seccomp "$1" "${@:2}" >/dev/null 2>&1 &&
		[ "$(grep -c 'landlock_restrict_self(.* = 0$' "$tmp/log")" -ge 2 ] &&
		[ "$(grep -c 'PR_SET_SECCOMP, SECCOMP_MODE_FILTER, .* = 0$' "$tmp/log")" -eq 1 ] &&
		! grep -E '(landlock_restrict_self|PR_SET_SECCOMP).* = -1' "$tmp/log"
}
if ! command -v strace >/dev/null; then
	skip "each verb" "needs strace"
	finish
fi
with=("${key[@]}" "$tmp/bundle")
for reader in "$read" "$read-musl"; do
	[ -x "$reader" ] || continue
	for verb in ls tree info verify "cat -q" "extract -C $tmp/out/new" "repair -o $tmp/out/copy"; do
		file=()
		[[ $verb != cat* ]] || file=(src/numbers.txt)
		# shellcheck disable=SC2086
		ok "${reader##*/} ${verb%% *} is held back" held_back "$reader" $verb "${with[@]}" "${file[@]}"
	done
	rm -rf "$tmp/out/new" "$tmp/out/copy"
	no "${reader##*/} help is not" held_back "$reader" help
done

finish
