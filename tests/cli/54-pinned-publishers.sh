#!/bin/bash
# Whose bundles are taken: --publisher, what is pinned in a file, and neither; and
# not if they are too old.  satchel-read and satchel-mount judge alike, and before
# anything is shown.
. tests/cli/lib.sh

good=tests/data/good
right=(--passphrase-file "$good/one.passphrase")
signed=$good/signed.bundle unsigned=$good/parity-4.bundle
ours=$(sed -n 's/^publisher //p' $good/signed-publisher.keys)
theirs=$(sed -n 's/^publisher //p' $good/signed-other-publisher.keys)
pinned=$XDG_CONFIG_HOME/satchel/publishers
mkdir -p "${pinned%/*}" "$tmp/mnt"

# pins TEXT: what the file has.
pins() {
	printf '%b' "$1" >"$pinned"
}

# refuses CODE REGEX COMMAND...: one line, and nothing is shown.
refuses() {
	local code=$1 regex=$2
	shift 2
	exits "$code" "$@" && [ "$(wc -l <"$tmp/stderr")" -eq 1 ] && [ ! -s "$tmp/stdout" ] &&
		grep -E "$regex" "$tmp/stderr"
}

# both CODE REGEX BUNDLE [OPTION...]: the two programs say the same.
both() {
	local what="$1: $2" code=$1 regex=$2 bundle=$3
	shift 3
	ok "$what" refuses "$code" "^satchel-read: .*($regex)" "$read" ls "${right[@]}" "$@" "$bundle"
	ok "$what, mounted" refuses "$code" "^satchel-mount: .*($regex)" \
		"$mount" -v "${right[@]}" "$@" "$bundle" "$tmp/mnt"
	is "in the same words" "$(sed 's/^[^:]*: //; s/; see .*//' "$tmp/stderr")" \
		"$("$read" ls "${right[@]}" "$@" "$bundle" 2>&1 | sed 's/^[^:]*: //; s/; see .*//')"
}

# shows WHAT ARGUMENT...: it is shown, without a word.
shows() {
	local what=$1
	shift
	ok "$what" exits 0 "$read" ls "${right[@]}" "$@"
	is "and nothing is said" "$(cat "$tmp/stderr")" ''
}

# --- nothing is pinned -----------------------------------------------------------------

shows "nothing pinned" $signed
shows "nothing pinned, not signed" $unsigned
shows "a file that pins nothing" $unsigned
shown=$(/usr/bin/python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
	"$read" ls "${right[@]}" $signed)
like "whose it is, is said on a terminal" "$shown" 'signed by RW[A-Za-z0-9+/]{54}, which you have not pinned'
like "by the whole key" "$shown" "signed by ${ours%%+*}"
shown=$(/usr/bin/python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
	"$read" ls -q "${right[@]}" $signed)
no "but not with -q" grep -q 'signed by' <<<"$shown"
like "info says so" "$("$read" info "${right[@]}" $signed)" 'which you have not pinned'

# --- pinned ------------------------------------------------------------------------------

pins "# mine\n\nuntrusted comment: minisign public key 1234\n$theirs\r\n$ours \t Radio Erena \n"
shows "pinned" $signed
like "info has the name" "$("$read" info "${right[@]}" $signed)" 'pinned as Radio Erena'$'\n'
is "also in JSON" "$("$read" info --json "${right[@]}" $signed | jq -c '[.pinned, .name]')" \
	'[true,"Radio Erena"]'
both 1 'not signed, and you take signed bundles only .*publishers' $unsigned
shows "unless any will do" --any-publisher $unsigned
shows "or one is named" --publisher "$ours" $signed

pins "$theirs Somebody else"
both 1 'signed by a key that you have not pinned .*publishers' $signed
for verb in tree info verify 'cat @ a' extract; do
	read -r name path <<<"${verb/@/}"
	# shellcheck disable=SC2086  # no path is no argument
	ok "nor by $name" refuses 1 'not pinned' "$read" "$name" "${right[@]}" $signed $path
done
no "nothing is extracted" test -e a
shows "any will do" --any-publisher $signed
is "is not pinned in JSON" "$("$read" info --json --any-publisher "${right[@]}" $signed |
	jq -c '[.pinned, .name]')" '[false,null]'
shows "what is named counts" --publisher "$ours" $signed
both 1 'signed by another publisher' $signed --publisher "$theirs"
both 1 'not signed, and a publisher was required' $unsigned --publisher "$ours"
both 2 'not together' $signed --publisher "$ours" --any-publisher

