#!/bin/bash
# What is left in memory after each kind of end of a mount, in a machine of its own
# with Debian's kernel: its whole memory is searched.
# Not part of "make check": it emulates, for some minutes.
#
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

# --- the machine -------------------------------------------------------------------

# Files whose every KiB has a mark of the group and its own number; and a directory of
# 500 names that have both, too.  Otherwise random, in hexadecimal for a group that
# ends in "text".
make_tree() { # GROUP...
	/usr/bin/python3 - "$tmp" "$@" <<'END'
import os, sys
out, groups = sys.argv[1], sys.argv[2:]
with open(f'{out}/marks', 'w') as marks:
    for group in groups:
        content, name = os.urandom(12).hex(), os.urandom(8).hex()
        marks.write(f'{group} {content.encode().hex()}\n{group}-names {name.encode().hex()}\n')
        os.makedirs(f'{out}/tree/{group}/names')
        with open(f'{out}/tree/{group}/film', 'w' if group.endswith('text') else 'wb') as f:
            for number in range(8192):
                mark = f'{content}{number:04}'
                f.write(mark + os.urandom(498).hex() if f.mode == 'w' else mark.encode() + os.urandom(996))
        for number in range(500):
            open(f'{out}/tree/{group}/names/{name}{number:04}', 'w').close()
END
}

make_touch_mapped() {
	cc -O2 -o "$tmp/touch-mapped" -x c - <<'END'
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
/* Touch every page of a file through a private mapping. */
int main(int argc, char **argv)
{
	struct stat st;
	int fd = open(argv[argc - 1], O_RDONLY), sum = 0;
	if (fd < 0 || fstat(fd, &st))
		return 1;
	const char *p = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return 1;
	for (long at = 0; at < st.st_size; at += 4096)
		sum += p[at];
	return sum == 1234567;
}
END
}

# What is no bundle: compressed, so that the file itself has none of the marks.
make_ordinary() {
	mksquashfs "$tmp/tree/ordinary-text" "$tmp/squash" -comp gzip -quiet -no-progress -no-tailends || return
	/usr/bin/python3 -B tests/search.py find "$tmp/squash" <(grep '^ordinary' "$tmp/marks") | grep -v ' 0 0$'
	[ "${PIPESTATUS[1]}" -eq 1 ]
}

make_bundle() {
	(cd "$tmp" && rm -rf tree/ordinary-text) &&
		age-keygen -o "$tmp/identity" 2>/dev/null &&
		"$pack" -q --kdf low --no-verify --passphrase-file "$tmp/passphrase" \
			--recipient "$(age-keygen -y "$tmp/identity")" -o "$tmp/bundle" "$tmp/tree/." &&
		truncate -s 160M "$tmp/stick" &&
		/sbin/mkfs.vfat -n STICK "$tmp/stick" >/dev/null &&
		mcopy -i "$tmp/stick" "$tmp/bundle" ::bundle && mcopy -i "$tmp/stick" "$tmp/squash" ::squash
}

head -c 15 /dev/urandom | base64 >"$tmp/passphrase"
typed=$(head -c 15 /dev/urandom | base64)
make_tree private private-text mapped panic cached cached-panic run by-identity umounted ordinary-text
ok "what is no bundle" make_ordinary
ok "a bundle" make_bundle
/usr/bin/python3 -B tests/search.py keys "$tmp/bundle" \
	passphrase="$tmp/passphrase" identity="$tmp/identity" >"$tmp/keys"
echo "typed $(echo -n "$typed" | od -An -tx1 | tr -d ' \n')" | cat - "$tmp/keys" "$tmp/marks" >"$tmp/wanted"
ok "a program that maps" make_touch_mapped
make_root
add_program "$tmp/touch-mapped"
add_program "$(command -v squashfuse_ll)"
cp "$tmp/identity" "$root"
make_initrd
ok "a machine" start 320
plug_in "$tmp/stick"
ok "a stick in it" guest 'plug ro'

# --- ends ---------------------------------------------------------------------------

# The passphrase is typed, at the prompt of the program itself: no file has it.
up() { # OPTION...
	guest_begin "up root $*"
	within_seconds "$PATIENCE" has_said 'passphrase: ' || { new_lines; return 1; }
	guest_hears "$(cat "$tmp/passphrase")"$'\n'
	guest_end
}

