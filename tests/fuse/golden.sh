# shellcheck shell=bash disable=SC2154  # tests/fuse/lib.sh
# For scripts that mount what encode.py describes:
#
#   check CASE EXPECT     what --unfold wrote, and what is in it: in both modes

# What decode.py and satchel-mount call differently: another publisher is refused,
# and what lies in a volume that is not here cannot be read.
translate() {
	case $1 in
	*-missing) [ "$wanted" -eq 0 ] || wanted=4 ;;
	signed-other-publisher) wanted=1 ;;
	esac
}

agrees() { # EXPECT [OPTION...]
	local expect=$1
	shift
	up "$@" || { cat "$tmp/stderr"; return 1; }
	python3 tests/fuse/compare.py "$expect" "$mnt" || { down; return 1; }
	down
	echo "exit code $code, expected $wanted"
	[ "$code" -eq "$wanted" ]
}

check() { # CASE EXPECT
	local name=${1##*/}
	name=${name%.case}
	key_and_bundle "$1"
	translate "$name"
	if [ -e "$2" ]; then
		ok "$name: private" agrees "$2"
		ok "$name: cached" agrees "$2" --cache
	else
		ok "$name: exit code $wanted" exits "$wanted" ask "$mount" -f "${key[@]}" "$bundle" "$mnt"
	fi
}
