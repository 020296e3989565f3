#!/bin/bash
# Nothing read for so long: the mount ends.  Reading keeps it; files that are only
# open do not.
. tests/fuse/lib.sh

bundle=$good/links.bundle
key=(--passphrase-file "$good/one.passphrase")

mkdir "$tmp/mnt2"
up --idle 1
exec 9<"$mnt/again"
idle_pid=$pid idle_mnt=$mnt began=$(now)
mnt=$tmp/mnt2
up --idle 1
(while cat "$tmp/mnt2/again" >/dev/null 2>&1; do sleep 5; done) &

mnt=$idle_mnt pid=$idle_pid
while kill -0 "$pid" 2>/dev/null && [ $(($(now) - began)) -lt 90000 ]; do sleep 0.2; done
idle_took=$(($(now) - began))
gone
exec 9<&-
is "a minute without a read, one file open: exit code" "$code" 20
like "after a minute" "$idle_took" '^(59|6[0-3])...$'
mnt=$tmp/mnt2
ok "what is being read goes on" is_mounted
"$mount" -u "$mnt"
wait
finish
