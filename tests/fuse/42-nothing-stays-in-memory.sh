#!/bin/bash
# What was read, and the keys, stand in the memory of the serving process while it
# serves (the control), and nowhere there once a panic has begun, nor in a core file;
# in the page cache it is overwritten.  What only opens is gone as soon as the bundle is
# open.
. tests/fuse/lib.sh

[ -x "$pack" ] || skip_all "satchel-pack is not built"
[ "$(id -u)" -eq 0 ] || skip_all "only root can look into another process"
! sanitized || skip_all "a sanitizer keeps copies"

random() { head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

stored=$(random) text=$(random) name=$(random) link=$(random)
mkdir "$tmp/tree"
{ head -c 300000 /dev/urandom; echo "$stored"; head -c 70000 /dev/urandom; } >"$tmp/tree/film"
for i in {1..9000}; do echo "line $i says $text"; done >"$tmp/tree/text"
echo something >"$tmp/tree/$name"
ln -s "$link" "$tmp/tree/link"
pack_tree "$tmp/tree"
secret=$(random)
echo "$secret" >"$tmp/passphrase"
"$pack" -q -f --kdf low --no-verify --passphrase-file "$tmp/passphrase" -o "$bundle" "$tmp/tree"

# Keys that the mount keeps, and secrets that only open; for core files the same in
# lines as search.py wants them.
search=(/usr/bin/python3 -B tests/search.py)
"${search[@]}" keys "$bundle" passphrase="$tmp/passphrase" >"$tmp/opening"
sed -i -E '/^(ck|page-key) /{w '"$tmp/kept"'
	d}' "$tmp/opening"
is "there are such keys" "$(cut -d' ' -f1 "$tmp/kept" "$tmp/opening" | paste -sd' ')" \
	'ck page-key passphrase stretched kek-of-passphrase slot-key-of-passphrase slot-subkey-of-passphrase'
mapfile -t keys < <(sed 's/.* /0x/' "$tmp/kept" "$tmp/opening")
for it in stored text name link; do
	echo "$it $(echo -n "${!it}" | od -An -v -tx1 | tr -d ' \n')"
done >>"$tmp/kept"

scan() { python3 tests/fuse/scan.py "$server" "$@"; }
look() { scan "$stored" "$text" "$name" "$link" "${keys[@]}" "$secret"; }
none='0 0 0 0 0 0 0 0 0 0 0 0'

# gcore leaves out what a process asks to leave out; here it shall not.
core() {
	rm -f "$tmp/core"
	gdb -nx -q -batch -p "$server" -ex 'set use-coredump-filter off' -ex 'set dump-excluded-mappings on' \
		-ex "generate-core-file $tmp/core" 2>&1
	[ -s "$tmp/core" ]
}
in_core() { "${search[@]}" find "$tmp/core" "$1" | awk '{ printf "%d", ($2 > 0) } END { print "" }'; }

read_all() {
	grep -c "$text" "$mnt/tree/text" >/dev/null
	cat "$mnt/tree/film" >/dev/null
	stat "$mnt/tree/$name" >/dev/null
	readlink "$mnt/tree/link" >/dev/null
}

