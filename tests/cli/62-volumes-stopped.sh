#!/bin/bash
# A set of volumes that is stopped, or for which there is no room, at any moment:
# none of them has its name, or all have; between the first name and the last all
# are there and whole.
. tests/cli/lib.sh

src=$tmp/src out=$tmp/out
mkdir "$src"
for i in {1..12}; do head -c 2M /dev/urandom >"$src/$i.mp4"; done
head -c 64 /dev/urandom >"$tmp/key"
pack_it=("$pack" -q --key-file "$tmp/key" --volume-size 4M)
key=(--key-file "$tmp/key")

begin() {
	rm -rf "$out"
	mkdir "$out"
}
now() { date +%s%N; }
named() { find "$out" -name 'x-*' | wc -l; }

# A volume in half a second, for those who want to be in time.
slowly() {
	strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:delay_enter=500000 "$@"
}

begin
before=$(now)
"${pack_it[@]}" -o "$out/x.bin" "$src"
took=$(($(now) - before))
volumes=$(named)
ok "undisturbed it writes some" test "$volumes" -gt 5

pause() {
	paused=$((took * (RANDOM + 1) / 32768))
	sleep "$((paused / 1000000000)).$(printf '%09d' $((paused % 1000000000)))"
}

bad=0 stopped=0
for round in {1..16}; do
	begin
	[ $((round % 2)) -eq 0 ] && signal=KILL || signal=TERM
	"${pack_it[@]}" -o "$out/x.bin" "$src" 2>/dev/null &
	pid=$!
	pause
	kill -s "$signal" "$pid" 2>/dev/null
	# Too late: it takes no longer than that, however busy the machine was at first.
	wait "$pid" 2>/dev/null && took=$paused
	case $(named) in
	0) stopped=$((stopped + 1)) ;;
	"$volumes") ;;
	*) [ "$signal" == KILL ] && [ ! -e "$out/x-1.bin" ] || bad=$((bad + 1)) ;; # see below
	esac
	[ "$signal" == KILL ] || [ "$(named)" -gt 0 ] || [ -z "$(ls -A "$out")" ] || bad=$((bad + 1))
done 2>/dev/null
is "killed or stopped: no volume has its name, or all" "$bad" 0
ok "and some of them came in time" test "$stopped" -gt 2

# Killed when three have their names: strace does it before the fourth renaming.
begin
{ strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:signal=KILL:when=4 \
	"${pack_it[@]}" -o "$out/x.bin" "$src"; } 2>/dev/null
if [ "$(named)" -gt 0 ]; then
	ok "killed between two names" test "$(named)" -lt "$volumes"
	no "the first one comes last" test -e "$out/x-1.bin"
	is "all are there" "$(find "$out" -type f | wc -l)" "$volumes"
	ok "and whole" exits 0 "$read" verify "${key[@]}" "$out/x-$volumes.bin"
	"$read" extract -q "${key[@]}" -C "$tmp/got" "$out/x-$volumes.bin" 2>/dev/null
	ok "to the last file" diff -r "$src" "$tmp/got/src"
else
	skip "killed between two names" "strace cannot inject here"
fi

# A name that cannot be had in the end: those that are there are taken back.
begin
strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:error=EEXIST:when=4 \
	"${pack_it[@]}" -o "$out/x.bin" "$src" 2>"$tmp/stderr"
is "a name that cannot be had ends it" $? 1
like "and is said" "$(cat "$tmp/stderr")" "x-$((volumes - 3)).bin: exists already"
is "with nothing left" "$(ls -A "$out")" ""

# Where others are replaced, they are back; those that nobody had before are gone.
begin
"${pack_it[@]}" -o "$out/x.bin" "$src"
rm "$out/x-2.bin" "$out/x-$volumes.bin"
sums() { (cd "$out" && sha256sum -- *); }
old=$(sums)
# rename_fails WHICH ERROR: exchanging names, or renaming, fails from then to then.
rename_fails() {
	strace -f -qq -o /dev/null -e trace=renameat2 -e inject="renameat2:error=$2:when=$1" \
		"${pack_it[@]}" -f -o "$out/x.bin" "$src" 2>"$tmp/stderr"
}
rename_fails 4 EPERM
is "a name of another that cannot be had ends it" $? 1
like "and is said" "$(cat "$tmp/stderr")" "x-[0-9]+.bin: Operation not permitted"
is "those that were to be replaced are there again, and nothing else" "$(sums)" "$old"
rename_fails "$((volumes + 2))" EPERM
is "the last one" $? 1
is "is no exception" "$(sums)" "$old"
rename_fails 1+ EINVAL
is "where names cannot be exchanged they are replaced all the same" $? 0
is "each has its name, and nothing is left" "$(find "$out" -type f | wc -l) $(named)" "$volumes $volumes"
ok "and all are whole" exits 0 "$read" verify "${key[@]}" "$out/x-1.bin"
old=$(sums)
rename_fails 99 EPERM
is "undisturbed all are replaced" $? 0
is "and nothing is left of what was there" "$(sums | sort - <(echo "$old") | uniq -d)$(find "$out" -type f | wc -l)" "$volumes"

