#!/bin/bash
# Pages are lost by chance and in bursts, and tests/decode.py alone says what that must
# cost: of every file on a mount exactly those blocks give EIO, and all others are as they
# were packed.  SATCHEL_LONG=1: more of them.
. tests/fuse/lib.sh

head -c 64 /dev/urandom >"$tmp/key"
key=(-q --key-file "$tmp/key")
bundle=$tmp/bundle plan=$tmp/plan
mkdir "$tmp/tree" "$plan"
damage() { /usr/bin/python3 tests/damage.py "$@"; }
damage tree "$tmp/tree" 250

shows() { # WORD LOSS [OPTION...]
	local same=0
	up "${@:3}" || { cat "$tmp/stderr"; return 1; }
	damage mounted "$tmp/tree" "$mnt" "$plan/$2" || same=1
	down
	echo "exit code $code; $(cat "$tmp/stderr")"
	case $1/$code in
	healthy/0 | repaired/5 | lost/4 | copy/[05]) [ "$same" -eq 0 ] ;;
	*) false ;;
	esac
}

declare -A beyond=([2]=0.03 [4]=0.08 [8]=0.1 [16]=0.2) seen=()
mode=''
for m in ${MS:-2 4 8 16}; do
	"$pack" -f --no-verify "${key[@]}" --parity "$m" -o "$bundle" "$tmp/tree/." || exit 1
	cp "$bundle" "$tmp/whole"
	losses=("rate:${beyond[$m]}:1" "burst:1:$((4 * m))" "burst:1:$((4 * m + 1))" index:last index:front)
	# shellcheck disable=SC2207  # several words
	[ -z "${SATCHEL_LONG:-}" ] || losses+=($(printf "rate:${beyond[$m]}:%d " {2..20}))
	damage plan "$bundle" "$tmp/key" "$plan" "${losses[@]}" >"$tmp/words" || exit 1
	while read -r loss word; do
		[[ $word != index && $word != rootless ]] || continue
		seen[$word]=1
		damage apply "$bundle" "$plan/$loss"
		# shellcheck disable=SC2086  # a word or none
		ok "parity $m, $loss: $word ${mode:-private}" shows "$word" "$loss" $mode
		damage undo "$bundle" "$plan/$loss"
		if [ "$mode" ]; then mode=''; else mode=--cache; fi
	done <"$tmp/words"
	ok "parity $m: the bundle is as it was" cmp "$bundle" "$tmp/whole"
done
is "a control: some are repaired, some lost" "${seen[repaired]-}${seen[lost]-}" 11
damage plan "$bundle" "$tmp/key" "$plan" burst:1:65 >/dev/null
like "a control: on a sound one nothing is lost" "$(shows healthy burst:1:65)" '[1-9][0-9]* not as they should be'
finish
