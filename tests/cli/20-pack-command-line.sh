#!/bin/bash
# Asked the impossible, satchel-pack says so in one line, with the right exit
# code, before it reads or writes anything.
. tests/cli/lib.sh

src=$tmp/src out=$tmp/out
mkdir "$src" "$out"
echo content >"$src/file"
echo 'abacus abdomen ability ablaze able about' >"$tmp/pw"
head -c 64 /dev/urandom >"$tmp/key"
head -c 64 /dev/urandom >"$tmp/other-key"
head -c 15 /dev/urandom >"$tmp/short-key"
: >"$tmp/empty"
printf 'one\ntwo\n' >"$tmp/two-lines"
printf 'bad \xff' >"$tmp/not-utf8"
head -c 1025 /dev/zero | tr '\0' x >"$tmp/long"

# CODE REGEX ARGUMENT...: one line that matches, nothing on standard output,
# nothing in the output directory.  There is no terminal to ask on.
refused() {
	local code=$1 regex=$2 got=0
	shift 2
	setsid -w "$pack" "$@" >"$tmp/stdout" 2>"$tmp/stderr" <"$input" || got=$?
	echo "exit code $got, expected $code; it said:"
	cat "$tmp/stderr"
	[ "$got" -eq "$code" ] && [ "$(wc -l <"$tmp/stderr")" -eq 1 ] &&
		grep -Eq "^satchel-pack: .*($regex)" "$tmp/stderr" &&
		[ ! -s "$tmp/stdout" ] && [ -z "$(ls -A "$out")" ]
}

input=/dev/null
to=(-o "$out/b")
with=(--passphrase-file "$tmp/pw")

ok "no output" refused 2 'no output' "${with[@]}" "$src"
ok "nothing to pack" refused 2 'nothing to pack' "${with[@]}" "${to[@]}"
mkdir "$tmp/nothing" "$tmp/nothing/in"
echo "a bundle" >"$tmp/old"
for path in nothing nothing/. nothing/in; do
	ok "no file in $path" refused 1 'there is no file in what is to be packed' "${with[@]}" "${to[@]}" "$tmp/$path"
done
ok "all of it left out" refused 1 'there is no file in what' "${with[@]}" "${to[@]}" --exclude '*' "$src"
ok "what is there stays then" refused 1 'there is no file in what' "${with[@]}" -fo "$tmp/old" "$tmp/nothing"
is "as it was" "$(cat "$tmp/old")" "a bundle"
ok "a dry run says no more than what is wrong" refused 1 'exists already; --force' -n -o "$tmp/old" "$src"
ok "no such option" refused 2 '--colour: no such option' --colour "${to[@]}" "$src"
ok "no such letter" refused 2 '-x: no such option' -qx "${to[@]}" "$src"
ok "an option without its argument" refused 2 'output: needs an argument' "$src" --output
ok "an argument where none belongs" refused 2 '--json: takes no argument' --json=1 "$src"

for word in --passphrase -p --password; do
	ok "$word says where passphrases come from" refused 2 --passphrase-file "${to[@]}" \
		"$word" 'open sesame' "$src"
	no "and the secret is not repeated" grep -q sesame "$tmp/stderr"
done
for word in --passphrase=sesame -psesame --pass=sesame --passphras=sesame --pw=sesame; do
	ok "${word%%sesame} is refused" refused 2 'no such option|--passphrase-file' "$word" "$src"
	no "and the secret is not repeated" grep -q sesame "$tmp/stderr"
done

for size in '' 4G4 -1 1.5G 4GiB K fill: 81919 33T 99999999999999999999; do
	ok "--size '$size'" refused 2 '--size: ' "${to[@]}" --size "$size" "$src"
done
for row in 'parity 3' 'parity 1' 'parity 32' 'level 0' 'level 20' 'level x' 'jobs 0' 'jobs 257' \
	'edition 0' 'edition x' 'memory 63M' 'memory lots' 'kdf high' 'metadata none' \
	'passphrase-fd x' 'passphrase-fd -1' 'exclude a/' 'exclude /a'; do
	read -r option value <<<"$row"
	ok "--$row" refused 2 "--$option: " "${to[@]}" "--$option" "$value" "$src"
done
ok "a label that is too long" refused 2 '--label: too long' --label "$(printf '%256s' '')" "$src"
ok "a series that is too long" refused 2 '--series: too long' --series "$(printf '%64s' '')" "$src"
ok "a label that is not UTF-8" refused 2 '--label: not UTF-8' --label $'\xff' "$src"
SOURCE_DATE_EPOCH=yesterday ok "SOURCE_DATE_EPOCH is checked" refused 2 'SOURCE_DATE_EPOCH: ' \
	"${to[@]}" "$src"

