#!/bin/bash
# The Debian packages of what is committed, built twice: in directories of other names
# and lengths, in other years and from files of another day, in other languages and
# time zones, with other umasks, numbers of jobs and environments.  They are the same to
# the bit; a control, built from one changed byte, is not.
set -euo pipefail
cd "$(dirname "$0")/../.."

commit=$(git rev-parse HEAD) # somebody may go on meanwhile
tmp=$(mktemp -d /var/tmp/deb-twice.XXXXXX)
trap 'rm -rf "$tmp"' EXIT

# build DIRECTORY WORD...: the words go in front of the command.
build() {
	local where=$1
	shift
	mkdir -p "$where"
	git archive --prefix=satchel/ "$commit" | tar -xC "$where"
	[ -z "${day:-}" ] || find "$where/satchel" -exec touch -d "$day" {} +
	[ -z "${change:-}" ] || sed -i "$change" "$where/satchel/reader/main.c"
	(cd "$where/satchel" && "$@" dpkg-buildpackage -us -uc -b) >"$where/log" 2>&1 ||
		{ tail -n 30 "$where/log" && exit 1; }
}

# The sums of all packages in a directory; those of debug symbols too.
sums() {
	(cd "$1" && sha256sum -- *.deb)
}

(umask 022 && build "$tmp/one" env LC_ALL=C TZ=UTC DEB_BUILD_OPTIONS=parallel=1)
# Another year, and a language in which "I" is not the capital of "i"; are they to be had?
gcc -D_GNU_SOURCE -O1 -shared -fPIC -o "$tmp/later.so" tests/preload/later.c
mkdir "$tmp/locale" && localedef -i tr_TR -f UTF-8 "$tmp/locale/tr_TR.UTF-8"
other=(env LOCPATH="$tmp/locale" LC_ALL=tr_TR.UTF-8 LD_PRELOAD="$tmp/later.so")
[ "$("${other[@]}" date +%A-%Y)" = "$(LOCPATH=$tmp/locale LC_ALL=tr_TR.UTF-8 date -d '400 days' +%A-%Y)" ]
[ "$("${other[@]}" date +%B -d 2001-02-03)" = Şubat ]

(umask 077 && day=2001-02-03 build "$tmp/another-with-a-longer-name/below" "${other[@]}" \
	TZ=Pacific/Kiritimati DEB_BUILD_OPTIONS=parallel=2 HOME=/nonexistent USER=somebody)
change='s/which verb?/Which verb?/' build "$tmp/control" env DEB_BUILD_OPTIONS=parallel=2

sums "$tmp/one"
diff <(sums "$tmp/one") <(sums "$tmp/another-with-a-longer-name/below")
if diff -q <(sums "$tmp/one") <(sums "$tmp/control") >/dev/null; then
	echo "a change is not seen"
	exit 1
fi
echo "the same twice"