# The directory cannot be synced in the end: what was to be replaced is gone, so that
# all of the new ones stay; where nothing was, nothing is left.
begin
strace -f -qq -o "$tmp/trace" -e trace=fsync "${pack_it[@]}" -o "$out/x.bin" "$src"
main=$(tail -n 1 "$tmp/trace" | cut -d ' ' -f 1)
last=$(grep -c "^$main " "$tmp/trace")
is "each has its name" "$(named)" "$volumes"
strace -f -qq -o "$tmp/trace" -e trace=fsync -e inject=fsync:error=EIO:when="$last" \
	"${pack_it[@]}" -f -o "$out/x.bin" "$src" 2>"$tmp/stderr"
is "names that may be gone tomorrow are an error" $? 13
like "and it is said" "$(cat "$tmp/stderr")" 'x-1.bin: Input/output error'
is "all that replaced others are there, and nothing else" "$(named) $(find "$out" -type f | wc -l)" "$volumes $volumes"
ok "and whole" exits 0 "$read" extract -q "${key[@]}" -C "$tmp/new" "$out/x-1.bin"
begin
strace -f -qq -o "$tmp/trace" -e trace=fsync -e inject=fsync:error=EIO:when="$last" \
	"${pack_it[@]}" -o "$out/x.bin" "$src" 2>"$tmp/stderr"
is "where there were none it is one, too" $? 13
is "with nothing left" "$(ls -A "$out")" ""

# A drive on which some bytes of an early volume change when later ones are written:
# smaller than it says.
begin
slowly "${pack_it[@]}" -o "$out/x.bin" "$src" 2>"$tmp/stderr" &
pid=$!
until [ "$(find "$out" -type f -size +4000k | wc -l)" -ge 3 ] || ! kill -0 "$pid"; do sleep 0.02; done
written=$(find "$out" -type f -size +4000k | head -n 1)
printf 'not by chance' | dd of="$written" bs=1 seek=2000000 conv=notrunc status=none
wait "$pid"
is "a drive that overwrites what it had is found out" $? 13
like "by name" "$(cat "$tmp/stderr")" 'x-[0-9]+.bin: the drive gave back other bytes'
is "and nothing is left" "$(ls -A "$out")" ""

# No room: seen before, and in the middle.
export tmp src out pack
export -f slowly
cat >"$tmp/drive" <<'SCRIPT'
	mkdir "$tmp/drive1"
	mount -t tmpfs -o size=26M none "$tmp/drive1"
	with=(-q --key-file "$tmp/key" --volume-size 4M)
	"$pack" "${with[@]}" -o "$tmp/drive1/x.bin" "$src"
	echo "code $?, $(ls -A "$tmp/drive1" | wc -l) left"
	mount -o remount,size=40M "$tmp/drive1"
	slowly "$pack" "${with[@]}" -o "$tmp/drive1/x.bin" "$src" &
	pid=$!
	until [ "$(du -sk "$tmp/drive1" | cut -f1)" -gt 9000 ] || ! kill -0 $pid; do sleep 0.02; done
	dd if=/dev/zero of="$tmp/drive1/somebody" bs=1M 2>/dev/null
	wait $pid
	echo "code $?, $(ls -A "$tmp/drive1")"
	rm "$tmp/drive1/somebody"
	"$pack" "${with[@]}" -o "$tmp/drive1/x.bin" "$src"
	echo "code $?, $(ls -A "$tmp/drive1" | wc -l) there"
SCRIPT
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	said=$(unshare -m bash "$tmp/drive" 2>&1)
	like "no room for all of them is seen before" "$said" \
		'drive1/x.bin: the bundle (has up to|needs at least) [0-9.]+ MB, .* are free there.*code 13, 0 left'
	like "room that goes is noticed" "$said" 'x-[0-9]+.bin: No space left.*code 13, somebody'
	like "with room they are written" "$said" "code 0, $volumes there"
else
	skip "no room" "no right to mount"
fi

# More than a process may usually have open, and than are looked at one by one.
begin
ok "many volumes" exits 0 bash -c 'ulimit -S -n 64; exec "$@"' - "$pack" -q "${key[@]}" \
	--volume-size 256K -o "$out/x.bin" "$src"
ok "are a hundred and more" test "$(named)" -gt 100
ok "and healthy" exits 0 "$read" verify "${key[@]}" "$out/x-77.bin"

finish