look() { find_in_memory "$tmp/wanted"; }
with_names() { guest "cat /m/$1/film >/dev/null && ls -l /m/$1/names | wc -l"; }
asked() { guest 'satchel-mount -u /m && ended 0'; }

no_key_is_left() {
	awk '/^(passphrase|stretched|identity|kek-of-.*|slot-.*|ck|page-key) / && $2 { print; found = 1 } END { exit found }' "$tmp/found"
}

# Of 8192 KiB.  The names that are left are the kernel's: it keeps those that were looked
# up, frees them with the mount, and wipes nothing.
little_is_left() { # GROUP
	look
	echo "# $1: $(numbers "$1") KiB, $(numbers "$1-names") names"
	ok "$1: little is left of 8 MiB" at_most "$(numbers "$1")" 16
	ok "$1: no key" no_key_is_left
}

is_there() { # NAME...: each was found
	local name
	for name; do
		ok "while it is mounted it is there to be found: $name" at_least "$(found "$name")" 1
	done
}

guest_begin "read -r line; unset line"
guest_hears "$typed"$'\n'
ok "something is typed" guest_end
look
ok "the control: what is typed at a shell is found" at_least "$(found typed)" 1

guest_begin "up root"
within_seconds "$PATIENCE" has_said 'passphrase: '
guest_hears "$(cat "$tmp/passphrase")"
sleep 1
look
ok "the control: a passphrase that is not yet entered is found" at_least "$(found passphrase)" 1
guest_hears $'\n'
ok "it opens" guest_end
ok "private: read" with_names private
look
is_there ck page-key
is "what only opens is gone by then" "$(found passphrase) $(found stretched) $(found kek-of-passphrase)" '0 0 0'
ok "-u" asked
little_is_left private

ok "text" up
ok "text: read" with_names private-text
ok "-u" asked
little_is_left private-text

ok "mapped" up
ok "mapped: read" guest 'touch-mapped /m/mapped/film'
look
ok "what is mapped passes through the page cache" at_least "$(numbers mapped)" 8000
ok "-u" asked
little_is_left mapped

ok "panic" up
ok "panic while it reads" guest '{ while cat /m/panic/film; do :; done >/dev/null 2>&1 & }; sleep 2; kill -USR1 $pid; ended 138'
little_is_left panic

ok "cached" up --cache
ok "cached: read" with_names cached
look
ok "while it is mounted all of it is there to be found" at_least "$(numbers cached)" 8192
ok "and the names" at_least "$(numbers cached-names)" 500
ok "-u" asked
little_is_left cached

ok "cached, panic" up --cache
ok "cached, panic: read" with_names cached-panic
ok "panic" guest 'kill -USR1 $pid; ended 138'
little_is_left cached-panic

guest_begin 'HOME=/home satchel-mount -q /stick/bundle --run cat run/film >/dev/null'
within_seconds "$PATIENCE" has_said 'passphrase: '
guest_hears "$(cat "$tmp/passphrase")"$'\n'
ok "--run" guest_end
little_is_left run

ok "an identity opens it" guest 'up root --identity /identity'
ok "identity: read" with_names by-identity
look
is "and is gone by then" "$(found identity) $(found kek-of-identity)" '0 0'
ok "-u" asked
little_is_left by-identity

# --- what others leave -----------------------------------------------------------------

ok "unmounted from outside" up --cache
ok "unmounted from outside: read" with_names umounted
ok "umount" guest 'umount /m; ended 0'
look
echo "# umounted: $(numbers umounted) KiB, $(numbers umounted-names) names"
ok "what was cached stays" at_least "$(numbers umounted)" 8000
ok "but no key" no_key_is_left

ok "an ordinary mount" guest 'squashfuse_ll /stick/squash /m && with_names=$(cat /m/film | wc -c) && ls -l /m/names | wc -l && umount /m'
look
echo "# ordinary: $(numbers ordinary-text) KiB, $(numbers ordinary-text-names) names"
ok "the control: it leaves all" at_least "$(numbers ordinary-text)" 8000
ok "and the names" at_least "$(numbers ordinary-text-names)" 450
sed 's/^/# at the end: /' "$tmp/found"
stop
finish
