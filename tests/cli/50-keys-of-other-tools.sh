#!/bin/bash
# Keys as age-keygen and minisign write them are taken as they are; what is wrong
# with others is told.
. tests/cli/lib.sh

minisign_test=$build/tests/unit/test_minisign
recipient_test=$build/tests/unit/test_recipient

# The statuses without their sign, as test_minisign exits with them.
io=1 nokey=4 keyfile=18

# answering ANSWER... -- COMMAND...: on a terminal of its own, an answer to each
# question.
answering() {
	/usr/bin/python3 -c '
import os, pty, sys
answers, command = sys.argv[1:sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
said = b""
try:
    while True:
        said += os.read(terminal, 1024)
        if said.endswith(b": ") and answers:
            os.write(terminal, answers.pop(0).encode() + b"\n")
            said = b""
except OSError:
    print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@"
}

# signs KEY PASSWORD PUBLIC: the key is read, belongs to the public key as minisign
# writes that, and what it signs verifies; nothing else does.
signs() {
	exits 0 "$minisign_test" "$1" "$2" || return
	/usr/bin/python3 - "$3" "$tmp/stdout" <<-'END'
		import base64, hashlib, sys
		import nacl.exceptions, nacl.signing
		record = base64.b64decode(open(sys.argv[1]).read().splitlines()[1])
		key_id, public, signature = map(bytes.fromhex, open(sys.argv[2]).read().split())
		assert record == b"Ed" + key_id + public
		root = b"satchel root 1\0" + hashlib.blake2b(b"x" * 1024).digest()
		key = nacl.signing.VerifyKey(public)
		key.verify(root, signature)
		try:
		    key.verify(root[:-1] + b"?", signature)
		    sys.exit("anything verifies")
		except nacl.exceptions.BadSignatureError:
		    pass
	END
}

# refuses STATUS KEY PASSWORD: nothing is said about the key but that.
refuses() {
	exits "$1" "$minisign_test" "$2" "$3" && [ ! -s "$tmp/stdout" ] && [ ! -s "$tmp/stderr" ]
}

# Bytes of memory; a container may have less than the machine.
available() {
	{
		awk '/^MemAvailable/ { printf "%d\n", $2 * 1024 }' /proc/meminfo
		cat "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/memory.max" \
			/sys/fs/cgroup{/memory.max,/memory/memory.limit_in_bytes}
	} 2>/dev/null | grep -x '[0-9]*' | sort -n | head -n 1
}

minisign_keys() {
	local key=$tmp/key word='größer als 1' byte
	# Without memory minisign makes do with less, which is quicker here.
	local less='ulimit -v 40000 && exec minisign "$@"'

	minisign -G -W -p "$tmp/plain.pub" -s "$tmp/plain" >/dev/null
	ok "a key without a password signs" signs "$tmp/plain" '' "$tmp/plain.pub"

	answering "$word" "$word" -- bash -c "$less" - -G -p "$key.pub" -s "$key" >/dev/null
	ok "a key with a password signs" signs "$key" "$word" "$key.pub"
	ok "another password does not" refuses $nokey "$key" "$word "
	ok "nor none" refuses $nokey "$key" ''

	cp "$key" "$tmp/opened"
	answering "$word" -- minisign -C -W -s "$tmp/opened" >/dev/null
	ok "a key that lost its password signs" signs "$tmp/opened" '' "$key.pub"

	if [ "$(available)" -gt 1500000000 ] && ! sanitized; then
		answering "$word" "$word" -- minisign -G -p "$tmp/full.pub" -s "$tmp/full" >/dev/null
		ok "a key that needs 1 GiB signs" signs "$tmp/full" "$word" "$tmp/full.pub"
	else
		skip "a key that needs 1 GiB signs" "too little memory"
	fi

	ok "the public key is refused" refuses $keyfile "$tmp/plain.pub" ''
	echo message >"$tmp/message"
	minisign -S -s "$tmp/plain" -m "$tmp/message" >/dev/null </dev/null
	ok "a signature is refused" refuses $keyfile "$tmp/message.minisig" ''
	for byte in 0 1 60 150 260; do
		head -c $byte "$tmp/plain" >"$tmp/cut"
		ok "$byte bytes of it are refused" refuses $keyfile "$tmp/cut" ''
	done
	sed '2s/^\(.\{150\}\)\(.\)/\1*/' "$tmp/plain" >"$tmp/mangled"
	ok "a mangled key is refused" refuses $keyfile "$tmp/mangled" ''
	sed '2s/^\(.\{100\}\)\(.*\)\(.\{50\}\)$/\1\3\2/' "$tmp/opened" >"$tmp/mangled"
	ok "a shuffled key is refused" refuses $keyfile "$tmp/mangled" ''
	cat "$tmp/plain" "$tmp/plain" >"$tmp/mangled"
	ok "two keys are refused" refuses $keyfile "$tmp/mangled" ''
}

age_keys() {
	local n recipient slip
	for n in 1 2 3; do
		age-keygen -o "$tmp/identity$n" 2>/dev/null
		recipient=$(age-keygen -y "$tmp/identity$n")
		is "recipient $n is that of its identity" "$("$recipient_test" "$recipient")" "$(
			/usr/bin/python3 - "$tmp/identity$n" <<-'END'
				import sys
				sys.path.insert(0, "tests")
				import decode, nacl.bindings
				for identity in decode.identities_of(open(sys.argv[1], "rb").read()):
				    print(nacl.bindings.crypto_scalarmult_base(identity).hex())
			END
		)"
		slip=q
		[ "${recipient: -1}" != q ] || slip=p
		no "and is refused with a slip" "$recipient_test" "${recipient%?}$slip"
		no "the identity is no recipient" "$recipient_test" "$(tail -n 1 "$tmp/identity$n")"
	done
}

if command -v minisign >/dev/null; then
	minisign_keys
else
	skip "keys of minisign" "minisign is not installed"
fi
if command -v age-keygen >/dev/null; then
	age_keys
	ok "an identity is no publisher's key" refuses $keyfile "$tmp/identity1" ''
else
	skip "keys of age" "age-keygen is not installed"
fi
: >"$tmp/empty"
ok "an empty file is refused" refuses $keyfile "$tmp/empty" ''
head -c 300 /dev/urandom >"$tmp/random"
ok "random bytes are refused" refuses $keyfile "$tmp/random" ''
ok "a directory is refused" refuses $keyfile "$tmp" ''
ok "what is not there cannot be read" refuses $io "$tmp/nowhere" ''
finish
