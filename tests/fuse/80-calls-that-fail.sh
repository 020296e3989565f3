#!/bin/bash
# Every allocation, read, thread... of the mount fails once: there is no mount, or it
# serves what is right and says EIO else; no crash, no hang, no leak, the exit code of the
# manual, and nothing is left at the directory.  Then calls that are interrupted or do half
# of what they are asked for.
few=4
. tests/fuse/lib.sh
. tests/cli/nth.sh
preload=NTH_PRELOAD
nth_build || skip_all "needs a compiler"

mkdir "$tmp/src"
seq 1 90000 >"$tmp/src/numbers.txt"
head -c 300000 /dev/urandom >"$tmp/src/film.mp4"
head -c 32 /dev/urandom >"$tmp/key"
"$pack" -q --key-file "$tmp/key" -o "$tmp/bundle" "$tmp/src/." || exit 1

# read_all FROM: what is there goes to $tmp/read, and what each cat ended with to
# $tmp/read/codes.  One that waits has 25 seconds.
cat >"$tmp/read_all" <<'LOOK'
#!/bin/bash
rm -rf "$2"
mkdir "$2"
for file in film.mp4 numbers.txt; do
	timeout 25 cat "$1/$file" >"$2/$file" 2>/dev/null
	echo "$file $?" >>"$2/codes"
done
LOOK

# Mount, read what is there, and end.  The mount's own exit code.
cat >"$tmp/look" <<'LOOK'
#!/bin/bash
all=$1 mnt=$2 out=$3 mount=$4
shift 4
LD_PRELOAD=$NTH_PRELOAD "$mount" "$@" &
pid=$!
mounted() { grep -qF " $mnt fuse " /proc/self/mounts; }
while ! mounted && kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
[[ " $* " == *" -f "* ]] || wait "$pid" # until it is ready
code=$?
mounted && "$all" "$mnt" "$out"
for ((i = 0; i < 1000; i++)); do
	mounted || kill -0 "$pid" 2>/dev/null || break
	"$mount" -q -u "$mnt" 2>/dev/null
	sleep 0.005
done
[[ " $* " == *" -f "* ]] || exit "$code"
wait "$pid"
LOOK
chmod +x "$tmp/look" "$tmp/read_all"

# Exit codes that the manual has for this failure.
right_codes() {
	if [ "$all" ]; then
		echo '[0145]|10'
		return
	fi
	case $kind in
	map) echo '[015]' ;; # without memory to try header A with, there is B
	memory | crypto | thread) echo '[01]' ;;
	open | read | stat) if about bundle || about set; then echo '[045]|10'; else echo '[01]'; fi ;;
	*) echo '[01]' ;;
	esac
}

# Whatever was read is right; of what is short, whoever read it was told, and where the
# bundle is to blame, the mount's exit code tells, too; and nothing ever waited in vain.
were_read() {
	local file ended
	[ -e "$tmp/read/codes" ] || { [ "$code" -ne 0 ] || echo "not mounted"; return; }
	while read -r file ended; do
		[ "$ended" -ne 124 ] || echo "$file: hangs"
		cmp "$tmp/read/$file" <(head -c "$(stat -c %s "$tmp/read/$file")" "$tmp/src/$file") 2>&1
		if ! cmp -s "$tmp/read/$file" "$tmp/src/$file"; then
			[ "$ended" -ne 0 ] || echo "$file: short, and nobody was told"
			[ "$code" -ne 0 ] || ! { about bundle || about set; } || echo "$file: short, and the mount ends with 0"
		fi
	done <"$tmp/read/codes"
}

mounted() {
	said satchel-mount
	[ -z "$culprit" ] || [[ $code =~ ^($(right_codes))$ ]] || echo "not code $(right_codes)"
	were_read
	! is_mounted || echo "still mounted"
	while is_mounted; do umount -l "$mnt"; done
	rm -rf "$tmp/read"
}

with=("$tmp/look" "$tmp/read_all" "$mnt" "$tmp/read" "$mount" -q --key-file "$tmp/key")
name=mount
for kind in memory:60 crypto:1000 map:2 thread:4 open:9 stat:3 read:20 write:10 close:5 wait:2 control:1; do
	every "$kind" mounted "${with[@]}" -f "$tmp/bundle" "$mnt"
done

# Without memory for the kernel's first request there will be no second.
all=''
count_calls memory "${with[@]}" -f "$tmp/bundle" "$mnt"
for ((n = total / 2; n < total; n++)); do
	with_nth memory $n '' "${with[@]}" -f "$tmp/bundle" "$mnt"
	grep -q 'failed to allocate request' "$tmp/stderr" && break
	mounted >/dev/null
done
is "no memory for INIT: not mounted" "$code $(mounted)" '1 '

