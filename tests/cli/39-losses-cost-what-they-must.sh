#!/bin/bash
# Pages are lost by chance and in bursts, and tests/decode.py alone says what that must
# cost: verify names exactly those files, extract gives exactly the others, and repair
# gives back all but those pages.  SATCHEL_LONG=1: every burst, many draws, and bundles
# of several bands, which takes two hours; $MS: for these numbers of parity pages alone.
. tests/cli/lib.sh

long=${SATCHEL_LONG:-}
key=(-q --key-file "$tmp/key")
bundle=$tmp/bundle original=$tmp/original out=$tmp/out plan=$tmp/plan
head -c 64 /dev/urandom >"$tmp/key"

damage() { /usr/bin/python3 tests/damage.py "$@"; }

pack_tree() { # M PAGES [OPTION...]
	rm -rf "$tmp/tree" "$plan" "$bundle" "$original"
	mkdir "$tmp/tree" "$plan"
	damage tree "$tmp/tree" "$2"
	"$pack" --no-verify "${key[@]}" --parity "$1" "${@:3}" -o "$original" "$tmp/tree/." || exit 1
	cp "$original" "$bundle"
}

# --- what each verb does of a loss -----------------------------------------------------------

verdict() { # WORD
	local code=0
	"$read" verify --json "${key[@]}" "$bundle" >"$tmp/json" 2>"$tmp/stderr" || code=$?
	case $1/$code in
	healthy/0 | repaired/5 | lost/4 | copy/4 | index/4) ;;
	rootless/10) return ;;
	*) echo "verify: exit code $code of what is $1"; return 1 ;;
	esac
}

names() { # LOSS WORD
	case $2 in index | rootless) return ;; esac
	diff <(jq -c 'select(.type == "loss").path, (select(.type == "summary") |
		{result, files_lost, pages, repaired, lost, parity_damaged})' "$tmp/json" | LC_ALL=C sort) "$plan/$1.says"
}

gives() { # LOSS WORD
	local code=0
	rm -rf "$out"
	"$read" extract "${key[@]}" -C "$out" "$bundle" >/dev/null 2>"$tmp/stderr" || code=$?
	case $2/$code in
	healthy/0 | repaired/5 | lost/4 | index/4) ;;
	# It meets one copy of the index, and perhaps what of the other is still needed.
	copy/[05]) ;;
	index/[05]) [ ! -s "$plan/$1.lost" ] || { echo "extract: some is lost"; return 1; } ;;
	# Extraction does not meet pages of parity, nor further copies of the root.
	repaired/0) grep -q '"repaired":0,' "$plan/$1.says" || { echo "extract: met nothing"; return 1; } ;;
	rootless/10) return ;;
	*) echo "extract: exit code $code of what is $2"; return 1 ;;
	esac
	diff <(diff -rq "$tmp/tree" "$out" | grep -v '^Only in') /dev/null &&
		diff <(cd "$tmp/tree" && find . -type f | cut -c 3- | LC_ALL=C sort) \
			<({ cd "$out" && find . -type f | cut -c 3-; cat "$plan/$1.lost"; } | LC_ALL=C sort)
}

repairs() { # LOSS WORD
	local code=0
	rm -f "$tmp/new"
	"$read" repair "${key[@]}" -o "$tmp/new" "$bundle" >/dev/null 2>"$tmp/stderr" || code=$?
	case $2/$code in
	healthy/0 | repaired/5 | lost/4 | copy/4 | index/4) ;;
	rootless/10) return ;;
	*) echo "repair: exit code $code of what is $2"; return 1 ;;
	esac
	if [ -s "$plan/$1.gone" ]; then
		diff <(damage differ "$original" "$tmp/new") "$plan/$1.gone"
	else
		cmp "$original" "$tmp/new"
	fi
}

costs() { # WORD LOSS
	verdict "$1" && names "$2" "$1" && gives "$2" "$1" && repairs "$2" "$1"
}

# Every loss of a bundle.  How often each word came, and how many files were lost, is
# counted.
lose() { # WHAT [--real] LOSS...
	local what=$1 loss word
	damage plan "$original" "$tmp/key" "$plan" "${@:2}" >"$tmp/words" || exit 1
	while read -r loss word; do
		damage apply "$bundle" "$plan/$loss"
		ok "$what, $loss: $word" costs "$word" "$loss"
		damage undo "$bundle" "$plan/$loss"
		seen[$word]=$((${seen[$word]-0} + 1))
		files=$((files + $(wc -l <"$plan/$loss.lost")))
		rm -f "$plan/$loss."*
	done <"$tmp/words"
	ok "$what: the bundle is as it was" cmp "$bundle" "$original"
}

# "none" is no loss, and ends the script.
bursts() { damage bursts "$original" "$tmp/key" "$1" || echo none; }

# So much is lost that some columns have lost too much, and some have not.
declare -A beyond=([2]=0.03 [4]=0.08 [8]=0.1 [16]=0.2)
# The bundle is large enough for a second band.
declare -A two_bands=([2]=66000 [4]=66000 [8]=33500 [16]=17000)
declare -A seen=()
files=0

for m in ${MS:-2 4 8 16}; do
	pack_tree "$m" 250
	lose "parity $m" --real rate:0.01:1 "rate:${beyond[$m]}:1" index:both index:last index:front
	# shellcheck disable=SC2046  # several words
	lose "parity $m" $(bursts few)
	[ "$long" ] || continue
	pack_tree "$m" 140
	# shellcheck disable=SC2046
	lose "parity $m, every burst" $(bursts all)
	pack_tree "$m" 1500
	for rate in 0.0001 0.001 0.01 "${beyond[$m]}"; do
		files=0
		# shellcheck disable=SC2046
		lose "parity $m" $(printf "rate:$rate:%d " {1..50})
		echo "# parity $m, pages lost $rate: $files files lost, computed" \
			"$(damage chance "$original" "$tmp/key" "$rate" 50)"
	done
	pack_tree "$m" "${two_bands[$m]}"
	# shellcheck disable=SC2046
	lose "parity $m, two bands" rate:0.01:1 $(bursts few)
done
for word in repaired lost index; do
	ok "a control: some are $word" test "${seen[$word]-0}" -gt 3
done
finish
