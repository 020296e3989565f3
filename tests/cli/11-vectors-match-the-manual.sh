#!/bin/bash
# The worked examples of bundle(5) are what the tests' own code computes.
set -u

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

report() {          # report STATUS NUMBER TEXT
	if [ "$1" = 0 ]; then echo "ok $2 - $3"; else echo "not ok $2 - $3"; fi
}

echo 1..3
tests/vectors.py > "$tmp/vectors"
report $? 1 "the vectors can be computed"
sed -n '/^\.Sh TEST VECTORS$/,/^\.Sh SEE ALSO$/p' man/bundle.5 | sed '1d;$d' > "$tmp/page"
diff "$tmp/page" "$tmp/vectors" > "$tmp/diff"
report $? 2 "the manual page has exactly these"
sed 's/^/# /' "$tmp/diff"
tests/vectors.py --check
report $? 3 "map, stream cipher and field agree with libsodium and with themselves"
