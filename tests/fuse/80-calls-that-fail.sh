#!/bin/bash
# Every allocation, read, thread... of the mount fails once: there is no mount, or it
# serves what is right and says EIO else; no crash, a documented exit code, and nothing
# is left at the directory.  Then calls that do half of what they are asked for.
few=6
. tests/fuse/lib.sh
. tests/cli/nth.sh
preload=NTH_PRELOAD
nth_build || skip_all "needs a compiler"

mkdir "$tmp/src"
seq 1 90000 >"$tmp/src/numbers.txt"
head -c 300000 /dev/urandom >"$tmp/src/film.mp4"
head -c 32 /dev/urandom >"$tmp/key"
"$pack" -q --key-file "$tmp/key" -o "$tmp/bundle" "$tmp/src/." || exit 1

# Mount, read what is there, and end; what was read is $tmp/read.
cat >"$tmp/look" <<'LOOK'
#!/bin/bash
mount=$1 key=$2 bundle=$3 mnt=$4 out=$5
LD_PRELOAD=$NTH_PRELOAD "$mount" -q -f --key-file "$key" "$bundle" "$mnt" &
pid=$!
mounted() { grep -qF " $mnt fuse " /proc/self/mounts; }
while ! mounted && kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
rm -rf "$out"
mkdir "$out"
for file in film.mp4 numbers.txt; do timeout 10 cat "$mnt/$file" >"$out/$file" 2>/dev/null || echo "$file" >>"$out/failed"; done
for ((i = 0; i < 1000; i++)); do
	kill -0 "$pid" 2>/dev/null || break
	"$mount" -q -u "$mnt" 2>/dev/null
	sleep 0.005
done
wait "$pid"
LOOK
chmod +x "$tmp/look"

mounted() {
	local file
	said satchel-mount
	case $code in
	0 | 1 | 4 | 5 | 10) ;;
	*) echo "not a code of the mount's" ;;
	esac
	for file in film.mp4 numbers.txt; do
		cmp "$tmp/read/$file" <(head -c "$(stat -c %s "$tmp/read/$file")" "$tmp/src/$file") 2>&1
	done
	! is_mounted || echo "still mounted"
	while is_mounted; do umount -l "$mnt"; done
	rm -rf "$tmp/read"
}

name=mount
for kind in memory map thread open stat read write; do
	every "$kind" mounted "$tmp/look" "$mount" "$tmp/key" "$tmp/bundle" "$mnt" "$tmp/read"
done

with_nth short 1 '' "$tmp/look" "$mount" "$tmp/key" "$tmp/bundle" "$mnt" "$tmp/read"
is "with calls that do half: it ends well" "$code" 0
is "some did" "$(head -c 1 "$tmp/seen")" y
ok "and all is there" diff -r "$tmp/src" "$tmp/read"

finish
