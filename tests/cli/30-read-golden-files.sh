#!/bin/bash
# satchel-read reads every golden bundle, however it is opened and whatever was
# done to it: names and attributes, contents by cat and by extract, exit codes.
. tests/cli/lib.sh

# What a .expect says that ls --json says too; names that are no UTF-8 by their
# bytes alone.
same_names='del(.sha256, .error, .runs, .xattrs, .sparse, .missing_volumes)
	| if .path_b64 then del(.path) else . end
	| if .target_b64 then del(.target) else . end
	| if .of_b64 then del(.of) else . end'

cat >"$tmp/contents.py" <<'EOF'
"""contents.py EXPECT DIRECTORY ALL: are the contents those that were expected?
All of them, one after another, go to ALL; their paths, a NUL behind each, to
standard output."""
import base64, hashlib, json, os, sys


def look(top, path):
    """(directory, name): the path may be longer than any system call takes."""
    at = os.open(top, os.O_PATH)
    *above, name = path.split(b'/')
    for component in above:
        below = os.open(component, os.O_PATH | os.O_NOFOLLOW, dir_fd=at)
        os.close(at)
        at = below
    return at, name


bad = 0
with open(sys.argv[3], 'wb') as everything:
    for line in open(sys.argv[1]):
        e = json.loads(line)
        path = base64.b64decode(e['path_b64']) if 'path_b64' in e else e['path'].encode()
        at, name = look(sys.argv[2], path)
        if 'sha256' in e:
            with open(os.open(name, os.O_RDONLY, dir_fd=at), 'rb') as file:
                data = file.read()
            everything.write(data)
            sys.stdout.buffer.write(path + b'\0')
            wrong = hashlib.sha256(data).hexdigest() != e['sha256']
        elif 'error' in e:
            wrong = name in map(os.fsencode, os.listdir(f'/proc/self/fd/{at}'))
        else:
            wrong = ('target' in e and 'target_b64' not in e
                     and os.readlink(name, dir_fd=at) != os.fsencode(e['target']))
        os.close(at)
        if wrong:
            print('wrong:', path, file=sys.stderr)
            bad = 1
sys.exit(bad)
EOF

# Options of a .case in $key, the bundle in $bundle, the exit code in $wanted.
# Each in a directory of its own, where no volume is but those that are named.
take() {
	local word value
	key=(-q) bundle='' wanted=0
	rm -rf "$tmp/here"
	mkdir "$tmp/here"
	while read -r word value; do
		case $word in
		bundle)
			cp "$value" "$tmp/here"
			value=$tmp/here/${value##*/}
			if [ "$bundle" ]; then key+=(--volume "$value"); else bundle=$value; fi
			;;
		status) wanted=$value ;;
		*) key+=("--$word" "$value") ;;
		esac
	done <"$1"
}

# What decode.py and satchel-read call differently: what lies in a volume that is
# not here is not damaged; another publisher is refused, and that is all.
translate() {
	case $1 in
	*-missing) [ "$wanted" -eq 0 ] || wanted=10 ;;
	signed-other-publisher) wanted=1 ;;
	esac
}

names_agree() {
	local code=0
	"$read" ls -R --json "${key[@]}" "$bundle" >"$tmp/ls" || code=$?
	[ "$code" -eq 0 ] || [ "$code" -eq 5 ] || return 1
	diff <(jq -cS "$same_names" "$1" | sort) <(jq -cS "$same_names" "$tmp/ls" | sort)
}

extract_agrees() {
	mkdir "$tmp/out"
	exits "$wanted" "$read" extract -C "$tmp/out" "${key[@]}" "$bundle" &&
		python3 "$tmp/contents.py" "$1" "$tmp/out" "$tmp/all" >"$tmp/paths"
}

cat_agrees() {
	local -a paths
	mapfile -d '' -t paths <"$tmp/paths"
	"$read" cat "${key[@]}" -- "$bundle" "${paths[@]}" >"$tmp/cat"
	cmp "$tmp/cat" "$tmp/all"
}

check() { # CASE EXPECT
	local name=${1##*/} expect=$2
	name=${name%.case}
	take "$1"
	translate "$name"
	if [ -e "$expect" ]; then
		ok "$name: names and attributes" names_agree "$expect"
		# Some of its attributes no file system has; that is said, and no more.
		[ "$name" != signed-full-metadata ] || wanted=3
		ok "$name: extracts" extract_agrees "$expect"
		case $name in # one of each sort is enough
		links | sparse | parity-4-damaged | signed | cut-extents* | deep | wide | leaves)
			ok "$name: cat" cat_agrees
			;;
		esac
		rm -rf "$tmp/out"
	else
		ok "$name: exit code $wanted" exits "$wanted" "$read" ls "${key[@]}" "$bundle"
	fi
}

# Those of the reference encoder, and those that satchel-pack itself once wrote.
for good in tests/data/good tests/data/golden-1; do
	mkdir "$tmp/cases"
	ok "$good: cases are made" tests/encode.py --unfold "$good"/*.keys "$tmp/cases"
	is "all of them" "$(find "$tmp/cases" -name '*.case' | wc -l)" "$(find $good -name '*.keys' | wc -l)"
	for case in "$tmp"/cases/*.case; do
		name=${case##*/}
		check "$case" "$good/${name%.case}.expect"
	done
	rm -r "$tmp/cases"
done

# Too large to be kept.
mkdir "$tmp/large"
for name in one-page two-pages columns columns-12-lost columns-scattered cut-extents cut-extents-other \
	cut-extents-third-missing cut-extents-signed cut-extents-signed-third-missing deep wide leaves; do
	ok "$name: is written" tests/encode.py "$name" "$tmp/large"
	ok "$name: the case is made" tests/encode.py --unfold "$tmp/large/$name.keys" "$tmp/large"
	check "$tmp/large/$name.case" "$tmp/large/$name.expect"
	rm -f "$tmp"/large/*
done
finish
