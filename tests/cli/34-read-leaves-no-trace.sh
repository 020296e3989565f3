#!/bin/bash
# What satchel-read leaves behind: no file opened for writing, nothing written but
# to standard output, the medium only ever read - each with a control that shows
# that it would be seen.
. tests/cli/lib.sh

if ! strace -qq -e trace=none true 2>/dev/null; then
	skip "traces" "strace cannot trace here"
	finish
fi
if sanitized; then
	skip "traces" "sanitizers cannot be traced"
	finish
fi
if ! has_cap 19; then
	skip "traces" "only root can look into a process that hides itself"
	finish
fi

# A canary in a name, a link, and a content that is compressed and one that is not.
canary=QXZJKWVYcanaryBFGHPUMD
mkdir "$tmp/src"
{ echo $canary-content && seq 1 20000; } >"$tmp/src/text"
{ printf %s-stored $canary && head -c 300000 /dev/urandom; } >"$tmp/src/film.mp4"
echo x >"$tmp/src/$canary-name"
ln -s $canary-target "$tmp/src/link"
printf 'seven words that nobody guesses but this test' >"$tmp/pass"
key=(--passphrase-file "$tmp/pass")
bundle=$tmp/bundle
if [ -x "$pack" ]; then
	"$pack" -q "${key[@]}" --kdf low --label "$canary-label" -o "$bundle" "$tmp/src/." || exit 1
else
	skip "traces" "there is no satchel-pack to make a bundle with"
	finish
fi

# trace VERB [ARGUMENT...]: all system calls, in $tmp/trace, with all they write.
trace() {
	strace -f -qq -s 4000000 -o "$tmp/trace" -e trace=file,desc,memory,process,network "$@" \
		>"$tmp/stdout" 2>"$tmp/stderr"
}

opened_for_writing() { grep -E 'open(at)?\(.*O_(WRONLY|RDWR|CREAT)' "$tmp/trace" | grep -v '"/dev/tty"'; }
written_elsewhere() {
	grep -E '^[0-9]+ +(pwrite64|writev|pwritev|sendto|sendmsg|sendfile|splice|copy_file_range|write)\(' "$tmp/trace" |
		grep -v 'write(1, ' | grep "$1"
}
media_opened() { grep -E "open(at)?\(.*\"$bundle\"" "$tmp/trace"; }
mapped() { grep -E "mmap\([^,]*, [0-9]+, [A-Z_|]*, MAP_[A-Z|_]*, [0-9]" "$tmp/trace"; }

for verb in 'ls -lR' 'ls --json' 'ls --checksum' tree info verify "cat - film.mp4 text $canary-name"; do
	read -r name options <<<"$verb"
	# shellcheck disable=SC2086
	case $name in
	cat) trace "$read" cat "${key[@]}" "$bundle" film.mp4 text ;;
	*) trace "$read" "$name" $options "${key[@]}" "$bundle" ;;
	esac
	is "$verb: worked" $? 0
	is "$verb: no file is opened for writing" "$(opened_for_writing)" ''
	is "$verb: plaintext goes to standard output alone" "$(written_elsewhere "$canary")" ''
	is "$verb: no passphrase goes anywhere" "$(written_elsewhere 'seven words'; grep -a 'seven words' "$tmp/stdout")" ''
	ok "$verb: the medium is opened" test "$(media_opened | wc -l)" -ge 1
	is "$verb: to be read, and no more" "$(media_opened | grep -v 'O_RDONLY.*O_CLOEXEC')" ''
	is "$verb: and not mapped" "$(mapped)" ''
	is "$verb: no socket, no child" "$(grep -E ' (socket|fork|vfork|execve)\(' "$tmp/trace" | grep -v "\"$read\"")" ''
done

# Would it have been seen?
trace cp "$tmp/src/text" "$tmp/planted"
ok "control: a planted file is seen" test -n "$(opened_for_writing)"
trace "$read" cat "${key[@]}" "$bundle" text "$canary-no-such-name"
ok "control: what a message says is seen" test -n "$(written_elsewhere "$canary")"
trace python3 -c "import os; os.write(2, b'$canary')"
ok "control: a canary in another place is seen" test -n "$(written_elsewhere "$canary")"
trace "$read" cat "${key[@]}" "$bundle" text
ok "control: the canary went to standard output" grep -q "write(1, .*$canary" "$tmp/trace"

