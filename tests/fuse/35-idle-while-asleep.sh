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
BOOTTIME=7 MONOTONIC=1 # as linux/time.h numbers them

leaping() { # CLOCK [OPTION...]: up, for whom that clock leaps
	export LD_PRELOAD=$tmp/clock.so CLOCK_LEAPS=$1
	up "${@:2}"
	unset LD_PRELOAD CLOCK_LEAPS
}

leaping $BOOTTIME --idle 30
ok "it is there" test -e "$mnt/again"
gone
is "an hour asleep: exit code" "$code" 20
ok "as soon as it is awake" within 8000

leaping $BOOTTIME
sleep 7
ok "not without --idle" test -e "$mnt/again"
down

leaping $MONOTONIC --idle 30
sleep 7
ok "the other clock is not asked" test -e "$mnt/again"
down
is "exit code" "$code" 0
finish
