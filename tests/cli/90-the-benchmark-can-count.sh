#!/bin/bash
# The benchmark's runner: on next to nothing, from the first step to the table; and its
# arithmetic, on figures that are known.
. tests/cli/lib.sh

if sanitized; then
	skip "the benchmark" "a sanitizer's figures are no figures"
	finish
fi
export BENCH_DIR=$tmp/bench LIMIT_SECONDS=0.01 RUNS=2 BENCH_TINY=1000
mkdir -p "$BENCH_DIR/corpora/media" "$BENCH_DIR/corpora/source/in"
head -c 1M /dev/urandom >"$BENCH_DIR/corpora/media/film.mp4"
head -c 20K /dev/urandom >"$BENCH_DIR/corpora/media/picture.jpg"
seq 1 200000 >"$BENCH_DIR/corpora/source/numbers.c"
seq 1 5000 >"$BENCH_DIR/corpora/source/in/few.c"

measure() { # SECTIONS CASES
	SECTIONS=$1 CASES=$2 PEERS='cp tar' /usr/bin/python3 -B tests/bench/bench.py "$build"
}

values() { # JQ-FILTER
	jq -r "select(.metric) | $1" "$BENCH_DIR/results.jsonl"
}

ok "limits and packing are measured" measure "limits pack" media
ok "the results are JSON" jq -e . "$BENCH_DIR/results.jsonl"
is "every row has a value for each round" "$(values '.values | length' | sort -u)" 2
is "satchel in ten ways" "$(values 'select(.case == "media, to memory" and .metric == "time") | .who' |
	grep -c satchel)" "$(($(nproc) > 1 ? 10 : 6))"
ok "there is a table" grep -q '^tar  *[0-9]' "$BENCH_DIR/table.txt"
ok "and goals" grep -qE '^(met|MISSED) .*pack media, to memory, of its limit' "$BENCH_DIR/table.txt"
ok "nothing is left but the results" test ! -e "$BENCH_DIR/work" -a ! -e "$BENCH_DIR/state"

is "memory is the program's, not the runner's" "$(values 'select(.who == "cp" and .metric == "memory") | .values | max < 8')" \
	"$(printf 'true\ntrue')"

if [ -w /dev/fuse ]; then
	ok "reading and mounting are measured" measure "read mount" source
	is "nobody is missing" "$(jq -r 'select(.missing) | .who + ": " + .missing' "$BENCH_DIR/results.jsonl")" ""
	ok "the null file system, too" grep -q '^null, cached  *[0-9]' "$BENCH_DIR/table.txt"
else
	skip "mounting" "there is no /dev/fuse"
fi

ok "growth is measured" measure scale tiny
ok "a thousand files" grep -q '^1000 files  *[0-9]' "$BENCH_DIR/table.txt"

no "an unknown section is refused" measure nonsense media

# What is not there is missing, and not faked.
mkdir "$tmp/few"
for program in bash fusermount3 tar cat cp rm mkdir sync head minisign age-keygen stat dirname; do
	ln -s "$(command -v "$program")" "$tmp/few/$program"
done
ok "without 7-Zip" env PATH="$tmp/few" RUNS=1 SECTIONS=pack CASES=media PEERS=7-Zip /usr/bin/python3 -B tests/bench/bench.py "$build"
ok "7-Zip is named as missing" grep -q '^7-Zip  *missing: 7zz is not installed' "$BENCH_DIR/table.txt"

# Known figures: satchel took 2 and 4 seconds where the limit was 1 and 3, age 3 and 8.
cat >"$tmp/known" <<-END
	{"cpu": "any", "cores": 2, "memory": 1e9, "kernel": "6", "file_system": "ext", "date": "today", "runs": 2, "others": [0.01, 0.02], "unfinished": []}
	{"section": "pack", "case": "media, to memory", "who": "satchel, parity 0, no verify", "metric": "time", "unit": "s", "values": [2, 4], "limits": [1, 3], "limit_is": "cp"}
	{"section": "pack", "case": "media, to memory", "who": "tar|zstd|age", "metric": "time", "unit": "s", "values": [3, 8]}
	{"section": "pack", "case": "media, to memory", "who": "cp", "metric": "time", "unit": "s", "values": [5]}
END
/usr/bin/python3 -B tests/bench/report.py "$tmp/known" >"$tmp/table"
squeezed() { grep "$1" "$tmp/table" | tr -s ' ' | head -n 1; }
is "the median, the spread, the part of the limit" "$(squeezed '^satchel')" \
	"satchel, parity 0, no verify 3.00 2.00-4.00 62 %"
is "how many times as good" "$(squeezed '^tar')" "tar|zstd|age 5.50 3.00-8.00 1.75 x"
is "who dropped out" "$(squeezed '^cp')" "cp (1 of 2 rounds) 5.00 5.00-5.00 2.50 x"
no "others had nothing of the machine" grep -q "^Others had" "$tmp/table"
sed "s/0.01, 0.02/0.3, 0.1/" "$tmp/known" >"$tmp/shared"
like "which is said where they had" "$(/usr/bin/python3 -B tests/bench/report.py "$tmp/shared")" 'Others had 20 % of the processors, in some rounds 30 %'
like "a goal that is missed" "$(squeezed 'of its limit')" "MISSED pack media, to memory, of its limit: 62.5 % \(at least 75 %\)"
like "one that is met" "$(squeezed 'as good as')" "met pack media, to memory, as good as tar.zstd.age, the best of 1: 1.75 x"

printf 'words\n\nRESULTS\nold\n' >"$tmp/text"
ok "tables are put into a text" /usr/bin/python3 -B tests/bench/report.py "$tmp/known" --into "$tmp/text"
is "in place of the old ones" "$(head -n 3 "$tmp/text" | tr '\n' /)$(grep -c old "$tmp/text")" "words//RESULTS/0"

finish
