#!/bin/bash
# --run: the mount is there for one program; what that writes reaches no disk; it
# ends with the mount and the mount with it; no network, no session bus.
. tests/fuse/lib.sh

! has_thread_sanitizer || skip_all "a thread sanitizer has threads from the start"
unshare -Urm true 2>/dev/null || skip_all "this system lets nobody make namespaces"
bundle=$good/links.bundle
key=(-q --passphrase-file "$good/one.passphrase")
export HOME=$tmp/home XDG_RUNTIME_DIR=$tmp/runtime XDG_CONFIG_HOME=$tmp/config
mkdir -m 700 "$HOME" "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME"
echo before >"$HOME/file"

run() { # SHELL COMMANDS: run as the program
	"$mount" "${key[@]}" "$bundle" --run sh -c "$1" 2>"$tmp/stderr"
}

is "of whom nobody made a home" "$(HOME=/nonexistent/at/all run 'cat again | sha256sum' | cut -c1-16)" ae43baa933009901
is "the program stands in the mount" "$(run 'cat again | sha256sum' | cut -c1-16)" ae43baa933009901
run 'exit 7'
is "its exit code is ours" $? 7
run 'kill -9 $$'
is "a signal too" $? 137
is "what is not there" "$("$mount" "${key[@]}" "$bundle" --run /no/such/program 2>/dev/null; echo $?)" 127
is "arguments arrive as they are" "$("$mount" "${key[@]}" "$bundle" --run printf '%s|' 'a b' '' --run)" "a b||--run|"
is "DIRECTORY says where" "$("$mount" "${key[@]}" "$bundle" "$HOME/here" --run pwd)" "$HOME/here"
no "and nobody outside sees it" test -e "$HOME/here"
at_home() { # DIRECTORY COMMAND...: named from a home that is covered
	local command there=$PWD
	command=$(realpath "$mount")
	(cd "$HOME" && "$command" -q --passphrase-file "$there/$good/one.passphrase" "$there/$bundle" "$1" --run "${@:2}")
}
is "also where it is named from there" "$(at_home here pwd)" "$HOME/here"
is "and behind it is not what was at home" "$(at_home here ls ..)" here
for name in - /dev/stdin; do
	is "what gave the passphrase is not there to be read again, $name" \
		"$("$mount" -q --passphrase-file $name "$bundle" --run cat /proc/self/fd/0 <"$good/one.passphrase")" ''
done
# By way of what was opened outside nothing is written there, and nothing found.
in_session() { "$mount" "${key[@]}" "$bundle" --run "$@"; }
is "a pipe is" "$(in_session cat /proc/self/fd/0 < <(cat "$HOME/file"))" before
is "no file is" "$(in_session cat <"$HOME/file")" ''
in_session sh -c 'echo after >/proc/self/fd/0' <>"$HOME/file" 2>/dev/null
is "nor written to" "$(cat "$HOME/file")" before
is "nor a directory" "$(in_session sh -c 'ls /proc/self/fd/0/' <"$HOME" 2>/dev/null | grep file)" ''
is "nor a socket" "$(/usr/bin/python3 -c 'import socket, subprocess, sys
ours, theirs = socket.socketpair()
subprocess.run(sys.argv[1:], stdin=theirs)
theirs.close()
print(ours.recv(9).decode())' "$mount" "${key[@]}" "$bundle" --run sh -c 'echo out >&0' 2>/dev/null)" ''
"$mount" "${key[@]}" "$bundle" --run sleep 2 &
sleep 1
is "the mount is in no list outside" "$(grep -c /tmp/files /proc/self/mounts)" 0
wait
is "but in the program's" "$(run "grep -c '/tmp/files fuse ' /proc/self/mounts")" 1

export canary=canary-$$ # which nobody else has left there
run 'for d in "$HOME" /tmp /var/tmp "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME" /dev/shm; do
	[ ! -e "$d" ] || echo canary >"$d/$canary"; done'
is "what it writes is nowhere" "$(find "$tmp" {/tmp,/var/tmp,/dev/shm}/$canary -name $canary 2>/dev/null)" ''
is "where it can write is memory that is not swapped" \
	"$(run 'for d in "$HOME" /tmp /var/tmp; do stat -f -c %T "$d"; done' | sort -u)" ramfs
