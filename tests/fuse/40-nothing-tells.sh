#!/bin/bash
# What others on the machine can see of a mount, and what it touches: no name of
# the bundle or in it; the bundle opened for reading only, nothing for writing.
. tests/fuse/lib.sh

bundle=$tmp/telltale.bundle
cp $good/links.bundle "$bundle"
key=(-q --passphrase-file "$good/one.passphrase")
is_root=$([ "$(id -u)" -eq 0 ] && echo yes)

limit() { # FIELD: its value in kB or as it is
	sed -n "s/^$1:[ \t]*\([0-9]*\).*/\1/p" "/proc/$server/status"
}

at_most() {
	echo "$1, at most $2"
	[ "$1" -le "$2" ]
}

# What is looked for in command lines, where nobody hides it.
tail -f /dev/null "$bundle" >/dev/null &
until [ "$(cat "/proc/$!/comm")" = tail ]; do sleep 0.01; done
ok "control: a command line tells" grep -aq telltale "/proc/$!/cmdline"
kill $!
wait $! 2>/dev/null

for mode in '' --cache; do
	before=$(stat -c '%x %y %z' "$bundle")
	up $mode
	ls -lR "$mnt" >/dev/null
	cat "$mnt"/again "$mnt"/several >/dev/null
	for process in "$pid" "$server"; do
		no "the command line tells nothing ${mode:-private}" grep -aq 'telltale\|passphrase\|/' \
			<(tail -c +2 "/proc/$process/cmdline" | tr -d '\0' | sed "s|^${mount:1}||")
	done
	is "the list of mounts names neither bundle nor program ${mode:-private}" \
		"$(sed -n "s| $mnt | |p" /proc/self/mounts | cut -d' ' -f1,2)" "none fuse"
	if sanitized; then
		skip "memory in use, and locked" "a sanitizer has ways of its own"
	else
		ok "memory in use" at_most "$(limit VmRSS)" 24576
		is "memory locked: the arena" "$(limit VmLck)" 7680
	fi
	is "no new privileges, and system calls are filtered, in every thread" \
		"$(grep -hE '^(NoNewPrivs|Seccomp):' "/proc/$server"/task/*/status | sort -u | tr -s '\t\n' ' ')" \
		"NoNewPrivs: 1 Seccomp: $(sanitized && ! has_thread_sanitizer && echo 0 || echo 2) "
	like "no core files" "$(grep 'core file' "/proc/$server/limits")" ' 0 +0 '
	down
	is "the bundle is what it was ${mode:-private}" "$(stat -c '%x %y %z' "$bundle")" "$before"
done

# What goes wrong at the start is not told by name, where a log may keep it.
refused() { # CODE: the last arguments, refused with it; what is said, in $said
	local code=0
	"$mount" "${@:2}" 2>"$tmp/said" || code=$?
	cat "$tmp/said"
	[ "$code" -eq "$1" ] && [ -s "$tmp/said" ]
}
tells() { grep -q 'telltale\|hiddentitle' "$tmp/said"; }
head -c 64 /dev/urandom >"$tmp/other.key"
ok "-v, the control" refused 12 -v --key-file "$tmp/other.key" "$bundle" "$mnt"
ok "says which bundle" tells
ok "no key fits" refused 12 --key-file "$tmp/other.key" "$bundle" "$mnt"
no "names nothing" tells
like "but how to get the name" "$(cat "$tmp/said")" '-v names it'
ok "no such bundle" refused 10 "${key[@]}" "$tmp/telltale.none" "$mnt"
no "names nothing either" tells
ok "no such directory in it" refused 1 "${key[@]}" --subdir hiddentitle "$bundle" "$mnt"
no "nor does that" tells

# Another user, even root, is refused; so is a debugger of the same user.
if [ "$is_root" ] && command -v setpriv >/dev/null && command -v fusermount3 >/dev/null; then
	as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
	chmod 755 "$tmp"
	chmod 644 "$bundle"
	cp $good/one.passphrase "$tmp/readable"
	chmod 644 "$tmp/readable"
	chown 65534 "$mnt"
	# Where the program lies he may not be able to look.
	cp "$mount" "$tmp"
	theirs=$tmp/${mount##*/}
	as 65534 "$theirs" -q --passphrase-file "$tmp/readable" "$bundle" "$mnt"
	ok "an ordinary user mounts through fusermount3" as 65534 test -e "$mnt/again"
	no "another one sees nothing" as 1 test -e "$mnt/again"
	no "nor can he end it" as 1 "$theirs" -u "$mnt"
	no "nor does root" test -e "$mnt/again"
	# The last one: the supervisor came before.
	server=$(pgrep -u 65534 -n -f "$theirs")
	no "its memory is not open to the user himself" as 65534 head -c 1 "/proc/$server/mem"
	like "because it may not be dumped" "$(stat -c %u "/proc/$server/mem")" '^0$'
	ok "he ends it" as 65534 "$theirs" -u "$mnt"
	no "and it is gone" is_mounted
else
	skip "another user sees nothing" "not root, or no fusermount3"
fi

only_reads() { # MODE: what $tmp/trace says of the bundle
	opened=$(grep -F "$bundle" "$tmp/trace" | grep open)
	like "the bundle is opened for reading, and its times are left alone $1" "$opened" 'O_RDONLY.*O_NOATIME'
	no "never otherwise $1" grep -q 'O_RDWR\|O_WRONLY' <<<"$opened"
}
written() { # REGEX: opened for writing but for what matches
	grep -E 'O_RDWR|O_WRONLY|O_CREAT' "$tmp/trace" | grep -vE "\"($1)\""
}
calls=%file,socket,connect
if ! sanitized && strace -o "$tmp/trace" true 2>/dev/null; then
	for mode in '' --cache; do
		strace -f -qq -o "$tmp/trace" -e trace=$calls "$mount" -f $mode "${key[@]}" "$bundle" "$mnt" &
		pid=$!
		until ls "$mnt" >/dev/null 2>&1 && is_mounted; do sleep 0.05; done
		cat "$mnt/again" >/dev/null
		"$mount" -u "$mnt"
		wait "$pid"
		pid=''
		only_reads "${mode:-private}"
		is "nothing else is opened for writing ${mode:-private}" "$(written '/dev/(fuse|null)')" ''
		is "nothing is made, moved or removed ${mode:-private}" \
			"$(grep -E ' (creat|mkdir|mknod|rename|unlink|link|symlink)' "$tmp/trace")" ''
		is "no network ${mode:-private}" "$(grep -E 'AF_INET' "$tmp/trace")" ''
	done
	if unshare -Urm true 2>/dev/null; then
		mkdir "$tmp/home"
		HOME=$tmp/home strace -f -qq -o "$tmp/trace" -e trace=$calls "$mount" "${key[@]}" "$bundle" \
			--run sh -c 'cat again; echo canary >/tmp/canary' >/dev/null
		only_reads --run
		like "control: what the program opens for writing is seen" "$(written /dev/null)" '"/tmp/canary"'
		is "nothing else is but what makes the session --run" \
			"$(written '/dev/(fuse|null)|/proc/self/(uid_map|gid_map|setgroups|coredump_filter)|/tmp/canary')" ''
		is "no connection --run" "$(grep -E 'connect\(.*AF_INET' "$tmp/trace")" ''
	else
		skip "what --run opens" "this system lets nobody make namespaces"
	fi
else
	skip "what it opens" "there is no strace, or a sanitizer opens more"
fi
finish
