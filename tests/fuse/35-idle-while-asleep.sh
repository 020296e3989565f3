#!/bin/bash
# --idle counts the time that the machine sleeps, which one of its clocks does and the
# other does not.  (What a minute is, and who keeps a mount: tests/fuse/long/32-idle.sh.)
. tests/fuse/lib.sh

if sanitized || ! preload clock 2>/dev/null; then
	skip "--idle" "nothing can be put before the C library here"
	finish
fi
bundle=$good/links.bundle
key=(-q --passphrase-file "$good/one.passphrase")
leaping=$mount
printf '#!/bin/sh\nexec env LD_PRELOAD="%s" "%s" "$@"\n' "$tmp/clock.so" "$leaping" >"$tmp/mount"
chmod +x "$tmp/mount"
mount=$tmp/mount

export CLOCK_LEAPS=7 # CLOCK_BOOTTIME
up --idle 30
ok "it is there" test -e "$mnt/again"
gone
is "an hour asleep: exit code" "$code" 20
ok "as soon as it is awake" within 5000

up
sleep 4
ok "not without --idle" test -e "$mnt/again"
down

export CLOCK_LEAPS=1 # CLOCK_MONOTONIC
up --idle 30
sleep 4
ok "the other clock is not asked" test -e "$mnt/again"
down
is "exit code" "$code" 0
finish
