#!/bin/bash
# What a drive can do, and what it is for, follows from its file system: FAT has no file over
# 4 GiB and is no place for what is spilled; behind FUSE and networks somebody keeps what was
# written, and gives it back in place of the drive.  tests/preload/drive.c says what is where.
. tests/cli/lib.sh

if [ "$watched" ] || ! preload drive 2>"$tmp/.said"; then
	skip "drives of other kinds" "nothing can be put before the C library here"
	finish
fi
MSDOS=0x4d44 EXFAT=0x2011bab0 FUSE=0x65735546 NFS=0x6969 CIFS=0xff534d42 EXT4=0xef53
mkdir "$tmp/drive" "$tmp/out" "$tmp/src"
head -c 300000 /dev/urandom >"$tmp/src/film.mp4"
head -c 64 /dev/urandom >"$tmp/key"
key=(--key-file "$tmp/key")

on() { # TYPE COMMAND...: with a drive of that type, a petabyte, at $tmp/drive
	env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$tmp/drive.so" \
		DRIVE_AT="$tmp/drive" DRIVE_TYPE="$1" DRIVE_FREE=$((1 << 50)) "${@:2}"
}

# --- what is spilled ------------------------------------------------------------------------

for type in $MSDOS $EXFAT; do
	ok "$type: no place to spill to" exits 1 on "$type" "$pack" "${key[@]}" --spill "$tmp/drive" -o "$tmp/out/b" "$tmp/src"
	is "$type: which is said" "$(cat "$tmp/stderr")" \
		"satchel-pack: $tmp/drive: --spill: is on a drive formatted as FAT or exFAT; name a directory on this machine's own disk"
done
ok "control: another is one" exits 0 on $EXT4 "$pack" -q "${key[@]}" --spill "$tmp/drive" -o "$tmp/out/b" "$tmp/src"

# --- what one file has ------------------------------------------------------------------------

most='and a file on such a drive \(FAT\) has at most 4\.2 GB'
ok "FAT: a bundle of 5 GiB is refused" exits 13 on $MSDOS "$pack" "${key[@]}" --size 5G -o "$tmp/drive/b" "$tmp/src"
like "with what to do" "$(cat "$tmp/stderr")" \
	"^satchel-pack: $tmp/drive/b: the bundle has [0-9.]+ GB, $most; use --volume-size fat32, or format it as exFAT\$"
is "before anything is written" "$(ls -A "$tmp/drive")" ''
ok "nor does a dry run say otherwise" exits 13 on $MSDOS "$pack" -n --size 5G -o "$tmp/drive/b" "$tmp/src"
for type in $EXFAT $EXT4; do
	ok "control: $type can have it" exits 0 on "$type" "$pack" -n --size 5G -o "$tmp/drive/b" "$tmp/src"
done
ok "FAT: a small one is not" exits 0 on $MSDOS "$pack" -q "${key[@]}" -o "$tmp/drive/b" "$tmp/src"
rm "$tmp/drive/b"

# How much is free is not known everywhere.
ok "what is free is filled where that is known" exits 1 env LD_PRELOAD="$tmp/drive.so" \
	ASAN_OPTIONS=verify_asan_link_order=0 DRIVE_AT="$tmp/drive" DRIVE_TYPE=$FUSE DRIVE_FREE=0 \
	"$pack" -q "${key[@]}" --size "fill:$tmp/drive" -o "$tmp/drive/b" "$tmp/src"
is "which is said where it is not" "$(cat "$tmp/stderr")" \
	"satchel-pack: $tmp/drive: --size=fill: what is free there is not known; say how long, in bytes"

# A copy of what claims to have terabytes.
tests/encode.py --bomb heap-without-end "$tmp"
large=()
while read -r word value; do
	case $word in
	bundle) bomb=$tmp/$value ;;
	codes) ;;
	*) large+=("--$word" "$tmp/$value") ;;
	esac
done <"$tmp/heap-without-end.keys"
ok "FAT: nor may a copy be longer" exits 13 on $MSDOS "$build/tests/satchel-read" repair -q "${large[@]}" -o "$tmp/drive/copy" "$bomb"
like "which is said" "$(cat "$tmp/stderr")" "^satchel-read: $tmp/drive/copy: the copy has [0-9.]+ [TP]B, $most\$"
is "before anything is written" "$(ls -A "$tmp/drive")" ''

# --- what is read back --------------------------------------------------------------------------

cached='what is read back here may come from a memory on the way, and not from the drive'
for type in $FUSE $NFS $CIFS; do
	ok "$type: a bundle" exits 0 on "$type" "$pack" -f "${key[@]}" -o "$tmp/drive/b" "$tmp/src"
	like "$type: that may not be there is warned of" "$(cat "$tmp/stderr")" "^satchel-pack: $tmp/drive/b: warning: $cached"
done
ok "control: on a drive of this machine" exits 0 on $EXT4 "$pack" -f "${key[@]}" -o "$tmp/drive/b" "$tmp/src"
no "it is there" grep -F "$cached" "$tmp/stderr"

# A copy is read back: tests/preload/fail.c changes a byte of what comes.
preload fail || exit 1
copies() { # WHAT-IT-DOES
	rm -f "$tmp/out/copy.sound"
	env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$tmp/fail.so" SHIM_FILE=.sound SHIM_AT=1 SHIM_DO="$1" \
		"$build/tests/satchel-read" repair -q "${key[@]}" -o "$tmp/out/copy.sound" "$tmp/drive/b"
}
ok "a drive that gives back other bytes: 13" exits 13 copies other
is "which is said" "$(cat "$tmp/stderr")" \
	"satchel-read: $tmp/out/copy.sound: the drive does not give back what was written to it"
is "and nothing is left" "$(ls -A "$tmp/out")" b
ok "control: one that does not" exits 0 copies nothing
ok "has the copy" cmp "$tmp/out/copy.sound" "$tmp/drive/b"
finish
