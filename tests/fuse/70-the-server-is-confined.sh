#!/bin/bash
# Taken over by what is in a bundle, the serving process of satchel-mount can do nothing;
# on older kernels neither.
. tests/fuse/lib.sh
. tests/cli/confined.sh

confined_begin
bundle=$tmp/bundle key=(--key-file "$tmp/key") program=$mount
"$pack" -q "${key[@]}" -o "$bundle" "$tmp/src" || exit 1

# Mounted, read and unmounted; $tmp/stderr.
shows() {
	local with
	try_environment
	mount=$tmp/in-front
	printf '#!/bin/bash\nexec %s "$@" 9>%q\n' "${with[*]@Q} ${program@Q}" "$tmp/tried" >"$mount"
	chmod +x "$mount"
	up "$@" && cmp "$tmp/src/numbers.txt" "$mnt/src/numbers.txt"
	local good=$?
	mount=$program
	down && [ "$code" -eq 0 ] && [ "$good" -eq 0 ]
}

kernel 0 no
ok "it mounts with neither Landlock nor filters" shows
all_works
for what in Landlock seccomp; do
	like "and says so: $what" "$(cat "$tmp/stderr")" "this kernel has no $what: "
done

kernel 0
ok "it mounts without Landlock" shows
like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no Landlock: '
left "filters alone" '[a-z]+'
ok "it mounts" shows -q
is "nothing is said with -q" "$(cat "$tmp/stderr")" ''
if [ -z "$landlock" ]; then
	skip "files" "the kernel has no Landlock"
	finish
fi
kernel "$landlock" no
ok "it mounts without filters" shows
like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no seccomp: '
left "Landlock alone" files

kernel
for name in "this kernel, Landlock $landlock" "Landlock 2"; do
	for mode in '' --cache; do
		ok "it mounts: $name $mode" shows $mode
		no "nothing is to be said" grep 'kernel' "$tmp/stderr"
		left "$name $mode" '[a-z]+'
	done
	kernel 2
done

# Its program ends it, and is all that it may kill.
kernel
if has_thread_sanitizer || ! unshare -Urm true 2>/dev/null; then
	skip "for a program" "nobody can make namespaces"
	finish
fi
try "$mount" -q "${key[@]}" "$bundle" --run cat src/numbers.txt 2>"$tmp/stderr" | cat >"$tmp/read"
is "for a program: it ends well" "${PIPESTATUS[0]}" 0
ok "what was read is right" cmp "$tmp/src/numbers.txt" "$tmp/read"
left "for a program" '[a-z]+'
finish
