#!/bin/bash
# Every end is the same for an ordinary user, through fusermount3, and in namespaces
# that he makes himself, without it: tests/fuse/30-every-end.sh once more, as him.
. tests/fuse/lib.sh

[ "$(id -u)" -eq 0 ] || skip_all "this is not root, who could become somebody"
{ command -v setpriv && command -v fusermount3; } >/dev/null || skip_all "there is no setpriv, or no fusermount3"

# Where this lies he may not be able to look.
there=$tmp/there
mkdir -p "$there"/{build,tmp} "$there"/tests/{cli,fuse,data/good}
cp "$mount" "$there/build"
cp tests/cli/lib.sh "$there/tests/cli"
cp tests/fuse/lib.sh "$there/tests/fuse"
# One mode each is enough.
sed "s/^for mode in .*/for mode in ''; do/" tests/fuse/30-every-end.sh >"$there/tests/private.sh"
sed "s/^for mode in .*/for mode in --cache; do/" tests/fuse/30-every-end.sh >"$there/tests/cached.sh"
cp $good/links.bundle $good/one.passphrase "$there/$good"
chmod -R a+rX "$tmp"
chown 65534:65534 "$there/tmp"

as_nobody() {
	(cd "$there" && setpriv --reuid 65534 --regid 65534 --clear-groups \
		env BUILD="$there/build" TMPDIR="$there/tmp" HOME=/ CI="${CI-}" "$@")
}
without_fusermount3() { # UNSHARE'S OPTIONS COMMAND...
	unshare "$1" sh -c 'mount --bind /bin/false "$(command -v fusermount3)" && exec "$@"' sh "${@:2}"
}

counts() { # COMMAND...: a script that was not skipped, and has no failure
	local said
	said=$("$@" 2>&1)
	grep -A 3 '^not ok' <<<"$said"
	[[ $'\n'$said =~ $'\n1..'[1-9] && ! $'\n'$said =~ $'\nnot ok' ]]
}

ok "control: fusermount3 can be kept away" test "$(without_fusermount3 -m fusermount3 -V >/dev/null 2>&1; echo $?)" -eq 1
ok "every end, through fusermount3" counts as_nobody bash tests/private.sh
ok "control: without it an ordinary mount is not to be had" exits 1 without_fusermount3 -m \
	setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$there/build/satchel-mount" -q --passphrase-file "$there/$good/one.passphrase" "$there/$good/links.bundle" "$there/tmp"
is "and nothing is mounted" "$(grep -F "$there/tmp" /proc/self/mounts)" ''

if as_nobody unshare -Urm true 2>/dev/null; then
	export -f without_fusermount3
	ok "every end, in a user's own namespace and without it" counts as_nobody \
		bash -c 'without_fusermount3 -Urm bash tests/cached.sh'
	if has_thread_sanitizer; then
		skip "a private session without it" "a thread sanitizer has threads from the start"
	else
		is "a private session without it" "$(cd "$there" && without_fusermount3 -m setpriv --reuid 65534 --regid 65534 \
			--clear-groups build/satchel-mount -q --passphrase-file $good/one.passphrase $good/links.bundle --run ls | wc -l)" 15
	fi
else
	skip "in a user's own namespace" "this system lets nobody make namespaces"
fi
is "nothing is left behind" "$(ls -A "$there/tmp")$(grep -F "$tmp" /proc/self/mounts)" ''
finish