is "everything else is read-only" "$(run 'for d in / /etc /usr /var /opt; do touch $d/canary 2>/dev/null && echo $d; done')" ''
is "what was at home is not there" "$(run 'ls -A "$HOME"; echo done')" "done"
is "but is afterwards" "$(cat "$HOME/file")" before
is "no session bus" "$(run 'echo $DBUS_SESSION_BUS_ADDRESS')" disabled:
# Somebody outside listens wherever a bus, or a server, might be.
cat >"$tmp/listen.py" <<'EOF'
import socket, sys
ways = [(socket.AF_UNIX, sys.argv[1] + '/bus'), (socket.AF_UNIX, '\0' + sys.argv[2]),
        (socket.AF_INET, ('127.0.0.1', 0))]
listening = []
for family, address in ways:
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind(address)
    s.listen(9)
    listening.append(s)
print(listening[2].getsockname()[1], flush=True)
sys.stdin.read()
EOF
cat >"$tmp/connect.py" <<'EOF'
import socket, sys
for what, family, address in (('bus', socket.AF_UNIX, sys.argv[1] + '/bus'), ('abstract', socket.AF_UNIX, '\0' + sys.argv[2]),
                              ('loopback', socket.AF_INET, ('127.0.0.1', int(sys.argv[3])))):
    try:
        socket.socket(family, socket.SOCK_STREAM).connect(address)
        print(what, end=' ')
    except OSError:
        pass
EOF
coproc python3 "$tmp/listen.py" "$XDG_RUNTIME_DIR" "satchel-test-$$"
listener=$COPROC_PID # which the shell forgets when it has ended
read -r port <&"${COPROC[0]}"
listeners="$XDG_RUNTIME_DIR satchel-test-$$ $port"
# shellcheck disable=SC2086  # three words
is "control: who listens is reached from outside" "$(python3 "$tmp/connect.py" $listeners)" "bus abstract loopback "
is "none of them from inside" "$(run "exec python3 - $listeners" < <(cat "$tmp/connect.py"))" ''
like "(where connecting works)" "$(run "python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); s.listen(); socket.socket().connect(s.getsockname()); print(\"connected\")'")" connected
kill "$listener"
wait "$listener" 2>/dev/null
# What is typed on a terminal for the user, his shell would do when the session has ended: where
# the kernel lets anybody do so at all.
cat >"$tmp/in_terminal.py" <<'EOF'
import fcntl, os, pty, sys, termios
pid, fd = pty.fork()
if not pid:
    os.execvp(sys.argv[1], sys.argv[1:])
out = b''
try:
    while chunk := os.read(fd, 1000):
        out += chunk
except OSError:
    pass
os.waitpid(pid, 0)
print('typed' if b'TYPED' in out else 'refused' if b'refused' in out else out)
EOF
types='import fcntl, termios
try:
    fcntl.ioctl(0, termios.TIOCSTI, b"x")
    print("TYP" + "ED")
except OSError:
    print("refused")'
if [ "$(python3 "$tmp/in_terminal.py" python3 -c "$types")" = typed ]; then
	is "it types nothing on its terminal" \
		"$(python3 "$tmp/in_terminal.py" "$mount" "${key[@]}" "$bundle" --run python3 -c "$types")" refused
else
	skip "it types nothing on its terminal" "nobody may here"
fi
for place in /run/avahi-daemon /run/nscd; do
	if [ -d $place ]; then
		is "nobody there asks the network: $place" "$(run "ls -A $place")" ''
	elif mkdir $place 2>/dev/null; then
		touch $place/socket
		is "nobody there asks the network: $place" "$(run "ls -A $place")" ''
		rm -r $place
	fi
done
is "no network but this machine" "$(run 'ls /sys/class/net 2>/dev/null; cat /proc/net/dev' | grep -oE '[a-z0-9]+:' | sort -u | tr '\n' ' ')" "lo: "
is "no right to undo any of that" "$(run 'umount /tmp/files 2>/dev/null && echo undone; grep -c "^CapEff.*0000000000000000" /proc/self/status')" 1
if (ulimit -c unlimited) 2>/dev/null; then
	limit='grep "core file" /proc/self/limits'
	ulimit -c unlimited
	like "control: outside, a core file may be of any size" "$(sh -c "$limit")" ' unlimited +unlimited '
	# 1 and not 0: a program that collects them does not get one either.
	like "a viewer that crashes leaves none" "$(run "$limit")" ' 1 +1 '
	is "nor would there be anything in it" "$(run 'cat /proc/self/coredump_filter')" 00000000