many=()
for ((i = 0; i < 33; i++)); do many+=(--key-file "$tmp/key"); done
ok "more than 32 ways in" refused 2 'more than 32' "${to[@]}" "${many[@]}" "$src"

ok "standard output is no place" refused 2 'standard output' -o - "$src"
ok "an output named twice" refused 2 'named twice' "${to[@]}" -o "$out/../out/./b" "${with[@]}" "$src"
ok "an output directory that is missing" refused 1 'absent/b: its directory' -o "$out/absent/b" \
	"${with[@]}" "$src"
ok "an output that is a directory" refused 1 'is a directory' -o "$src" "${with[@]}" "$src/file"
ok "an output that ends in a slash" refused 1 'is a directory; name a file in it' -o "$src/" "${with[@]}" "$src/file"
ok "an output that is a device" refused 1 '/dev/null: is not a file' -f -o /dev/null \
	"${with[@]}" "$src"
ln -s /dev/null "$tmp/to-device"
ln -s "$out" "$tmp/to-directory"
ln -s "$out/old" "$tmp/to-bundle"
ln -s absent "$tmp/to-nothing"
for link in to-device to-directory to-bundle to-nothing; do
	ok "an output that is a link: $link" refused 1 "$link: is a symbolic link; name what it leads to" \
		-o "$tmp/$link" "${with[@]}" "$src"
	ok "with --force, too: $link" refused 1 "$link: is a symbolic link; name what it leads to" \
		-f -o "$tmp/$link" "${with[@]}" "$src"
	ok "which is left alone" test -L "$tmp/$link"
done
ok "an output that exists" refused 1 'key: exists already; --force' -o "$tmp/key" "${with[@]}" "$src"
ok "an output that is a source" refused 2 'is to be packed' -f -o "$src/file" "${with[@]}" \
	"$src/file"
is "which is left alone" "$(cat "$src/file")" content
tar -C "$src" -cf "$tmp/a.tar" file
cp "$tmp/key" "$tmp/recipients"
ln -s key "$tmp/to-key"
printf '[compartment]\nsource = %s\nkey-file = %s\n' "$src" "$tmp/key" >"$tmp/recipe"
cp "$tmp/key" "$tmp/key-2"
before=$(cat "$tmp/key" "$tmp/key-2" "$tmp/pw" "$tmp/recipients" "$tmp/recipe" "$tmp/a.tar" | sha256sum)
needed='is needed to pack; name another file'
ok "an output that is an archive" refused 2 'a.tar: is to be packed' -f -o "$tmp/a.tar" "${with[@]}" \
	--archive "$tmp/a.tar"
input=$tmp/a.tar ok "or one on standard input" refused 2 'a.tar: is to be packed' -f -o "$tmp/a.tar" \
	"${with[@]}" --archive -
ok "an output that is a passphrase" refused 2 "pw: $needed" -f -o "$tmp/pw" "${with[@]}" "$src"
input=$tmp/pw ok "or a descriptor of one" refused 2 "pw: $needed" -f -o "$tmp/pw" \
	--passphrase-fd 0 "$src"
ok "an output that is a key file" refused 2 "key: $needed" -f -o "$tmp/key" --key-file "$tmp/to-key" "$src"
ok "or a link to one" refused 1 'to-key: is a symbolic link' -f -o "$tmp/to-key" --key-file "$tmp/to-key" "$src"
ok "a second factor" refused 2 "key: $needed" -f -o "$tmp/key" "${with[@]}" --second-factor "$tmp/key" "$src"
ok "a list of recipients" refused 2 "recipients: $needed" -f -o "$tmp/recipients" \
	--recipients-file "$tmp/recipients" "$src"
ok "a publisher's key" refused 2 "key: $needed" -f -o "$tmp/key" "${with[@]}" --sign "$tmp/key" "$src"
ok "the recipe" refused 2 "recipe: $needed" -f -o "$tmp/recipe" --recipe "$tmp/recipe"
ok "or a key in it" refused 2 "key: $needed" -f -o "$tmp/key" --recipe "$tmp/recipe"
ok "also where a volume would go" refused 2 "key-2: $needed" -f -o "$tmp/key" --volume-size 256K \
	--key-file "$tmp/key-2" "$src"
is "all are left alone" "$(cat "$tmp/key" "$tmp/key-2" "$tmp/pw" "$tmp/recipients" "$tmp/recipe" "$tmp/a.tar" | sha256sum)" "$before"
ok "fill of what is no directory" refused 1 'pw: --size=fill: Not a directory' "${to[@]}" \
	--size "fill:$tmp/pw" "${with[@]}" "$src"
