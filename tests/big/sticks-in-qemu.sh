#!/bin/bash
# Sticks that cannot be read here and there, as the kernel tells it: bundles on a
# real ext4 and a real vfat over dm-error and dm-flakey, and on a stick that is
# full, in a machine of its own.  What is done there is in sticks-guest.sh.
# Not part of "make check": it emulates, for some minutes.
#
#   KERNEL=DIR an unpacked linux-image package (otherwise it is downloaded)
cd "$(dirname "$0")/../.." || exit
. tests/cli/lib.sh
. tests/big/machine.sh

root=$tmp/root

# --- bundles -----------------------------------------------------------------------

mkdir -p "$root/bin" "$tmp/src" "$tmp/ext4"
head -c 64 /dev/urandom >"$tmp/key"
head -c 3000000 /dev/urandom >"$tmp/src/large.jpg"
for ((i = 0; i < 60; i++)); do head -c $((150000 + i)) /dev/urandom >"$tmp/src/$i.jpg"; done
"$pack" -q --no-verify --key-file "$tmp/key" --parity 4 -o "$tmp/bundle" "$tmp/src/." || exit

# full IMAGE: a stick of FAT with a bundle that leaves no cluster free.
full() {
	truncate -s 24M "$1"
	/sbin/mkfs.vfat -n FULL "$1" >/dev/null
	local room
	room=$(mdir -i "$1" :: | sed -n 's/ bytes free$//p' | tr -d ' ')
	"$pack" -q --no-verify --key-file "$tmp/key" --size "$room" -o "$tmp/full" "$tmp/src/." &&
		mcopy -i "$1" "$tmp/full" ::bundle
}

cp "$tmp/bundle" "$tmp/ext4"
truncate -s 40M "$tmp/ext4.image" "$tmp/vfat.image"
/sbin/mkfs.ext4 -q -d "$tmp/ext4" "$tmp/ext4.image"
/sbin/mkfs.vfat "$tmp/vfat.image" >/dev/null && mcopy -i "$tmp/vfat.image" "$tmp/bundle" ::bundle
ok "a stick is written full" full "$tmp/full.image"
is "it has no room left" "$(mdir -i "$tmp/full.image" :: | sed -n 's/ bytes free$//p' | tr -d ' ')" 0

# --- where they cannot be read -----------------------------------------------------------

# Tables for dmsetup: FILE-SYSTEM-WHAT, see sticks-guest.sh.
make_tables() {
	mkdir "$root/tables"
	PYTHONPATH=tests /usr/bin/python3 - "$tmp" "$root/tables" <<'END'
import sys
import decode
tmp, tables = sys.argv[1:]
key = decode.key_file_of(open(f'{tmp}/key', 'rb').read())
bundle = decode.Bundle([f'{tmp}/bundle'], (None, key, []))
volume = bundle.volumes[0]
C, PAGE, SECTOR = volume.columns, 16384, 512
assert volume.bands == 1 and volume.m == 4

def offset(i):
    """Where in the bundle data page i begins; there is one band."""
    return PAGE * (1 + volume.place_of(i))

read, data_page = [], volume.data_page
volume.data_page = lambda i: (read.append(i), data_page(i))[1]
for piece in bundle.read(decode.find(bundle, b'large.jpg')):
    pass
large = sorted(set(read))
large = [i for i in large if i + 1 in large and i - 1 in large]
middle = large[(len(large) - 5 * C) // 2:][:5 * C]
assert len(middle) == 5 * C and middle[-1] - middle[0] == 5 * C - 1

end = volume.length - PAGE
errors = {
    'linear': [],
    # As much as there is parity for: two of each column whole, two in one sector.
    'spread': [(offset(i), PAGE) for i in range(3 * C, 5 * C)] +
              [(offset(i) + i % 32 * SECTOR, SECTOR) for i in range(20 * C, 22 * C)],
    'lost': [(offset(i) + i % 32 * SECTOR, SECTOR) for i in middle],
    'roots': [(PAGE * (1 + p), PAGE) for p in volume.root_pages[:2]],
    'start': [(0, 65536)],
    'fill': [(8192, SECTOR), (end // SECTOR * SECTOR + 8192, SECTOR)],
    'headers': [(0, PAGE), (end // SECTOR * SECTOR, PAGE)],
}
content = open(f'{tmp}/bundle', 'rb').read()
for system in 'ext4', 'vfat':
    image = open(f'{tmp}/{system}.image', 'rb').read()
    for name, places in errors.items():
        bad = set()
        for at, length in places:
            for sector in range(at, min(at + length, len(content)), SECTOR):
                there = image.find(content[sector:sector + SECTOR])
                assert there % SECTOR == 0
                bad.add(there // SECTOR)
        with open(f'{tables}/{system}-{name}', 'w') as out:
            begin, total = 0, len(image) // SECTOR
            while begin < total:
                stop = begin + 1
                while stop < total and (stop in bad) == (begin in bad):
                    stop += 1
                what = 'error' if begin in bad else f'linear /dev/loop0 {begin}'
                out.write(f'{begin} {stop - begin} {what}\n')
                begin = stop
    with open(f'{tables}/{system}-flakey', 'w') as out:
        out.write(f'0 {total} flakey /dev/loop0 0 1 1\n')
END
}
ok "tables are made" make_tables

# --- the machine ----------------------------------------------------------------------------

for program in /bin/busybox /bin/bash /sbin/dmsetup "$read"; do add_program "$program"; done
add_modules virtio_pci virtio_blk loop dm_mod dm_flakey ext4 vfat nls_cp437 nls_ascii nls_utf8
install -m 755 tests/big/sticks-guest.sh "$root/init"
install -D -t "$root/tests/cli" tests/cli/lib.sh
cp "$tmp/key" "$tmp/bundle" "$root"
(cd "$tmp/src" && sha256sum -- *) >"$root/sums"
make_initrd
drive() { echo "-drive file=$tmp/$1.image,if=virtio,format=raw,snapshot=on"; }
# shellcheck disable=SC2046  # no spaces in them
timeout 900 qemu-system-x86_64 -accel tcg -m 512 -nodefaults -display none -no-reboot \
	-kernel "$KERNEL"/boot/vmlinuz-* -initrd "$tmp/initrd" -append "console=ttyS1 quiet panic=-1 no_timer_check" \
	-serial "file:$tmp/said" -serial "file:$tmp/console" $(drive ext4) $(drive vfat) $(drive full)

# The machine's results become this script's own.
while read -r line; do
	case $line in
	ok\ *) result 0 "${line#ok * - }" ;;
	not\ ok\ *) result 1 "${line#not ok * - }" ;;
	'1..'*) ended=yes ;;
	*) echo "$line" ;;
	esac
done < <(tr -d '\r' <"$tmp/said")
[ "${ended:-no}" == yes ] || tail -20 "$tmp/console"
is "the machine came to its end" "${ended:-no}" yes
finish
