#!/bin/bash
# Eight readers at random places of large files, stored and compressed, see what
# was packed, in both modes.  READ_SECONDS: for how long.
. tests/fuse/lib.sh

[ -x "$pack" ] || skip_all "satchel-pack is not built"
mkdir "$tmp/tree"
head -c 24000000 /dev/urandom >"$tmp/tree/stored"
for i in {1..30000}; do echo "line $i of a text that compresses: $((i * i * 7919 % 65537))"; done >"$tmp/tree/text"
for i in {1..300}; do head -c $((RANDOM % 9000)) "$tmp/tree/text" >"$tmp/tree/small$i"; done
ok "a bundle to read" pack_tree "$tmp/tree"

cat >"$tmp/read.py" <<'EOF'
"""read.py SEED SECONDS SOURCE MOUNT: compare pieces of random files."""
import mmap, os, random, sys, time

rng, until = random.Random(int(sys.argv[1])), time.time() + float(sys.argv[2])
source, mount = sys.argv[3:]
names = os.listdir(source)
while time.time() < until:
    name = rng.choice(names if rng.random() < .3 else ['stored', 'text'])
    a, b = (os.open(os.path.join(d, name), os.O_RDONLY) for d in (source, mount))
    size = os.fstat(a).st_size
    for _ in range(50):
        off = rng.randrange(size + 1)
        length = rng.choice((1, 100, 4096, 16368, 65536, 300000, 1 << 20))
        if os.pread(a, length, off) != os.pread(b, length, off):
            sys.exit(f'{name}: {length} bytes at {off} differ')
    if size:
        with mmap.mmap(b, size, mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
            off = rng.randrange(size)
            if m[off:off + 10000] != os.pread(a, 10000, off):
                sys.exit(f'{name}: mapped bytes at {off} differ')
    os.close(a)
    os.close(b)
EOF

eight() {
	local i jobs=() failed=0
	for i in {1..8}; do
		python3 "$tmp/read.py" "$i" "${READ_SECONDS:-10}" "$tmp/tree" "$mnt/tree" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do wait "$i" || failed=1; done
	return "$failed"
}

for mode in '' --cache; do
	up $mode
	ok "eight readers ${mode:-in private mode}" eight
	down
	is "and nothing was amiss ${mode:-in private mode}" "$code" 0
done

# With as many workers as there ever are, which have smaller requests and other shares.
if ! sanitized && preload four_cores 2>/dev/null; then
	READ_SECONDS=${READ_SECONDS:-3}
	for mode in '' --cache; do
		export LD_PRELOAD=$tmp/four_cores.so
		up $mode
		unset LD_PRELOAD
		[ "$mode" ] || like "four workers ask for half as much" "$(grep -F " $mnt fuse " /proc/self/mounts)" 'max_read=524288'
		ok "eight readers, four workers ${mode:-in private mode}" eight
		is "in the same memory" "$(sed -n 's/^VmLck:[ \t]*//p' "/proc/$server/status")" '7680 kB'
		down
		is "and nothing was amiss ${mode:-in private mode}" "$code" 0
	done
else
	skip "four workers" "nothing can be put before the C library here"
fi
finish
