#!/bin/bash
# The machine about to sleep, the screen locked: the mount ends.
. tests/fuse/lib.sh

bundle=$good/links.bundle
key=(--passphrase-file "$good/one.passphrase")

if python3 -c 'import dbusmock' 2>/dev/null && command -v dbus-daemon >/dev/null; then
	cat >"$tmp/logind.py" <<'EOF'
"""logind.py COMMAND...: run COMMAND with a mock of logind; lines on standard
input: sleep, lock, lock-other."""
import os, subprocess, sys, dbus, dbusmock

dbusmock.DBusTestCase.start_system_bus()
bus = dbusmock.DBusTestCase.get_dbus(True)
mock, obj = dbusmock.DBusTestCase.spawn_server_template('logind', {}, stdout=subprocess.DEVNULL)
m = dbus.Interface(obj, dbusmock.MOCK_IFACE)
ours = m.AddSession('c1', 'seat0', dbus.UInt32(os.getuid()), 'me', True)
other = m.AddSession('c2', 'seat0', dbus.UInt32(os.getuid() + 7), 'other', False)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
for line in sys.stdin:
    word = line.strip()
    if word == 'sleep':
        obj.EmitSignal('org.freedesktop.login1.Manager', 'PrepareForSleep', 'b', [True], dbus_interface=dbusmock.MOCK_IFACE)
    elif word == 'wake':
        obj.EmitSignal('org.freedesktop.login1.Manager', 'PrepareForSleep', 'b', [False], dbus_interface=dbusmock.MOCK_IFACE)
    else:
        path = ours if word == 'lock' else other
        bus.get_object('org.freedesktop.login1', path).EmitSignal(
            'org.freedesktop.login1.Session', 'Lock', '', [], dbus_interface=dbusmock.MOCK_IFACE)
code = child.wait()
mock.terminate()
mock.wait()
dbusmock.DBusTestCase.tearDownClass()
sys.exit(code)
EOF
	mnt=$tmp/mnt3
	mkdir "$mnt"
	with_logind() { # NEWS...
		mkfifo "$tmp/news"
		python3 "$tmp/logind.py" "$mount" -f "${key[@]}" "$bundle" "$mnt" <"$tmp/news" 2>"$tmp/stderr" &
		pid=$!
		exec 8>"$tmp/news"
		until ls "$mnt" >/dev/null 2>&1 && is_mounted; do sleep 0.05; done
		local news
		for news in "$@"; do echo "$news" >&8; done
		exec 8>&-
		rm "$tmp/news"
	}
	if ldd "$mount" | grep -q libsystemd; then
		with_logind wake lock-other sleep
		gone
		is "before sleep: exit code" "$code" 21
		like "it says why" "$(cat "$tmp/stderr")" 'about to sleep'
		with_logind lock
		gone
		is "when the screen is locked: exit code" "$code" 22
		like "it says why" "$(cat "$tmp/stderr")" 'screen is locked'
	else
		skip "before sleep" "built without libsystemd"
	fi
else
	skip "before sleep, when the screen is locked" "python3-dbusmock or dbus-daemon is missing"
fi

finish
