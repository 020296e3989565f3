#!/bin/bash
# While satchel-pack writes, and while satchel-read stretches a passphrase, their keys are in
# locked memory and nowhere else: not on the heap, where libcrypto would have them, nor on a
# stack.  That they are found in locked memory shows that they would be found.
. tests/cli/lib.sh

if ! has_cap 19; then
	skip "keys in memory" "needs root to look into a process"
	finish
fi
if sanitized; then
	skip "keys in memory" "sanitizers keep copies"
	finish
fi
mkdir "$tmp/src"
head -c 60M /dev/urandom >"$tmp/src/film.mp4"
head -c 64 /dev/urandom >"$tmp/key"
printf 'abacus abdomen ability ablaze able about' >"$tmp/pw"
age-keygen -o "$tmp/identity" 2>/dev/null

# Caught while it writes: there is a file that grows, a megabyte in a twentieth of a second.
strace -D -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:delay_enter=50000 \
	"$pack" -q --no-verify --kdf low --passphrase-file "$tmp/pw" --key-file "$tmp/key" \
	--recipient "$(age-keygen -y "$tmp/identity")" -o "$tmp/bundle" "$tmp/src" &
pid=$!
for ((i = 0; i < 6000; i++)); do
	written=$(find "$tmp" -maxdepth 1 -type f -size +8M -printf '%s' -quit)
	[ -z "$written" ] || break
	sleep 0.01
done
kill -STOP "$pid"
cat >"$tmp/look.py" <<'SCRIPT'
"""look.py PID DIRECTORY: writable memory of a process, locked and other."""
import re
import sys

pid, out = sys.argv[1:]
files = {locked: open(f'{out}/{locked}', 'wb') for locked in ('locked', 'other')}
area = None
with open(f'/proc/{pid}/mem', 'rb', 0) as mem, open(f'/proc/{pid}/smaps') as maps:
    for line in maps:
        begin = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+)', line)
        if begin:
            area = [int(begin[1], 16), int(begin[2], 16), begin[3]]
        elif line.startswith('VmFlags:') and 'w' in area[2]:
            try:
                mem.seek(area[0])
                bytes_ = mem.read(area[1] - area[0])
            except (OSError, OverflowError, ValueError):
                continue
            files['locked' if ' lo' in line else 'other'].write(bytes_)
SCRIPT
/usr/bin/python3 "$tmp/look.py" "$pid" "$tmp"
kill -CONT "$pid"
wait "$pid"
is "it wrote on" $? 0

cat >"$tmp/find.py" <<'SCRIPT'
"""find.py BUNDLE KEYFILE PASSPHRASE DIRECTORY: how often each secret is in which."""
import sys

sys.path.insert(0, 'tests')
import decode

path, key_file, passphrase, out = sys.argv[1:]
digest = decode.key_file_of(open(key_file, 'rb').read())
volume = decode.Bundle([path], (None, digest, [])).root
secrets = {'page key': volume.key, 'half of it': volume.key[16:], 'compartment key': volume.ck,
           'key file': digest, 'passphrase': open(passphrase, 'rb').read()}
for kind in ('locked', 'other'):
    memory = open(f'{out}/{kind}', 'rb').read()
    for name, secret in secrets.items():
        print(kind, 'none' if memory.count(secret) == 0 else 'some', name)
SCRIPT
/usr/bin/python3 "$tmp/find.py" "$tmp/bundle" "$tmp/key" "$tmp/pw" "$tmp" >"$tmp/found"
cat "$tmp/found"
for name in 'page key' 'half of it' 'compartment key' 'key file' passphrase; do
	ok "$name: in locked memory" grep -qx "locked some $name" "$tmp/found"
	ok "$name: nowhere else" grep -qx "other none $name" "$tmp/found"
done

# Caught while it stretches the passphrase, which takes the most memory.
head -c 100000 /dev/urandom >"$tmp/noise"
"$read" ls -q --passphrase-file "$tmp/pw" --key-file "$tmp/key" "$tmp/noise" 2>/dev/null &
pid=$!
for ((i = 0; i < 3000; i++)); do
	[ "$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")" -lt 100000 ] || break
	sleep 0.01
done
kill -STOP "$pid"
/usr/bin/python3 "$tmp/look.py" "$pid" "$tmp"
kill -CONT "$pid"
wait "$pid"
is "it stretched on" $? 12
/usr/bin/python3 "$tmp/find.py" "$tmp/bundle" "$tmp/key" "$tmp/pw" "$tmp" >"$tmp/found"
for name in 'key file' passphrase; do
	ok "while it is stretched, $name: in locked memory" grep -qx "locked some $name" "$tmp/found"
	ok "$name: nowhere else" grep -qx "other none $name" "$tmp/found"
done

finish