ok "a spill that is missing" refused 1 'absent: --spill' "${to[@]}" --spill "$tmp/absent" \
	"${with[@]}" "$src"

ok "a source that is missing" refused 1 'absent: No such file' "${to[@]}" "${with[@]}" "$tmp/absent"
ok "two sources of one name" refused 1 'src/file: .*src/file has this name, too' "${to[@]}" "${with[@]}" "$src/." \
	"$src/file"
ok "a size that is too small for it" refused 13 'needs .* leaves less' "${to[@]}" "${with[@]}" \
	--size 81920 --parity 16 "$src" "$pack"
ok "a size that the drive has not" refused 13 'are free there' "${to[@]}" "${with[@]}" \
	--size 30T "$src"

ok "a passphrase file that is missing" refused 1 'absent: No such file' "${to[@]}" \
	--passphrase-file "$tmp/absent" "$src"
ok "a descriptor that is closed" refused 1 '--passphrase-fd 77: Bad file' "${to[@]}" \
	--passphrase-fd 77 "$src"
for bad in empty two-lines not-utf8; do
	ok "a passphrase that is $bad" refused 1 "$bad: not a usable passphrase" "${to[@]}" \
		--passphrase-file "$tmp/$bad" "$src"
done
ok "a passphrase that is too long" refused 1 'at most 1024 bytes' "${to[@]}" \
	--passphrase-file "$tmp/long" "$src"
ok "the same passphrase twice" refused 2 'was given before' "${to[@]}" "${with[@]}" \
	--passphrase-file <(printf ' %s\r\n' "$(cat "$tmp/pw")") "$src"
ok "a key file that is too short" refused 1 '16 bytes to 1 MiB' "${to[@]}" \
	--key-file "$tmp/short-key" "$src"
ok "a key file that is missing" refused 1 'absent: No such file' "${to[@]}" \
	--key-file "$tmp/absent" "$src"
ok "the same key file twice" refused 2 'was given before' "${to[@]}" --key-file "$tmp/key" \
	--key-file "$tmp/other-key" --key-file "$tmp/key" "$src"
ok "a second factor that opens alone" refused 2 'second factor' "${to[@]}" "${with[@]}" \
	--key-file "$tmp/key" --second-factor "$tmp/key" "$src"
ok "nobody to ask" refused 2 'no terminal to ask' "${to[@]}" "$src"
ok "nobody to ask beside a second factor" refused 2 'no terminal to ask' "${to[@]}" \
	--key-file "$tmp/key" --second-factor "$tmp/other-key" "$src"
ok "nobody to show a passphrase to" refused 2 'no terminal to show' "${to[@]}" \
	--generate-passphrase "$src"

# Root may lock what it likes.
confined() {
	bash -c 'ulimit -l 16 && exec "$@"' - "${nobody[@]}" "$@"
}
nobody=()
[ "$(id -u)" -ne 0 ] || nobody=(setpriv --reuid=65534 --clear-groups)
chmod 755 "$tmp"
mkdir -m 777 "$tmp/anybody"
if sanitized; then
	skip "locked memory that cannot be had" "sanitizers do not lock any"
elif ! "${nobody[@]}" "$pack" --version >/dev/null 2>&1; then
	skip "locked memory that cannot be had" "nobody cannot run the program from here"
else
	ok "locked memory that cannot be had" exits 1 confined "$pack" -o "$tmp/anybody/b" "${with[@]}" "$src"
	like "is asked for" "$(cat "$tmp/stderr")" 'cannot be locked.*--allow-unlocked'
	ok "or done without" exits 0 confined "$pack" --kdf low --allow-unlocked -o "$tmp/anybody/b" \
		"${with[@]}" "$src"
fi

# With --json the last line says the same to a program.
"$pack" --json --level 77 "${to[@]}" "$src" >"$tmp/stdout" 2>"$tmp/stderr"
is "an error is a JSON record" "$(jq -c '[.type, .code]' "$tmp/stdout")" '["error",2]'
"$pack" --level 77 "${to[@]}" "$src" --json >"$tmp/stdout" 2>"$tmp/stderr"
is "wherever --json stands" "$(jq -r .message "$tmp/stdout")" '--level: not a number from 1 to 19'
"$pack" --json "${to[@]}" "${with[@]}" "$tmp/ab\"s\\ent" >"$tmp/stdout" 2>"$tmp/stderr"
is "also when a source is missing" "$(jq -c '[.type, .code]' "$tmp/stdout")" '["error",1]'

