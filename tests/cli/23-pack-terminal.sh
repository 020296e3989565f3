#!/bin/bash
# At a terminal: asked twice without an echo; a generated passphrase is shown
# there, once, and nowhere else.
. tests/cli/lib.sh

src=$tmp/src
mkdir "$src"
echo content >"$src/file"
head -c 64 /dev/urandom >"$tmp/key"
strong='abacus abdomen ability ablaze able about'

# person.py PROMPT ANSWER PROMPT ANSWER ... -- COMMAND...: run it on a terminal of
# its own and answer; what the terminal showed is printed.  A PROMPT is the end
# of what was shown.  Standard output and error are files.
cat >"$tmp/person.py" <<'PYTHON'
import os, pty, select, sys, termios, time

tmp, args = sys.argv[1], sys.argv[2:]
steps, command = args[:args.index('--')], args[args.index('--') + 1:]
pid, terminal = pty.fork()
if pid == 0:
    for fd, name in ((1, 'stdout'), (2, 'stderr')):
        os.dup2(os.open(f'{tmp}/{name}', os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
    os.execvp(command[0], command)
shown, since, deadline = b'', 0, time.time() + 60
while time.time() < deadline:
    if steps and shown[since:].endswith(steps[0].encode()):
        time.sleep(0.1)     # until it reads
        if steps[1] == 'CHECK-ECHO':
            print('echo', bool(termios.tcgetattr(terminal)[3] & termios.ECHO), file=sys.stderr)
            steps[1] = steps.pop(2)
        since = len(shown)
        os.write(terminal, steps[1].encode())
        steps = steps[2:]
    if not select.select([terminal], [], [], 0.05)[0]:
        continue
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    shown += piece
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(shown)
sys.exit(code if code >= 0 else 128 - code)
PYTHON

# What is shown goes to $tmp/shown.
at_terminal() {
	local code=$1 got=0
	shift
	rm -f "$tmp/b"
	/usr/bin/python3 "$tmp/person.py" "$tmp" "$@" >"$tmp/shown" || got=$?
	echo "exit code $got, expected $code; shown, said:"
	cat "$tmp/shown" "$tmp/stderr"
	[ "$got" -eq "$code" ]
}

opens() { # PASSPHRASE [ARGUMENT...]
	local bundle=$tmp/b
	printf %s "$1" >"$tmp/pw"
	shift
	[ "$(tests/decode.py --passphrase-file "$tmp/pw" "$@" cat "$bundle" -- src/file)" == content ]
}

command=("$pack" --kdf low -o "$tmp/b" "$src")
first='passphrase: ' second='once more: '

ok "it asks, without an echo" at_terminal 0 "$first" CHECK-ECHO "$strong"$'\n' "$second" "$strong"$'\n' \
	-- "${command[@]}"
is "twice" "$(tr -d '\r' <"$tmp/shown")" "$first"$'\n'"$second"
ok "and that opens the bundle" opens "$strong"
is "nothing of it is elsewhere" "$(grep -l abdomen "$tmp/stdout" "$tmp/stderr" "$tmp/shown")" ''

ok "a slip" at_terminal 0 "$first" "one of them"$'\n' "$second" "the other"$'\n' \
	"$first" "$strong"$'\n' "$second" "$strong"$'\n' -- "${command[@]}"
like "is said" "$(cat "$tmp/shown")" 'they differ'
ok "and forgiven" opens "$strong"
ok "three are not" at_terminal 1 "$first" $'a\n' "$second" $'b\n' "$first" $'c\n' "$second" $'d\n' \
	"$first" $'e\n' "$second" $'f\n' -- "${command[@]}"
is "one line says so" "$(grep -c '^satchel-pack: ' "$tmp/stderr")" 1
no "and there is no bundle" test -e "$tmp/b"
ok "an empty one is refused" at_terminal 1 "$first" $'\n' -- "${command[@]}"
no "without a bundle" test -e "$tmp/b"

ok "a weak one" at_terminal 0 "$first" $'xkqjzpwm\n' "$second" $'xkqjzpwm\n' -- "${command[@]}"
like "is warned of" "$(cat "$tmp/stderr")" 'can be guessed: 8 lower-case letters'
ok "and taken" opens xkqjzpwm

ok "Ctrl-C at the prompt" at_terminal 130 "$first" $'\003' -- "${command[@]}"
no "leaves no bundle" test -e "$tmp/b"
ok "nor at the second" at_terminal 130 "$first" $'half\n' "$second" $'\003' -- "${command[@]}"
no "of them" test -e "$tmp/b"

ok "with a second factor" at_terminal 0 "$first" "$strong"$'\n' "$second" "$strong"$'\n' \
	-- "${command[@]}" --second-factor "$tmp/key"
no "the passphrase alone does not open it" opens "$strong"
ok "both together do" opens "$strong" --key-file "$tmp/key"

ok "with a key file nobody is asked" at_terminal 0 -- "${command[@]}" --key-file "$tmp/key"
no "at the terminal" grep -q passphrase "$tmp/shown"

ok "a passphrase is generated" at_terminal 0 -- "${command[@]}" --generate-passphrase
words=$(tr -d '\r' <"$tmp/shown" | sed -n 's/^    //p')
is "of seven words" "$(wc -w <<<"$words")" 7
is "shown once" "$(grep -c "$words" "$tmp/shown")" 1
no "on the terminal only" grep -q "$words" "$tmp/stdout" "$tmp/stderr"
ok "and opens the bundle" opens "$words"
ok "quietly as well" at_terminal 0 -- "${command[@]}" -q --json --generate-passphrase
again=$(tr -d '\r' <"$tmp/shown" | sed -n 's/^    //p')
ok "another one" test -n "$again" -a "$again" != "$words"
ok "opens that" opens "$again"

finish
