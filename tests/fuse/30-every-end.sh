#!/bin/bash
# However a mount ends, it is gone within a second, and the exit code says why.
. tests/fuse/lib.sh

bundle=$good/links.bundle
key=(-q --passphrase-file "$good/one.passphrase")

ends() { # CODE WHAT
	gone
	ok "$2: the mount is gone" test $? -eq 0
	is "$2: exit code" "$code" "$1"
	ok "$2: within a second" within 1000
}

for mode in '' --cache; do
	for signal in TERM INT HUP QUIT USR1; do
		up $mode
		cat "$mnt/again" >/dev/null
		kill -$signal "$pid"
		ends $((128 + $(kill -l $signal))) "SIG$signal ${mode:-private}"
	done

	up $mode
	kill -TERM "$server"
	ends 143 "SIGTERM to the serving process ${mode:-private}"

	up $mode
	kill -KILL "$server"
	ends 137 "SIGKILL to the serving process ${mode:-private}"

	up $mode
	exec 9<"$mnt/again"
	kill -TERM "$pid"
	ends 143 "a busy mount ${mode:-private}"
	no "and who still has it open reads nothing ${mode:-private}" cat <&9
	exec 9<&-

	up $mode
	umount "$mnt" 2>/dev/null || fusermount3 -u "$mnt"
	ends 0 "umount from outside ${mode:-private}"

	# The kernel says nothing of these two to who serves.
	up $mode
	exec 9<"$mnt/again"
	umount -l "$mnt" 2>/dev/null || fusermount3 -u -z "$mnt"
	ends 0 "a lazy umount of a busy mount ${mode:-private}"
	no "and who has it open reads nothing then ${mode:-private}" cat <&9
	exec 9<&-

	if unshare -m true 2>/dev/null; then
		up $mode
		mkfifo "$tmp/copied"
		unshare -m --propagation private sh -c 'echo >"$1"; sleep 20' - "$tmp/copied" &
		copy=$!
		read -r _ <"$tmp/copied"
		umount "$mnt"
		ends 0 "umount where another namespace has a copy ${mode:-private}"
		kill "$copy"
		wait "$copy" 2>/dev/null
		rm "$tmp/copied"
	else
		skip "umount where another namespace has a copy" "not root"
	fi

	up $mode
	ok "-u ${mode:-private}" "$mount" -u "$mnt"
	no "is there no longer when it returns" is_mounted
	ends 0 "-u ${mode:-private}"
done

# The supervisor killed: nobody takes the mount away, but it says nothing more,
# and the next one clears it.
up
kill -KILL "$pid"
wait "$pid" 2>/dev/null
for _ in {1..50}; do
	state=$(ls "$mnt" 2>&1)
	[[ $state != *"not connected"* ]] || break
	sleep 0.02
done
like "without its supervisor it stops serving" "$state" 'not connected'
up
ok "and the next mount takes its place" test -e "$mnt/again"
down

# Started without standard input and output, it opens nothing in their place that it closes later.
"$mount" "${key[@]}" "$bundle" "$mnt" <&- >&- 2>"$tmp/stderr"
ok "without standard input: files can be read" cat "$mnt/again"
ok "and it ends" "$mount" -u "$mnt"

no "-u where nothing is mounted" "$mount" -u "$mnt"
like "says so" "$("$mount" -u "$mnt" 2>&1)" 'nothing is mounted there by satchel-mount'

# In the background it returns when the mount is ready, and -u ends it.
# What it was started from has nothing more to do with it.
cp "$bundle" "$tmp/own"
started=$(timeout 20 "$mount" "${key[@]}" "$tmp/own" "$mnt" 2>"$tmp/stderr"; echo $?)
is "in the background" "$started" 0
ok "it is ready at once" test -e "$mnt/again"
# (Only root is shown that.)
server=$(find /proc/[0-9]*/fd -lname "$tmp/own" 2>/dev/null | cut -d/ -f3)
[ "$(id -u)" -ne 0 ] || for of in "$server" "$(ps -o ppid= -p "$server" | xargs)"; do
	is "process $of leads nowhere" "$(readlink "/proc/$of/cwd" "/proc/$of/fd/"[012] | sort -u | xargs)" '/ /dev/null'
	no "and is of another session" test "$(ps -o sid= -p "$of")" -eq "$(ps -o sid= -p $$)"
done
ok "and ends" "$mount" -u "$mnt"
no "leaving nothing" is_mounted

# Whoever asked for it is killed before it is ready: then nobody knows of it.
mkfifo "$tmp/fifo"
exec 4<>"$tmp/fifo"
"$mount" -q --passphrase-fd 3 "$bundle" "$mnt" 3<"$tmp/fifo" 4>&- >/dev/null 2>&1 &
front=$!
pid=''
while [ -z "$pid" ] && kill -0 "$front"; do pid=$(pgrep -P "$front"); done
kill -KILL "$front"
wait "$front" 2>/dev/null
cat "$good/one.passphrase" >&4
exec 4>&-
lives() { [[ $(ps -o stat= -p "$pid") == [!Z]* ]]; } # whoever inherits it may never look
for _ in {1..500}; do lives || break; sleep 0.02; done
no "who asked for it is gone: it ends" lives
no "and nothing is mounted" is_mounted
pid=''

