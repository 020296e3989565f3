#!/bin/bash
# Taken over while it reads its sources, satchel-pack can read, and write where its
# outputs and its spill are, and that is all.  What is tried there works without
# the confinement.
. tests/cli/lib.sh

inside=$tmp/inside.so
if grep -qE "__[at]san_init" "$pack"; then
	skip "what can be done from inside" "a sanitizer wants to be loaded first"
	finish
fi
if ! ${CC:-gcc} -shared -fPIC -O1 -o "$inside" tests/preload/try_to_leave.c; then
	skip "what can be done from inside" "needs a compiler"
	finish
fi
mkdir "$tmp/src" "$tmp/out" "$tmp/spill" "$tmp/elsewhere"
seq 1 100000 >"$tmp/src/numbers.txt"
head -c 64 /dev/urandom >"$tmp/key"
echo 'not to be lost' >"$tmp/elsewhere/existing"
export TRY_BESIDE=$tmp/out/x TRY_SPILL=$tmp/spill/x TRY_ELSEWHERE=$tmp/elsewhere/x TRY_EXISTING=$tmp/elsewhere/existing

ok "it packs" env LD_PRELOAD="$inside" "$pack" -q --key-file "$tmp/key" --spill "$tmp/spill" \
	-o "$tmp/out/b" "$tmp/src" 9>"$tmp/tried"
cat "$tmp/tried"
for what in reading 'writing beside the output' 'writing to the spill'; do
	ok "$what is left" grep -qx "open $what" "$tmp/tried"
done
for what in 'a new process' 'another program' 'a socket' 'a unix socket' killing tracing 'memory of others'; do
	ok "no $what" grep -qx "shut $what" "$tmp/tried"
done
# landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)
if python3 -c 'import ctypes; exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)'; then
	for what in 'writing elsewhere' overwriting removing; do
		ok "no $what" grep -qx "shut $what" "$tmp/tried"
	done
	is "nothing is lost" "$(cat "$tmp/elsewhere/existing")" 'not to be lost'
else
	skip "no writing elsewhere" "the kernel has no Landlock"
fi
ok "the bundle is whole" exits 0 "$read" verify --key-file "$tmp/key" "$tmp/out/b"

# A control: with nobody confined, all of it would work.
cat >"$tmp/free.c" <<'SOURCE'
#include <zstd.h>
int main(void)
{
	char out[256];
	return ZSTD_isError(ZSTD_compress2(ZSTD_createCCtx(), out, sizeof out, "x", 1));
}
SOURCE
if ${CC:-gcc} -o "$tmp/free" "$tmp/free.c" -lzstd; then
	rm -f "$tmp"/*/x
	echo again >"$tmp/elsewhere/existing"
	LD_PRELOAD=$inside setsid -w "$tmp/free" 9>"$tmp/tried"
	is "which it does where nobody is confined" "$(grep -c '^shut' "$tmp/tried")" 0 || cat "$tmp/tried"
fi

finish