# What is not refused.
ok "help" exits 0 "$pack" --help
is "is at most 80 columns wide" "$(awk 'length > 80' "$tmp/stdout")" ''
options=$(grep -o -- '--[a-z][a-z-]*' "$tmp/stdout" | sort -u)
is "has what is completed" "$options" \
	"$(grep -o -- '--[a-z][a-z-]*' bundler/satchel-pack.bash | sort -u)"
is "and what the manual has" "$options" \
	"$(sed -n '/^\.It Fl/s/Fl -/\n--/gp' man/satchel-pack.1 | grep -o -- '^--[a-z][a-z-]*' | sort -u)"
ok "version" exits 0 "$pack" --version
like "has a number" "$(cat "$tmp/stdout")" '^satchel-pack [0-9]'
ok "help that cannot be written" exits 1 sh -c '"$1" --help >/dev/full' - "$pack"
ok "records that cannot be written" exits 1 bash -c '"$@" >/dev/full' - "$pack" --json --key-file "$0" \
	-o "$tmp/unrecorded" "$0"
like "and it is said" "$(cat "$tmp/stderr")" '^satchel-pack: .*No space left'

ok "a dry run needs no key and no output" exits 0 setsid -w "$pack" -n "$src"
like "and says what it would do" "$(cat "$tmp/stdout")" '1 file, 1 directory.*length +[0-9]+ to [0-9]+ bytes'
ok "with a size, how long it will be" exits 0 "$pack" --dry-run --size 1M "$src"
like "exactly" "$(cat "$tmp/stdout")" 'length +1048576 bytes'
ok "and as JSON" exits 0 "$pack" --dry-run --json --size 1M "$src"
is "too" "$(tail -n 1 "$tmp/stdout" | jq -c '[.type, .dry_run, .files, .bytes, .length]')" \
	'["summary",true,1,8,[1048576,1048576]]'
is "and nothing is written" "$(ls -A "$out")" ''

ok "a bundle" exits 0 "$pack" --kdf low "${to[@]}" "${with[@]}" --size 1M "$src"
is "has the size asked for" "$(stat -c %s "$out/b")" 1048576
is "and nobody else's permissions" "$(stat -c %a "$out/b")" 600
is "one line says what was done" "$(grep -c '1 file, 8 bytes, in a bundle of 1.0 MB' "$tmp/stderr")" 1
ok "it is replaced by force" exits 0 "$pack" -q --kdf low -f "${to[@]}" "${with[@]}" "$src"
is "quietly" "$(cat "$tmp/stdout" "$tmp/stderr")" ''
ok "a weak passphrase" exits 0 "$pack" --kdf low -f "${to[@]}" \
	--passphrase-file <(echo xkqjzpwm) "$src"
like "is warned of" "$(cat "$tmp/stderr")" \
	'warning: this passphrase can be guessed: 8 lower-case letters; try --generate-passphrase'
no "and not repeated" grep -q xkqj "$tmp/stderr"
# Ways in.
opens() { # ARGUMENT...
	[ "$(tests/decode.py "$@" cat "$out/b" -- src/file)" == content ]
}

ok "a passphrase from standard input" exits 0 "$pack" -q --kdf low -f "${to[@]}" \
	--passphrase-file - "$src" <"$tmp/pw"
ok "opens the bundle" opens "${with[@]}"
ok "and from a descriptor" exits 0 "$pack" -q --kdf low -f "${to[@]}" --passphrase-fd 9 "$src" \
	9<"$tmp/pw"
ok "as well" opens "${with[@]}"
ok "two passphrases and a key file" exits 0 "$pack" -q --kdf low -f "${to[@]}" "${with[@]}" \
	--passphrase-file <(echo 'another of seven words that nobody guesses') --key-file "$tmp/key" "$src"
ok "the first opens it" opens "${with[@]}"
ok "the second does" opens --passphrase-file <(echo 'another of seven words that nobody guesses')
ok "and the key file alone" opens --key-file "$tmp/key"
no "another does not" opens --key-file "$tmp/other-key"

many=()
for ((i = 0; i < 32; i++)); do
	head -c 32 /dev/urandom >"$tmp/key$i"
	many+=(--key-file "$tmp/key$i")
done
ok "32 key files" exits 0 "$pack" -q -f "${to[@]}" "${many[@]}" "$src"
ok "the first of them opens it" opens --key-file "$tmp/key0"
ok "and the last" opens --key-file "$tmp/key31"

# --- where the system has not all of it -----------------------------------------------------

if preload old_kernel 2>"$tmp/.said"; then
	ok "a kernel that cannot wipe what is forked locks memory all the same" exits 0 \
		env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$tmp/old_kernel.so" \
		"$pack" -q -f "${to[@]}" --key-file "$tmp/key" "$src"
else
	skip "an old kernel" "needs a compiler"
fi

finish
