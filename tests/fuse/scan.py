#!/usr/bin/python3
"""scan.py PID TEXT...: how often does each TEXT stand in the memory of PID, in
UTF-8 and UTF-16?  One that begins with 0x is bytes, in hexadecimal.  Prints a number
for each.  Needs the rights of a debugger."""
import sys


def memory(pid):
    with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as mem:
        for line in maps:
            where, rights = line.split()[:2]
            if rights[0] != 'r' or '[v' in line:
                continue
            begin, end = (int(x, 16) for x in where.split('-'))
            try:
                mem.seek(begin)
                yield mem.read(end - begin)
            except (OSError, ValueError):
                pass


def written(text):
    if text.startswith('0x'):
        return [bytes.fromhex(text[2:])]
    return [text.encode('utf-8'), text.encode('utf-16-le')]


wanted = [written(text) for text in sys.argv[2:]]
counts = [0] * len(wanted)
for piece in memory(int(sys.argv[1])):
    for i, forms in enumerate(wanted):
        counts[i] += sum(piece.count(form) for form in forms)
print(*counts)
