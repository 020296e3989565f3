#!/bin/bash
# satchel-read at a terminal: the passphrase is asked for once, without an echo;
# names cannot drive the terminal; a tree is drawn as the locale allows.
. tests/cli/lib.sh

good=tests/data/good

# person.py WORDS COMMAND...: run it on a terminal of its own, answer WORDS where
# it asks for a passphrase; what the terminal showed is printed.
cat >"$tmp/person.py" <<'PYTHON'
import os, pty, sys, termios, time

answer, command = sys.argv[1].encode(), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
shown, asked = b'', 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if shown.endswith(b'passphrase: '):
        asked += 1
        time.sleep(0.1)     # until it reads
        echo = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
        print('asked', asked, 'echo', echo, file=sys.stderr)
        os.write(terminal, answer + b'\n')
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(shown)
sys.exit(code if code >= 0 else 128 - code)
PYTHON

at_terminal() { # CODE WORDS COMMAND...
	local code=$1
	shift
	exits "$code" timeout 60 python3 "$tmp/person.py" "$@"
}

words=$(cat $good/one.passphrase)
ok "who types the passphrase" at_terminal 0 "$words" "$read" ls $good/parity-4.bundle
is "is asked once, without an echo" "$(cat "$tmp/stderr")" 'asked 1 echo False'
no "the terminal does not show it" grep -q "$words" "$tmp/stdout"
is "but what is in it" "$(tail -n 3 "$tmp/stdout" | tr -d '\r' | tr '\n' ' ')" 'a b c '
ok "who types another" at_terminal 12 "other words" "$read" ls $good/parity-4.bundle
is "is asked once, too" "$(cat "$tmp/stderr")" 'asked 1 echo False'
like "and told" "$(cat "$tmp/stdout")" 'no key fits'
ok "a bundle that is not there" at_terminal 10 "$words" "$read" ls "$tmp/nowhere"
is "is no reason to ask" "$(cat "$tmp/stderr")" ''
ok "nor for who gives a key file" at_terminal 12 "$words" "$read" ls --key-file $good/a.keyfile $good/parity-4.bundle
is "to ask, too" "$(cat "$tmp/stderr")" ''

head -c 64 /dev/urandom >"$tmp/second"
echo "$words" | "$pack" -q --kdf low --passphrase-file - --second-factor "$tmp/second" -o "$tmp/both" tests/cli/lib.sh
ok "with a second factor: who asks to be asked" at_terminal 0 "$words" "$read" ls --ask-passphrase --key-file "$tmp/second" "$tmp/both"
is "is asked" "$(cat "$tmp/stderr")" 'asked 1 echo False'
ok "and needs both" at_terminal 12 "$words" "$read" ls "$tmp/both"

# Names: everything that is no plain text.
key=(--passphrase-file "$good/one.passphrase")
for verb in ls 'ls -lR' 'ls -R --json' 'ls --checksum' tree; do
	# shellcheck disable=SC2086
	ok "$verb" at_terminal 0 '' "$read" $verb "${key[@]}" $good/names.bundle
	is "$verb: no control characters" "$(tr -d '\r\n' <"$tmp/stdout" | LC_ALL=C grep -c '[[:cntrl:]]')" 0
	ok "$verb: UTF-8" iconv -f utf-8 -t utf-8 "$tmp/stdout"
	no "$verb: nothing that turns the direction around" grep -q $'\u202e' "$tmp/stdout"
done
ok "control: in a pipe names are as they are" bash -c '"$@" | LC_ALL=C grep -q "$(printf "\001")"' - \
	"$read" ls "${key[@]}" $good/names.bundle
ok "a message" at_terminal 1 '' "$read" cat "${key[@]}" $good/names.bundle $'no\e[31mred'
is "has none either" "$(tr -d '\r\n' <"$tmp/stdout" | LC_ALL=C grep -c '[[:cntrl:]]')" 0

for locale in C.UTF-8 de_DE.utf8 C POSIX en_US.ISO-8859-1; do
	case $locale in *[Uu][Tt][Ff]*) wanted='├── ' ;; *) wanted='|-- ' ;; esac
	is "a tree in $locale" "$(LC_ALL=$locale "$read" tree "${key[@]}" $good/parity-4.bundle | sed -n '2s/a$//p')" "$wanted"
done
is "all of it" "$(LC_ALL=C "$read" tree "${key[@]}" $good/links.bundle under | tail -n 9)" 'under
|-- deeper
|   |-- several
|   `-- two -> several
|-- long -> '"$(printf 'l%.0s' {1..4095})"'
`-- several

1 directory, 2 files, 2 links'
finish
