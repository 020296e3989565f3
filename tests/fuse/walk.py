#!/usr/bin/python3
"""walk.py DIRECTORY [FILE...]: look at everything that a mount shows, as programs do.

For mounts of bundles with something wrong: errors are counted, not judged, but
they must be EIO, the walk must come to an end, and each directory must be met
once only.  Prints how many names were seen and how many errors; then for each FILE
in DIRECTORY of which anything is released what `sha256sum' says of that much."""
import errno
import hashlib
import os
import stat
import sys

NAMES_MAX, DEPTH_MAX, PIECE = 100000, 200, 1 << 20

names = errors = 0
seen = set()


def attempt(call, *arguments):
    """What call returns; None where it fails as damage does."""
    global errors
    try:
        return call(*arguments)
    except OSError as e:
        if e.errno not in (errno.EIO, errno.ENODATA, errno.ENXIO, errno.ENAMETOOLONG, errno.ENOTSUP):
            sys.exit(f'{arguments[0]!r}: {errno.errorcode.get(e.errno)}')
        errors += e.errno == errno.EIO
        return None


def look_at_file(path, size):
    fd = attempt(os.open, path, os.O_RDONLY)
    if fd is None:
        return
    for off in (0, size // 2, max(0, size - PIECE)):
        got = attempt(os.pread, fd, PIECE, off)
        if got is not None and len(got) > max(0, size - off):
            sys.exit(f'{path!r}: {len(got)} bytes at {off} of {size}')
        attempt(os.lseek, fd, off, os.SEEK_DATA)
        attempt(os.lseek, fd, off, os.SEEK_HOLE)
    os.close(fd)


def look_at(path, depth):
    global names
    names += 1
    if names > NAMES_MAX or depth > DEPTH_MAX:
        sys.exit('the walk does not end')
    st = attempt(os.lstat, path)
    if st is None:
        return
    for name in attempt(os.listxattr, path) or [] if not stat.S_ISLNK(st.st_mode) else []:
        attempt(os.getxattr, path, name)
    if stat.S_ISLNK(st.st_mode):
        attempt(os.readlink, path)
    elif stat.S_ISREG(st.st_mode):
        look_at_file(path, st.st_size)
    elif stat.S_ISDIR(st.st_mode):
        look_into(path, st.st_ino, depth)
    else:
        sys.exit(f'{path!r}: mode {st.st_mode:o}')


def look_into(path, inode, depth):
    global errors
    if inode in seen:
        sys.exit(f'{path!r}: a directory for the second time')
    seen.add(inode)
    entries = attempt(os.open, path, os.O_RDONLY | os.O_DIRECTORY)
    if entries is None:
        return
    found = []
    with_error = os.scandir(entries)
    while True:
        entry = attempt(next, with_error, None)
        if entry is None:
            break
        found.append(entry.name)
    os.close(entries)
    for name in found:
        if '/' in name or name in ('', '.', '..') or '\0' in name:
            sys.exit(f'{path!r}: the name {name!r}')
        look_at(os.path.join(path, name), depth + 1)


def release(path):
    """What comes of a file before an error."""
    content = b''
    fd = attempt(os.open, path, os.O_RDONLY) if os.path.lexists(path) else None
    while fd is not None and (piece := attempt(os.read, fd, PIECE)):
        content += piece
    return content


look_at(sys.argv[1], 0)
print(names, errors)
for name in sys.argv[2:]:
    content = release(os.path.join(sys.argv[1], name))
    if content:
        print(f'{hashlib.sha256(content).hexdigest()}  {name}')