few=3
name="with --cache"
for kind in memory:60 read:20 write:10; do
	every "$kind" mounted "${with[@]}" -f --cache "$tmp/bundle" "$mnt"
done
name="in the background"
for kind in memory:60 thread:4 open:9 read:20 write:10; do
	every "$kind" mounted "${with[@]}" "$tmp/bundle" "$mnt"
done

if command -v minisign >/dev/null; then
	name="a signed set, by a passphrase"
	echo 'abacus abdomen ability ablaze able about' >"$tmp/passphrase"
	minisign -G -W -p "$tmp/publisher" -s "$tmp/secret" >/dev/null
	"$pack" -q --kdf low --passphrase-file "$tmp/passphrase" --sign "$tmp/secret" --size 2M \
		--volume-size 700K -o "$tmp/set" "$tmp/src/." || exit 1
	volumes=("$tmp"/set*)
	signed=("${with[@]:0:5}" -q --passphrase-file "$tmp/passphrase" --publisher "$tmp/publisher")
	for volume in "${volumes[@]:1}"; do signed+=(--volume "$volume"); done
	for kind in memory:60 map:2 thread:4 open:9 read:20; do
		every "$kind" mounted "${signed[@]}" -f "${volumes[0]}" "$mnt"
	done
else
	skip "a signed set" "needs minisign"
fi

# What ends a mount can fail, too: it says so where it is there still.
cat >"$tmp/end" <<'END'
#!/bin/bash
mount=$1 mnt=$2
shift 2
mounted() { grep -qF " $mnt fuse " /proc/self/mounts; }
"$mount" -q "$@" "$mnt" >/dev/null 2>&1 </dev/null || exit 98
LD_PRELOAD=$NTH_PRELOAD "$mount" -u "$mnt"
code=$?
[ $code -ne 0 ] || ! mounted || code=99
for ((i = 0; i < 200; i++)); do
	mounted || break
	"$mount" -q -u "$mnt" 2>/dev/null
	sleep 0.05
done
exit $code
END
chmod +x "$tmp/end"
ended() {
	said satchel-mount
	[[ $code =~ ^[01]$ ]] || echo "not code 0 or 1"
	! is_mounted || { echo "still mounted" && umount -l "$mnt"; }
}
name="an end"
for kind in open:1 stat:1 close:1; do
	every "$kind" ended "$tmp/end" "$mount" "$mnt" --key-file "$tmp/key" "$tmp/bundle"
done

# What the program printed is the beginning of what there is; all of it, if it says so.
ran() {
	sed -i '/^ERROR: ld.so: /d' "$tmp/stderr" # where the program is, the library is not
	said 'satchel-mount|cat' 126 # --run could not start it, as the mount had just ended
	[ "$code" -ne 0 ] || cmp "$tmp/src/film.mp4" "$tmp/stdout" 2>&1
	cmp "$tmp/stdout" <(head -c "$(stat -c %s "$tmp/stdout")" "$tmp/src/film.mp4") 2>&1
	[ "$code" -le 1 ] || [[ $code =~ ^(10|126)$ ]] || echo "not a code of the mount's or of cat's"
}

# What goes to a file the program is not let print: a pipe is the user's own.
cat >"$tmp/piped" <<'PIPED'
#!/bin/bash
set -o pipefail
LD_PRELOAD=$NTH_PRELOAD "$@" | cat
PIPED
chmod +x "$tmp/piped"
name="for a program"
if unshare -Urm true 2>/dev/null; then
	for kind in memory:60 thread:5 open:15 stat:20 read:20 write:10 make:2 wait:4 control:10; do
		every "$kind" ran "$tmp/piped" "$mount" -q --key-file "$tmp/key" "$tmp/bundle" --run cat film.mp4
	done
else
	skip "$name" "this system lets nobody make namespaces"
fi

for mode in -f '-f --cache' ''; do
	# shellcheck disable=SC2086
	with_nth short 1 '' "${with[@]}" $mode "$tmp/bundle" "$mnt"
	is "with calls that do half, ${mode:-in the background}: it ends well" "$code" 0
	is "some did" "$(head -c 1 "$tmp/seen")" y
	for file in film.mp4 numbers.txt; do
		ok "and all of $file is there" cmp "$tmp/src/$file" "$tmp/read/$file"
	done
	rm -rf "$tmp/read"
done
if unshare -Urm true 2>/dev/null; then
	with_nth short 1 '' "$tmp/piped" "$mount" -q --key-file "$tmp/key" "$tmp/bundle" --run cat film.mp4
	is "for a program: it ends well" "$code $(head -c 1 "$tmp/seen")" '0 y'
	ok "and all of it is there" cmp "$tmp/src/film.mp4" "$tmp/stdout"
fi

finish
