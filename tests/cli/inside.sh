# For scripts that look into the memory of a process, while it works and where it ends.
export PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1

why=
has_cap 19 || why="needs root to look into a process"
! sanitized || why="sanitizers keep copies"
command -v age-keygen >/dev/null || why="age-keygen is not installed"
if [ -n "$why" ]; then
	skip "keys left in memory" "$why"
	finish
fi

# held OUTPUT COMMAND...: in $pid, and where it exits, or kills itself, until it is let go.
held() {
	rm -f "$tmp/log"
	strace -D -f -qq -o "$tmp/log" -e trace=tgkill,exit_group -e inject=tgkill,exit_group:delay_enter=60s \
		env --default-signal=INT "${@:2}" >"$1" 2>"$tmp/stderr" &
	pid=$!
}

wait_for() { # CALL
	for _ in {1..3000}; do
		! grep -q " $1(" "$tmp/log" 2>/dev/null || return 0
		sleep 0.02
	done
	return 1
}

let_go() {
	local tracer
	tracer=$(sed -n 's/^TracerPid:[ \t]*//p' "/proc/$pid/status")
	[ "${tracer:-0}" -eq 0 ] || kill -KILL "$tracer"
	wait "$pid" 2>/dev/null
}