# Another program's mount is its own business, also where it does not answer.
mkdir "$tmp/others" "$tmp/theirs"
"$build/tests/bench/null_fuse" direct "$tmp/others" "$tmp/theirs" 2>/dev/null &
other=$!
for _ in {1..100}; do [ "$(stat -f -c %t "$tmp/theirs" 2>/dev/null)" = "$FUSE" ] && break; sleep 0.02; done
if kill -STOP "$other" 2>/dev/null && grep -q " $tmp/theirs fuse" /proc/self/mounts; then
	timeout 10 "$mount" -u "$tmp/theirs" 2>"$tmp/stderr"
	is "-u of another program's mount: exit code" $? 1
	like "it says why" "$(cat "$tmp/stderr")" 'nothing is mounted there by satchel-mount'
	ok "it is there" grep -q " $tmp/theirs fuse" /proc/self/mounts
	kill -CONT "$other"
	umount "$tmp/theirs"
else
	skip "-u of another program's mount" "there is none to be had"
fi
wait "$other"

# A passphrase is waited for: from somebody who writes none, or from nowhere.
exec 4<>"$tmp/fifo"
"$mount" -q -f --passphrase-fd 3 "$bundle" "$mnt" 3<"$tmp/fifo" 4>&- &
pid=$!
for _ in {1..500}; do [ -n "$(cat "/proc/$pid/task/$pid/children")" ] && break; sleep 0.02; done
kill -TERM "$pid"
gone
is "a signal does not wait for the passphrase: exit code" "$code" 143
ok "nor does the end" within 2000
exec 4>&-
is "of a descriptor that is not open" "$(timeout 20 "$mount" -q -f --passphrase-fd 3 "$bundle" "$mnt" 2>"$tmp/stderr" 3>&-; echo $?)" 2
like "which is said" "$(cat "$tmp/stderr")" 'not usable: --passphrase-fd 3'

is "of a wrong passphrase" "$(echo wrong >"$tmp/wrong"; "$mount" --passphrase-file "$tmp/wrong" "$bundle" "$mnt" 2>/dev/null; echo $?)" 12
is "of no such bundle" "$("$mount" "${key[@]}" "$tmp/none" "$mnt" 2>/dev/null; echo $?)" 10
is "of no such directory" "$("$mount" "${key[@]}" "$bundle" "$tmp/none" 2>/dev/null; echo $?)" 1
is "of usage" "$("$mount" "$bundle" 2>/dev/null; echo $?)" 2

# What is traced is not root, and fusermount3 not set-user-id.
if ! sanitized && [ "$(id -u)" -eq 0 ] && strace -o /dev/null true 2>/dev/null; then
	is "of a bundle that cannot be read" "$(strace -f -qq -o /dev/null -P "$bundle" -e inject=pread64:error=EIO \
		"$mount" "${key[@]}" "$bundle" "$mnt" 2>"$tmp/stderr"; echo $?)" 10
	like "which is said" "$(cat "$tmp/stderr")" 'Input/output error'
else
	skip "of a bundle that cannot be read" "there is no strace, or not for root"
fi

# Somebody comes while the passphrase is being typed.
cat >"$tmp/typing.py" <<'EOF'
import os, pty, signal, sys, termios

pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b''
while not shown.endswith(b'passphrase: '):
    shown += os.read(terminal, 100)
os.write(terminal, b'half of the')
os.kill(pid, signal.SIGUSR1)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(code, bool(termios.tcgetattr(terminal)[3] & termios.ECHO))
EOF
# Ctrl-Z, on a terminal: who has stopped ends for nobody.  $PID: the supervisor.
cat >"$tmp/stopping.py" <<'EOF'
import os, pty, subprocess, sys, time

directory, then, *command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv('/bin/bash', ['bash', '-c', 'set -m; "$@"; echo "ended $?"', '-', *command])
if 'satchel' in command[0]:
    while not os.path.ismount(directory):
        time.sleep(0.02)
child = ''
while not child:
    time.sleep(0.2)
    child = subprocess.run(['pgrep', '-P', str(pid)], stdout=subprocess.PIPE, text=True).stdout.strip()
os.write(terminal, b'\x1a')
time.sleep(0.3)
subprocess.run(then, shell=True, timeout=10, env=dict(os.environ, PID=child))
said = b''
while b'ended' not in said or not said.endswith(b'\n'):
    said += os.read(terminal, 1000)
print(said.decode().split()[-1])
EOF
stopped() { # THEN COMMAND...: the exit code that a shell sees
	timeout 20 python3 "$tmp/stopping.py" "$mnt" "$@"
}
is "control: Ctrl-Z stops others" "$(stopped true sleep 5)" 148
is "Ctrl-Z does not keep -u from a mount" "$(stopped "$mount -u $mnt" "$mount" -f "${key[@]}" "$bundle" "$mnt")" 0
is "nor signals" "$(stopped "kill -USR1 \$PID" "$mount" -f "${key[@]}" "$bundle" "$mnt")" 138
is "panic at the prompt, and the terminal is as it was" \
	"$(timeout 10 python3 "$tmp/typing.py" "$mount" -f "$bundle" "$mnt")" "138 True"

up --subdir under
is "--subdir shows one directory" "$(cd "$mnt" && echo *)" "deeper long several"
is "whose parent is itself" "$(stat -c %i "$mnt")" 1
down
is "of a --subdir that is not there" "$("$mount" "${key[@]}" --subdir none "$bundle" "$mnt" 2>/dev/null; echo $?)" 1
finish
