#!/usr/bin/python3
"""What a tree on disk is, as text that diff can compare.

describe.py DIRECTORY private|full

One line for each name: all that a bundle keeps with that metadata."""
import hashlib
import os
import stat
import sys

CHUNK = 1 << 20


def content(path, size):
    """SHA-256 of the data; holes of a large file are passed over, but their
    places count."""
    total = hashlib.sha256()
    with open(path, 'rb') as f:
        at = 0
        while at < size:
            try:
                begin = os.lseek(f.fileno(), at, os.SEEK_DATA)
                end = os.lseek(f.fileno(), begin, os.SEEK_HOLE)
            except OSError:
                break
            f.seek(begin)
            while begin < end:
                data = f.read(min(CHUNK, end - begin))
                if not data:
                    break
                # What is zero is as good as a hole.
                for i in range(0, len(data), 4096):
                    block = data[i:i + 4096]
                    if block.strip(b'\0'):
                        total.update(b'%d:' % (begin + i) + block)
                begin += len(data)
            at = end
    return total.hexdigest()


def describe(path, name, full, writable):
    s = os.lstat(path)
    words = [os.fsencode(name)]
    kind = stat.S_IFMT(s.st_mode)
    mode = stat.S_IMODE(s.st_mode)
    if kind == stat.S_IFLNK:
        words += [b'symlink', os.readlink(os.fsencode(path))]
    else:
        # Private metadata keeps who may read and execute; whoever extracts
        # may write, less their umask.
        words.append(b'%o' % (mode if full else mode & 0o555 & writable))
    if kind == stat.S_IFREG:
        words += [b'file', b'%d' % s.st_size, content(path, s.st_size).encode()]
    if kind == stat.S_IFDIR:
        words.append(b'directory')
    else:
        words.append(b'links %d' % s.st_nlink)
    words.append(b'%d' % (s.st_mtime_ns if full else s.st_mtime_ns // (86400 * 10**9)))
    if full:
        words.append(b'%d:%d' % (s.st_uid, s.st_gid))
        for key in sorted(os.listxattr(path, follow_symlinks=False)):
            words.append(key.encode() + b'=' + os.getxattr(path, key, follow_symlinks=False))
    return repr(b' '.join(words))


def main(root, metadata):
    full = metadata == 'full'
    umask = os.umask(0)
    lines = []
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = os.path.join(directory, name)
            lines.append(describe(path, os.path.relpath(path, root), full, ~umask))
    print('\n'.join(sorted(lines)))


main(*sys.argv[1:])
