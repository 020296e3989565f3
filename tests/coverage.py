#!/usr/bin/python3
"""How many lines of common/ the tests reach, file by file; less than 90 % of one file or of
all is a failure.  What is never reached is printed by function, with the reason that
tests/coverage.txt has for it, or with its lines.  usage: tests/coverage.py BUILD"""
import glob, os, subprocess, sys

WANTED = 90
build = sys.argv[1]


def tool(name, *arguments):
    return subprocess.run([f"llvm-{name}-14", *arguments], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.decode()


def programs():
    for pattern in ("satchel-*", "tests/satchel-read", "tests/unit/*", "tests/fuzz/replay_*"):
        for path in sorted(glob.glob(f"{build}/{pattern}")):
            if os.access(path, os.X_OK) and not os.path.splitext(path)[1]:
                yield path


def counts():
    """{file: ({line: how often}, [(first line, function)])}"""
    merged = f"{build}/counts/merged"
    tool("profdata", "merge", "-o", merged, *glob.glob(f"{build}/counts/*.profraw"))
    objects = [o for path in programs() for o in ("-object", path)][1:]
    files, lines, functions = {}, {}, []
    for row in tool("cov", "export", "-format=lcov", f"-instr-profile={merged}", *objects).splitlines():
        what, _, value = row.partition(":")
        if what == "SF":
            lines, functions = files.setdefault(os.path.relpath(value), ({}, []))
        elif what == "FN":
            first, name = value.split(",")
            functions.append((int(first), name.split(":")[-1]))
        elif what == "DA":
            no, count = (int(n) for n in value.split(",")[:2])
            lines[no] = lines.get(no, 0) + count
    return files


def reasons():
    with open("tests/coverage.txt") as text:
        rows = (row.split(None, 2) for row in text if row.strip() and not row.startswith("#"))
        return {(path, function): reason.strip() for path, function, reason in rows}


def share(lines):
    return 100 * sum(n > 0 for n in lines) / max(len(lines), 1)


def main():
    files = {path: found for path, found in counts().items() if path.startswith("common/") and found[1]}
    why, low, every = reasons(), [], []
    for path, (lines, functions) in sorted(files.items()):
        every += lines.values()
        print(f"{share(lines.values()):6.1f} %  {len(lines):5}  {path}")
        if share(lines.values()) < WANTED:
            low.append(path)
    print(f"{share(every):6.1f} %  {len(every):5}  in all\n")
    unexplained = 0
    for path, (lines, functions) in sorted(files.items()):
        missed = {}
        for no in sorted(no for no, count in lines.items() if not count):
            name = max((f for f in functions if f[0] <= no), default=(0, "-"))[1]
            missed.setdefault(name, []).append(no)
        for name, numbers in missed.items():
            unexplained += (path, name) not in why
            print(f"{path} {name}: {why.get((path, name), 'lines ' + ' '.join(map(str, numbers)))}")
    if low or share(every) < WANTED:
        return f"less than {WANTED} %: {' '.join(low) or 'in all'}"
    return f"{unexplained} functions have lines that are neither run nor explained" if unexplained else 0


sys.exit(main())
