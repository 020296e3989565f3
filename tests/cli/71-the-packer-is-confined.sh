#!/bin/bash
# Taken over while it reads its sources, satchel-pack can read, and write where its
# outputs and its spill are, and that is all; on older kernels too.
. tests/cli/lib.sh
. tests/cli/confined.sh

confined_begin
files=(reading "making a file beside the output" "making a file beside the spill")

packs() {
	try "$pack" "$@" --key-file "$tmp/key" --spill "$tmp/spill" -o "$tmp/out/b" "$tmp/src"
}

kernel 0 no
ok "it packs with neither Landlock nor filters" exits 0 packs
all_works
like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no Landlock and no seccomp: '

# Each of the two alone.
kernel 0
ok "it packs without Landlock" exits 0 packs
like "and says so" "$(cat "$tmp/stderr")" 'satchel-pack: this kernel has no Landlock: [^:]*; see CONFINEMENT'
is "in one line" "$(grep -c CONFINEMENT "$tmp/stderr")" 1
left "filters alone" 'calls|rights'
ok "it packs" exits 0 packs -q
is "nothing is said with -q" "$(cat "$tmp/stderr")" ''
if [ -z "$landlock" ]; then
	skip "files" "the kernel has no Landlock"
	finish
fi
kernel "$landlock" no
ok "it packs without filters" exits 0 packs
like "and says so" "$(cat "$tmp/stderr")" 'this kernel has no seccomp: '
left "Landlock alone" files "${files[@]}"
echo "# Landlock alone lets through: $(sed -n 's/^open calls //p' "$tmp/tried" | paste -sd,)"

# Both, and as in Debian 12.
kernel
for name in "this kernel, Landlock $landlock" "Landlock 2"; do
	ok "it packs: $name" exits 0 packs
	no "nothing is to be said" grep CONFINEMENT "$tmp/stderr"
	left "$name" '[a-z]+' "${files[@]}"
	is "nothing is lost" "$(cat "$tmp/elsewhere/existing")" 'not to be lost'
	ok "the bundle is whole" exits 0 "$read" verify --key-file "$tmp/key" "$tmp/out/b"
	kernel 2
done

finish