# --- files that cannot be used --------------------------------------------------------------

long=$(printf 'x%.0s' {1..2000})
for line in "${ours:1}" "$ours$ours" "x$ours me" "${ours:0:40}" "$long" "$ours $long" "Ed me"; do
	pins "$ours me\n\n$line\n"
	both 1 'publishers: line 3: not a minisign public key' $signed
done
pins "$ours me\n\0\n"
both 1 'publishers: line 2: not a minisign' $signed
pins "$ours me\nbroken\n"
shows "not read if it does not count" --any-publisher $signed
rm "$pinned"
mkdir "$pinned"
both 1 'publishers: Is a directory' $signed
rmdir "$pinned"
ok "no key: said before the passphrase is asked for" refuses 1 'absent.pub: neither a minisign public key nor a file' \
	"$read" ls --publisher "$tmp/absent.pub" $signed

# --- where they are looked for ---------------------------------------------------------------

mkdir -p "$tmp/home/.config/satchel"
echo "$theirs" >"$tmp/home/.config/satchel/publishers"
ok "in ~/.config" refuses 1 '/home/.config/satchel/publishers' \
	env -u XDG_CONFIG_HOME HOME="$tmp/home" "$read" ls "${right[@]}" $signed
ok "also where XDG_CONFIG_HOME is relative" refuses 1 'you have not pinned' \
	env XDG_CONFIG_HOME=config HOME="$tmp/home" "$read" ls "${right[@]}" $signed

# in_etc TEXT COMMAND...: with that in /etc/satchel/publishers.
in_etc() {
	# shellcheck disable=SC2016  # it is the inner shell's to expand
	unshare -rm sh -c 'text=$1; shift; mount -t tmpfs none /etc && mkdir /etc/satchel &&
		echo "$text" >/etc/satchel/publishers && exec "$@"' - "$@"
}
if in_etc x true 2>/dev/null; then
	ok "for all users" refuses 1 '/etc/satchel/publishers' in_etc "$theirs" "$read" ls "${right[@]}" $signed
	pins "$ours me"
	ok "and one's own too" exits 0 in_etc "$theirs" "$read" ls "${right[@]}" $signed
	ok "a broken line there counts" refuses 1 '/etc/satchel/publishers: line 1' \
		in_etc broken "$read" ls "${right[@]}" $signed
	rm "$pinned"
	# nowhere PASSWD: without HOME, and with that in /etc/passwd.
	nowhere() {
		# shellcheck disable=SC2016
		exits "$1" unshare -rm sh -c 'text=$1; shift; mount -t tmpfs none /etc &&
			echo "$text" >/etc/passwd && unset HOME XDG_CONFIG_HOME && exec "$@"' - "$2" \
			"$read" ls "${right[@]}" "${@:3}" "$signed"
	}
	ok "without HOME, what is pinned in the home of /etc/passwd" nowhere 1 "root:x:0:0::$tmp/home:/bin/sh"
	like "counts" "$(cat "$tmp/stderr")" '/home/.config/satchel/publishers'
	ok "a home without pins" nowhere 0 "root:x:0:0::$tmp:/bin/sh"
	ok "without any home" nowhere 1 'daemon:x:1:1::/:/bin/sh'
	like "it is not taken for nobody's" "$(cat "$tmp/stderr")" 'HOME is not set: set it, or give --publisher'
	ok "unless one says so" nowhere 0 'daemon:x:1:1::/:/bin/sh' --any-publisher
	ok "or whom he wants" nowhere 0 'daemon:x:1:1::/:/bin/sh' --publisher "$ours"
else
	skip "for all users" "no mounts of one's own here"
fi

# --- editions ----------------------------------------------------------------------------------

"$pack" -q "${right[@]}" --series 'radio erena' --edition 7 -o "$tmp/week7" tests/cli/lib.sh
shows "recent enough" --min-edition 7 "$tmp/week7"
both 1 'edition 7 is older than the 8 required' "$tmp/week7" --min-edition 8
shows "one without a series" --min-edition 1 $signed
both 1 'edition 1 is older than the 2 required' $signed --min-edition 2
both 1 'has no edition, and 1 or later was required' $unsigned --min-edition 1
both 2 'not usable: --min-edition new' $signed --min-edition new
pins "$theirs"
both 1 'you have not pinned' $signed --min-edition 2
finish
