#!/usr/bin/python3
"""compare.py EXPECT DIRECTORY: is what is mounted there what was packed?

EXPECT has a JSON line for each entry.  Compares everything that stat(2),
readlink(2), listxattr(2), lseek(2) and read(2) tell; files that EXPECT calls
damaged must fail with EIO and nothing else."""
import base64
import errno
import hashlib
import json
import os
import stat
import sys

wrong = 0
FULL = 'nanoseconds'


def say(path, what, got, expected):
    global wrong
    wrong += 1
    if wrong <= 10:
        print(f'{path[-60:]!r}: {what} is {str(got)[:200]}, not {str(expected)[:200]}')


def raw(entry, key):
    if key + '_b64' in entry:
        return base64.b64decode(entry[key + '_b64'])
    return entry[key].encode()


def runs(fd, size):
    found, at = [], 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as e:
            if e.errno == errno.ENXIO:
                break
            raise
        end = os.lseek(fd, at, os.SEEK_HOLE)
        found.append([at, end - at])
        at = end
    return found


def joined(pieces):
    out = []
    for off, length in pieces:
        if out and out[-1][0] + out[-1][1] == off:
            out[-1][1] += length
        else:
            out.append([off, length])
    return out


def attributes(path):
    """An access control list that is none the kernel itself refuses to show."""
    out = []
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as e:
        if e.errno != errno.ENOTSUP:
            raise
        names = []
    for name in sorted(names):
        if not name.startswith('system.posix_acl_'):
            value = os.getxattr(path, name, follow_symlinks=False)
            out.append((name, len(value), hashlib.sha256(value).hexdigest()))
    return out


def has_no_other_attribute(path):
    try:
        os.getxattr(path, 'user.there is no such', follow_symlinks=False)
    except OSError as e:
        return e.errno in (errno.ENODATA, errno.ENOTSUP)
    return False


def user(number):
    """No user has the largest number; the kernel shows 65534 instead."""
    return 65534 if number == 2**32 - 1 else number


def near(path):
    """A path that the kernel takes, from a directory nearer to it."""
    os.chdir(b'/')
    while len(path) > 4000:
        cut = path.rindex(b'/', 0, 4000)
        os.chdir(path[:cut])
        path = path[cut + 1:]
    return path


def check_file(entry, full, path):
    try:
        with open(full, 'rb') as f:
            digest = hashlib.sha256(f.read()).hexdigest()
            if 'runs' in entry:
                got = runs(f.fileno(), entry['size'])
                if got != joined(entry['runs']):
                    say(path, 'runs', got, entry['runs'])
    except OSError as e:
        if 'error' not in entry or e.errno != errno.EIO:
            say(path, 'reading', e.strerror, entry.get('sha256'))
        return
    if digest != entry.get('sha256'):
        say(path, 'sha256', digest, entry.get('sha256', entry.get('error')))


def check(entry, directory, inodes):
    path = raw(entry, 'path')
    full = near(os.path.join(directory, path))
    st = os.lstat(full)
    kind = entry['kind']
    inodes[path] = st.st_ino
    if kind == 'hardlink':
        of = raw(entry, 'of')
        if inodes[of] != st.st_ino:
            say(path, 'inode', st.st_ino, inodes[of])
        kind = 'symlink' if stat.S_ISLNK(st.st_mode) else 'file'
    for what, got, expected in (
            ('kind', stat.S_IFMT(st.st_mode),
             {'file': stat.S_IFREG, 'directory': stat.S_IFDIR, 'symlink': stat.S_IFLNK}[kind]),
            ('mode', None if kind == 'symlink' else '%04o' % stat.S_IMODE(st.st_mode),
             None if kind == 'symlink' else entry['mode']),
            ('mtime', st.st_mtime_ns, entry['mtime'] * 10**9 + entry.get(FULL, 0)),
            ('uid', st.st_uid, user(entry['uid']) if FULL in entry else os.getuid()),
            ('gid', st.st_gid, user(entry['gid']) if FULL in entry else os.getgid()),
            ('links', 1 if kind == 'directory' else st.st_nlink, entry.get('links', 1))):
        if got != expected:
            say(path, what, got, expected)
    expected = sorted((os.fsdecode(raw(x, 'name')), x['length'], x['sha256']) for x in entry.get('xattrs', [])
                      if not x['name'].startswith('system.posix_acl_'))
    if attributes(full) != expected:
        say(path, 'attributes', attributes(full), expected)
    if not has_no_other_attribute(full):
        say(path, 'an attribute that is not there', 'found', 'ENODATA')
    if kind == 'symlink' and os.readlink(full) != raw(entry, 'target'):
        say(path, 'target', os.readlink(full), raw(entry, 'target'))
    if kind == 'file':
        if 'size' in entry and st.st_size != entry['size']:
            say(path, 'size', st.st_size, entry['size'])
        check_file(entry, full, path)


def main():
    directory = os.fsencode(sys.argv[2])
    expected, inodes = set(), {}
    with open(sys.argv[1]) as lines:
        for line in lines:
            entry = json.loads(line)
            expected.add(raw(entry, 'path'))
            try:
                check(entry, directory, inodes)
            except OSError as e:
                say(raw(entry, 'path'), 'looking at it', e.strerror, entry)
    found = {b'.'}
    os.chdir(b'/')
    for at, directories, files, _ in os.fwalk(directory):
        for name in directories + files:
            found.add(os.path.join(at, name)[len(directory) + 1:])
    for path in sorted(found ^ expected)[:10]:
        say(path, 'being there', path in found, path in expected)
    sys.exit(1 if wrong else 0)


main()