else
	skip "a viewer that crashes leaves no core file" "nobody here could"
fi
is "processes are its own" "$(run 'echo $$')" 2
is "a program at home is found" "$(printf '#!/bin/sh\necho found\n' >"$HOME/viewer"; chmod +x "$HOME/viewer"; PATH=$HOME:$PATH "$mount" "${key[@]}" "$bundle" --run viewer)" found

# Standard output that is a socket leads to the journal, a file may be
# ~/.xsession-errors; a pipe is the user's own.
cat >"$tmp/journal.py" <<'EOF'
import socket, subprocess, sys
ours, theirs = socket.socketpair()
code = subprocess.call(sys.argv[1:], stdout=theirs, stderr=theirs)
theirs.close()
sys.exit(code or len(ours.recv(100)))
EOF
ok "what it prints reaches no journal" python3 "$tmp/journal.py" "$mount" "${key[@]}" "$bundle" --run \
	sh -c 'echo title; echo title >&2'
"$mount" "${key[@]}" "$bundle" --run sh -c \
	'echo title; echo title >&2; { echo title >&7; } 2>/dev/null' >>"$tmp/log" 2>>"$tmp/log" 7>>"$tmp/log"
is "nor a file" "$(cat "$tmp/log")" ''
is "but a pipe" "$(run 'echo title')" title
"$mount" "${key[@]}" "$bundle" --run /no/such/program 2>>"$tmp/log"
like "and what we have to say is in the log" "$(cat "$tmp/log")" 'No such file'
if [ -d /run/systemd ] || mkdir /run/systemd 2>/dev/null; then
	is "services that write are out of reach" "$(run 'ls -A /run/systemd')" ''
	rmdir /run/systemd 2>/dev/null
else
	skip "services that write are out of reach" "there is no /run/systemd"
fi

# It ends with the mount: nothing that it has started survives.
nap="sleep 4321.$$"
outlives() {
	"$mount" "${key[@]}" "$bundle" --run sh -c "setsid $nap & exec $nap" &
	pid=$!
	until pgrep -f "$nap" >/dev/null; do sleep 0.05; done
	"$@"
	gone
	sleep 0.1
	pgrep -f "$nap"
}
no "SIGTERM ends the program" outlives eval 'kill -TERM $pid'
is "exit code" "$code" 143
ok "within a second" within 1000
no "panic ends the program" outlives eval 'kill -USR1 $pid'
is "exit code" "$code" 138
no "the serving process killed, the program ends" outlives eval 'kill -KILL $(pgrep -P $pid)'
no "its supervisor killed, all end" outlives eval 'kill -KILL $pid; sleep 1'

# The program ends: what it has started in the background ends too.
run "setsid $nap & sleep 0.1"
no "the program's end is the end of what it started" pgrep -f "$nap"

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod -R a+rX "$tmp"
	# What lies in root's home is nobody else's to run.
	cp $good/one.passphrase "$bundle" "$mount" "$tmp"
	chmod 644 "$tmp"/one.passphrase "$tmp"/links.bundle
	chmod 755 "$tmp/${mount##*/}"
	unprivileged() {
		unshare -m sh -c 'mount --bind /dev/null "$(command -v fusermount3)"; exec "$@"' - \
			setpriv --reuid 61234 --regid 61234 --clear-groups env PATH=/usr/bin:/bin HOME=/ \
			"$tmp/${mount##*/}" -q --passphrase-file "$tmp/one.passphrase" "$tmp/links.bundle" --run "$@"
	}
	is "without root, without fusermount3" \
		"$(unprivileged sh -c 'id -u; command -v fusermount3 || echo none; ls | wc -l' 2>&1 | tr '\n' ' ')" \
		"61234 none 15 "
else
	skip "without root" "this is not root, and all of the above was"
fi
finish