# Its supervisor, which is stopped, has not seen it go.
server_state() { sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$server/status" 2>/dev/null; }

# It waits a second for its supervisor before it is gone, and is stopped while we look;
# it stays so when nothing is left.
look_after_panic() {
	local held=
	for _ in {1..100}; do
		kill -STOP "$server" || break
		[[ $(server_state) != [ZX] ]] || break # whose memory reads as empty on some kernels
		held=$(look)
		[ "$held" != "$none" ] || break
		kill -CONT "$server"
		sleep 0.02
	done
	echo "$held"
}

with_gdb=no
! command -v gdb >/dev/null || with_gdb=yes
for mode in '' --cache; do
	name_of_mode=${mode:-in private mode}
	up $mode
	read_all
	read -r -a held <<<"$(look)"
	is "while it serves, memory holds what was read, and keys $name_of_mode" \
		"$(for n in "${held[@]:0:6}"; do printf %d $((n > 0)); done)" 111111
	is "but not what only opened it" "${held[*]:6}" '0 0 0 0 0 0'
	if [ $with_gdb == yes ]; then
		ok "a core file of it $name_of_mode" core
		is "holds them, too" "$(in_core "$tmp/kept")" 111111
		is "but not what only opened it" "$(in_core "$tmp/opening")" 00000
	fi
	kill -STOP "$pid"
	kill -USR1 "$server"
	is "after a panic it holds nothing of it $name_of_mode" "$(look_after_panic)" "$none"
	if [ $with_gdb == yes ]; then
		if core >/dev/null; then
			is "nor does a core file" "$(in_core "$tmp/kept")$(in_core "$tmp/opening")" 00000000000
		else
			like "there is no core file, as it is gone" "$(server_state)" '^[ZX]?$'
		fi
	fi
	kill -CONT "$server" "$pid" 2>/dev/null
	gone
done
[ $with_gdb == yes ] || skip "core files" "there is no gdb"

# What is asked for until the end comes through the arena, which is wiped by then; the
# command line is kept until then, too.  The process is held where it exits.
if strace -o /dev/null true 2>/dev/null; then
	cat >"$tmp/held" <<-EOF
		#!/bin/sh
		exec strace -D -f -qq -o /dev/null -e inject=exit_group:delay_enter=60s "$mount" "\$@"
	EOF
	chmod +x "$tmp/held"
	mv "$tmp/tree" "$tmp/$name"
	pack_tree "$tmp/$name"
	mount=$tmp/held up --subdir "$name"
	late=$(random)
	stat "$mnt/$(random)$late" 2>/dev/null
	read -r a b <<<"$(scan "$late" "$name")"
	like "a name that is looked up stands in memory, and what is shown of the bundle" \
		"$((a > 0))$((b > 0))" 11
	kill -STOP "$pid"
	kill -USR1 "$server"
	late=$(random)
	for _ in {1..50}; do
		asked=$(stat "$mnt/$(random)$late" 2>&1)
		[[ $asked != *'Input/output error' ]] || break
		sleep 0.1
	done
	like "looked up after a panic" "$asked" 'Input/output error'
	for _ in {1..20}; do
		stays=$(scan "$late" "$name")
		[ "$stays" != '0 0' ] || break
		sleep 0.1
	done
	is "none stays" "$stays" "0 0"
	tracer=$(sed -n 's/^TracerPid:[ \t]*//p' "/proc/$server/status")
	kill -KILL "$server" "$pid" "$tracer"
	wait "$pid" 2>/dev/null
	umount -l "$mnt"
	pid=''
	mv "$tmp/$name" "$tmp/tree"
else
	skip "a name looked up after a panic" "there is no strace"
fi

# Where links lead cannot be overwritten: the kernel does not keep it; contents it does.
pack_tree "$tmp/tree"
up --cache
for _ in 1 2; do
	readlink "$mnt/tree/link" >/dev/null
	cat "$mnt/tree/film" >/dev/null
done
kill -STOP "$server"
unanswered() {
	timeout -s KILL 0.5 "$@"
	[ $? -eq 137 ]
}
ok "--cache: contents are kept" timeout -s KILL 5 cmp "$mnt/tree/film" "$tmp/tree/film"
ok "--cache: link targets are not" unanswered readlink "$mnt/tree/link"
kill -CONT "$server"
down

# A program that has mapped a file sees the page cache: zeros before it is gone.
cat >"$tmp/watch.py" <<'EOF'
import mmap, os, sys

fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
m = mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ)
sum(m[at] for at in range(0, size, 4096))
print('mapped', flush=True)
while m[0]:
    pass
os.write(1, b'zeros\n')
EOF
mkdir "$tmp/large"
for i in {1..8}; do { echo first; head -c 8000000 /dev/urandom; } >"$tmp/large/$i"; done
pack_tree "$tmp/large"
for mode in '' --cache; do
	up $mode
	if [ "$mode" ]; then cat "$mnt"/large/* >/dev/null; fi
	for i in {1..8}; do python3 "$tmp/watch.py" "$mnt/large/$i" >"$tmp/saw$i" 2>&1 & done
	for i in {1..8}; do until grep -q mapped "$tmp/saw$i"; do sleep 0.02; done; done
	kill -USR1 "$pid"
	gone
	wait
	# Zeros are seen for a moment only: the pages are dropped at once.
	ok "what programs have mapped turns into zeros ${mode:-in private mode}" grep -q zeros "$tmp"/saw*
	ok "and that within a second" within 1000
done

# Pages that the kernel drops keep what was in them: those that were mapped stay where they
# are when somebody opens the file anew.
cat >"$tmp/resident.py" <<'EOF'
import ctypes, mmap, os, sys

fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
m = mmap.mmap(fd, size, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)
sum(m[at] for at in range(0, size, 4096))
with open(sys.argv[1], 'rb') as again:
    again.read()
pages = (size + 4095) // 4096
there = (ctypes.c_ubyte * pages)()
at = ctypes.addressof(ctypes.c_char.from_buffer(m))
if ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(at), ctypes.c_size_t(size), there):
    raise OSError(ctypes.get_errno(), 'mincore')
print(sum(x & 1 for x in there), 'of', pages)
EOF
up
pages=$((($(stat -c %s "$tmp/large/1") + 4095) / 4096))
is "what is mapped stays where it is while others read the file" \
	"$(python3 "$tmp/resident.py" "$mnt/large/1")" "$pages of $pages"
down

# Who reads at an end reads what was packed, or nothing.
cat >"$tmp/reader.py" <<'EOF'
import os, sys

fd = os.open(sys.argv[1], os.O_RDONLY)
wanted = open(sys.argv[2], 'rb').read()
rounds = 0
try:
    while True:
        for at in range(0, len(wanted), 65536):
            if os.pread(fd, 65536, at) != wanted[at:at + 65536]:
                sys.exit(f'wrong at {at}')
        rounds += 1
        if rounds == 1:
            print('read', flush=True)
except OSError as e:
    print(os.strerror(e.errno))
EOF
up --cache
for i in {1..8}; do python3 "$tmp/reader.py" "$mnt/large/$i" "$tmp/large/$i" >"$tmp/read$i" 2>&1 & done
for i in {1..8}; do until grep -q . "$tmp/read$i"; do sleep 0.02; done; done
kill -USR1 "$pid"
gone
wait
# One may be held up between being allowed to read and reading.
ok "who reads while it ends is refused" test "$(grep -lx 'Input/output error' "$tmp"/read[1-8] | wc -l)" -ge 6
ok "and given no zeros, but for who was at it" test "$(grep -l wrong "$tmp"/read[1-8] | wc -l)" -le 2
finish
