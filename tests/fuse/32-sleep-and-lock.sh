#!/bin/bash
# The machine about to sleep, the screen locked: the mount ends.
. tests/fuse/lib.sh

bundle=$good/links.bundle
key=(--passphrase-file "$good/one.passphrase")

lacking() { # WHAT: this build or machine.  CI tests everything.
	[ -z "${CI-}" ] || no "there is no $1" true
	skip "before sleep, when the screen is locked" "there is no $1"
	finish
}
ldd "$mount" | grep libsystemd >/dev/null || lacking "libsystemd in this build"
/usr/bin/python3 -c 'import dbusmock' 2>/dev/null || lacking "python3-dbusmock"
command -v dbus-daemon >/dev/null || lacking "dbus-daemon"

cat >"$tmp/logind.py" <<'EOF'
"""logind.py COMMAND...: run COMMAND with a mock of logind; lines on standard input:
sleep, wake, lock, lock-other; locked, unlocked, locked-other: the desktop tells, which has
done it itself; delays: who delays sleep is printed; stuck: another's
screen is locked, and logind says nothing more; panic."""
import os, signal, subprocess, sys, time, dbus, dbusmock

dbusmock.DBusTestCase.start_system_bus()
bus = dbusmock.DBusTestCase.get_dbus(True)
mock, obj = dbusmock.DBusTestCase.spawn_server_template('logind', {}, stdout=subprocess.DEVNULL)
m = dbus.Interface(obj, dbusmock.MOCK_IFACE)
ours = m.AddSession('c1', 'seat0', dbus.UInt32(os.getuid()), 'me', True)
other = m.AddSession('c2', 'seat0', dbus.UInt32(os.getuid() + 7), 'other', False)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)


def server():
    with open(f'/proc/{child.pid}/task/{child.pid}/children') as children:
        return int(children.read().split()[0])


def announce(begins):
    obj.EmitSignal('org.freedesktop.login1.Manager', 'PrepareForSleep', 'b', [begins],
                   dbus_interface=dbusmock.MOCK_IFACE)


def lock(path):
    bus.get_object('org.freedesktop.login1', path).EmitSignal(
        'org.freedesktop.login1.Session', 'Lock', '', [], dbus_interface=dbusmock.MOCK_IFACE)


def hint(path, locked):
    # What else changes with it comes with it.
    bus.get_object('org.freedesktop.login1', path).EmitSignal(
        'org.freedesktop.DBus.Properties', 'PropertiesChanged', 'sa{sv}as',
        ['org.freedesktop.login1.Session',
         dbus.Dictionary({'IdleHint': dbus.Boolean(True), 'IdleSinceHint': dbus.UInt64(7),
                          'LockedHint': dbus.Boolean(locked)}, signature='sv'),
         dbus.Array([], signature='s')], dbus_interface=dbusmock.MOCK_IFACE)


def get_stuck():
    os.kill(child.pid, signal.SIGSTOP)  # who hears logind is not who serves
    lock(other)
    os.kill(mock.pid, signal.SIGSTOP)
    os.kill(child.pid, signal.SIGCONT)
    time.sleep(0.1)


def delays():
    time.sleep(0.5)  # for what was told before to be heard
    return [f'{x[0]} {x[1]} {x[3]}'
            for x in dbus.Interface(obj, 'org.freedesktop.login1.Manager').ListInhibitors()]


news = {
    'sleep': lambda: announce(True),
    'wake': lambda: announce(False),
    'lock': lambda: lock(ours),
    'lock-other': lambda: lock(other),
    'locked': lambda: hint(ours, True),
    'unlocked': lambda: hint(ours, False),
    'locked-other': lambda: hint(other, True),
    'delays': lambda: print(*delays()),
    'stuck': get_stuck,
    'panic': lambda: os.kill(server(), signal.SIGUSR1),
}
for line in sys.stdin:
    news[line.strip()]()
code = child.wait()
os.kill(mock.pid, signal.SIGCONT)
for _ in range(100):
    if not delays():
        break
    time.sleep(0.02)
print(*delays())
mock.terminate()
mock.wait()
dbusmock.DBusTestCase.tearDownClass()
sys.exit(code)
EOF
mnt=$tmp/mnt3
mkdir "$mnt"
with_logind() { # NEWS...
	mkfifo "$tmp/news"
	/usr/bin/python3 "$tmp/logind.py" "$mount" -f "${key[@]}" "$bundle" "$mnt" \
		<"$tmp/news" >"$tmp/stdout" 2>"$tmp/stderr" &
	pid=$!
	exec 8>"$tmp/news"
	until ls "$mnt" >/dev/null 2>&1 && is_mounted; do sleep 0.05; done
	local news
	for news in "$@"; do echo "$news" >&8; done
	exec 8>&-
	rm "$tmp/news"
}
with_logind wake lock-other delays sleep
gone
is "before sleep: exit code" "$code" 21
like "it says why" "$(cat "$tmp/stderr")" 'about to sleep'
is "sleep waited for it, and waits no longer" "$(cat "$tmp/stdout")" 'sleep satchel-mount delay'
with_logind lock
gone
is "when the screen is locked: exit code" "$code" 22
like "it says why" "$(cat "$tmp/stderr")" 'screen is locked'

with_logind unlocked locked-other delays locked
gone
is "when a desktop has locked it by itself: exit code" "$code" 22
is "and not before" "$(cat "$tmp/stdout")" 'sleep satchel-mount delay'

# logind is asked whose screen that is: nothing else waits for its answer.
with_logind stuck panic
gone
is "panic, while logind says nothing: exit code" "$code" 138
with_logind stuck
gone
is "a screen of nobody can tell whom counts as ours" "$code" 22

# A bus where nobody answers at all.
python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
time.sleep(60)' "$tmp/silent" &
silent=$!
until [ -S "$tmp/silent" ]; do sleep 0.02; done
export DBUS_SYSTEM_BUS_ADDRESS=unix:path=$tmp/silent
mnt=$tmp/mnt
up -q
ok "where nobody answers it mounts all the same" ls "$mnt"
kill -USR1 "$pid"
gone
is "and ends: exit code" "$code" 138
ok "within a second" within 1000
kill "$silent"
unset DBUS_SYSTEM_BUS_ADDRESS
finish