# Extract writes files, and says so; nothing but those and standard error.
mkdir "$tmp/out"
outside() { written_elsewhere "$canary" | grep -vE "^[0-9]+ +[a-z0-9_]+\([0-9]+<$tmp/out/"; }
trace -y "$read" extract "${key[@]}" -C "$tmp/out" "$bundle"
is "extract: no canary but into what it extracts" "$(outside)" ''
ok "control: there it is" test -n "$(written_elsewhere "$canary")"
ok "control: it is extracted" grep -q "$canary" "$tmp/out/text"

trace -y dd if="$tmp/src/text" of="$tmp/planted"
ok "control: in another file it is seen" test -n "$(outside)"

# The memory with plaintext in it is locked and kept out of core files.
trace "$read" cat "${key[@]}" "$bundle" text
ok "no core files" grep -q 'setrlimit(RLIMIT_CORE\|prlimit64(0, RLIMIT_CORE' <(
	strace -f -qq -e trace=prlimit64,setrlimit "$read" ls "${key[@]}" "$bundle" 2>&1)
ok "memory is locked" grep -q 'mlock(0x.*) *= 0' "$tmp/trace"
ok "and not dumped" grep -q 'MADV_DONTDUMP' "$tmp/trace"

# Stopped in the middle, because nobody reads: where in its memory is plaintext?
cat >"$tmp/where.py" <<'PYTHON'
"""where.py PID CANARY: the mappings that have the canary: locked or not."""
import re, sys

pid, canary = sys.argv[1], sys.argv[2].encode()
found, area, locked = set(), None, {}
for line in open(f'/proc/{pid}/smaps'):
    m = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) .*', line)
    if m:
        area = (int(m[1], 16), int(m[2], 16), m[3])
    elif line.startswith('VmFlags:'):
        locked[area] = ' lo' in line and ' dd' in line
with open(f'/proc/{pid}/mem', 'rb', 0) as memory:
    for begin, end, mode in locked:
        if 'r' not in mode:
            continue
        try:
            memory.seek(begin)
            data = memory.read(end - begin)
        except (OSError, ValueError):
            continue        # [vvar]
        if canary in data:
            found.add('locked' if locked[begin, end, mode] else 'not locked')
print(' '.join(sorted(found)))
PYTHON

mkdir "$tmp/many"
for ((i = 0; i < 3000; i++)); do : >"$tmp/many/$canary-$i"; done
for ((i = 0; i < 100000; i++)); do echo $canary-$i; done >"$tmp/many/large"
"$pack" -q "${key[@]}" --kdf low -o "$tmp/many.bundle" "$tmp/many/." || exit 1

where() { # COMMAND...
	local pid
	mkfifo "$tmp/pipe"
	"$@" >"$tmp/pipe" &
	pid=$!
	exec 8<"$tmp/pipe"
	for _ in {1..100}; do
		[ "$(cut -d ' ' -f 1 "/proc/$pid/syscall")" == 1 ] && break # write
		sleep 0.1
	done
	python3 "$tmp/where.py" $pid $canary
	exec 8<&-
	wait $pid
	rm "$tmp/pipe"
}
for verb in 'cat many.bundle large' 'ls many.bundle' 'ls -lR many.bundle' 'ls --json many.bundle' \
	'ls --checksum many.bundle' 'tree many.bundle'; do
	# shellcheck disable=SC2086
	is "$verb: plaintext lies in locked memory alone" \
		"$(where "$read" ${verb/many/"$tmp/many"} "${key[@]}")" locked
done
is "control: another program has it anywhere" "$(where cat "$tmp/many/large")" 'not locked'

# --- and what is looked at is nobody's to know --------------------------------------------------

mkfifo "$tmp/pipe"
"$read" cat "${key[@]}" "$bundle" film.mp4 >"$tmp/pipe" &
pid=$!
exec 8<"$tmp/pipe"
head -c 1 <&8 >/dev/null
is "the command line tells nothing" "$(tr -d '\0' <"/proc/$pid/cmdline")" "$read"
exec 8<&-
wait $pid
finish
