#!/bin/bash
# A mount of one compartment, everything in it listed and read, reads the headers and
# this compartment's slices, and not a byte of what may be another's.
. tests/fuse/lib.sh

if ! type -P strace >/dev/null; then
	skip "what a mount reads" "strace is not installed"
	finish
fi

mkdir -p "$tmp/family/photos" "$tmp/work"
for i in {1..12}; do head -c 300K /dev/urandom >"$tmp/family/photos/$i.jpg"; done
seq 60000 >"$tmp/family/notes.txt"
for i in {1..6}; do head -c 200K /dev/urandom >"$tmp/work/$i.mp4"; done
head -c 64 /dev/urandom >"$tmp/family.key"
head -c 64 /dev/urandom >"$tmp/work.key"
cat >"$tmp/recipe.ini" <<'RECIPE'
[bundle]
size = 9M
[compartment family]
source = family
key-file = family.key
[compartment work]
source = work
key-file = work.key
RECIPE
bundle=$tmp/bundle
ok "two compartments are packed" "$pack" -q --no-verify --recipe "$tmp/recipe.ini" -o "$bundle"

# Everything that fetches bytes of the bundle, of any thread.
cat >"$tmp/traced" <<SCRIPT
#!/bin/sh
exec strace -f -qq -s 0 -e signal=none -o "$tmp/log" -P "$bundle" -P "$(realpath "$bundle")" \
	-e trace=read,pread64,readv,preadv,preadv2,readahead,fadvise64,mmap,sendfile,splice,copy_file_range,lseek \
	"$build/satchel-mount" "\$@"
SCRIPT
chmod +x "$tmp/traced"

cat >"$tmp/judge.py" <<'SCRIPT'
"""judge.py LOG BUNDLE KEYFILE: are all reads of headers and of the slices that the key
file's compartment owns?  How many bytes of which, and what is beyond."""
import re
import sys

sys.path.insert(0, 'tests')
from decode import PAGE, Bundle, key_file_of

log, bundle, key_file = sys.argv[1:]
v = Bundle([bundle], (None, key_file_of(open(key_file, 'rb').read()), [])).root
own = {q * v.slice + i for q in v.owned for i in range(v.slice)}
last = v.length // PAGE - 1
beyond, headers, pages = [], 0, set()
# Where no block device tells whether the medium is there, a read does, here and there, and
# the same for every compartment (PROBE_LEN in fusefs/medium.c).
probes, count = set(), v.length // 4096
for _ in range(1000):
    probes.add((len(probes) + 1) * (count * 618 // 1000 | 1) % count * 4096)
for line in open(log):
    # A call that another thread interrupts takes two lines; its numbers are in one.
    if re.search(r'lseek|DONTNEED|pread64\(\d+, +<unfinished|fadvise64 resumed', line):
        continue
    at = re.search(r'pread64(?:\(| resumed>).*, (\d+), (\d+)\)', line)
    ahead = re.search(r'fadvise64\(.*, (\d+), (\d+), POSIX_FADV_WILLNEED', line)
    if at or ahead:
        length, offset = map(int, at.groups() if at else reversed(ahead.groups()))
        if length == 4096 and offset in probes:
            continue
    else:
        beyond.append(line.strip())
        continue
    if offset + length <= PAGE or offset >= v.length - PAGE:
        headers += 1
        continue
    touched = set(range(offset // PAGE - 1, (offset + length - 1) // PAGE))
    if at:
        pages |= touched
    if not touched <= own:
        beyond.append(line.strip())
print(f'{headers} reads of headers, {len(pages)} pages of {len(own)}; beyond: {beyond[:3]}')
sys.exit(bool(beyond) or len(pages) * 2 < len(own))
SCRIPT
judge() { /usr/bin/python3 "$tmp/judge.py" "$tmp/log" "$bundle" "$tmp/$1.key"; }

real=$mount
for options in '' --cache; do
	for one in family work; do
		other=work
		[ $one = family ] || other=family
		key=(-q --key-file "$tmp/$one.key")
		mount=$tmp/traced
		rm -f "$tmp/log"
		ok "$one, ${options:-private}: mounted" up ${options:+"$options"}
		ok "all of it is there" diff -r "$tmp/$one" "$mnt/$one"
		mount=$real
		ok "unmounted" down
		ok "only its own slices and headers were read" judge $one
		no "control: they are not the other's" judge $other
	done
done
finish
