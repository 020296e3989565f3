# shellcheck shell=bash
# For the scripts in this directory: tests/cli/lib.sh, with python and room for many
# bundles.
#
#   said        what a command said on standard error, as TAP's comment
export PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1

# Each bundle is synced: in memory that costs nothing.
if [ -z "${TMPDIR:-}" ] && [ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 2000000 ] 2>/dev/null; then
	export TMPDIR=/dev/shm
fi
. tests/cli/lib.sh

said() { sed 's/^/# /' "$tmp/stderr"; }
