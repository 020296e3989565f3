#!/bin/bash
# Every call that would change something fails with EROFS, in both modes, for the
# user who mounted it.
. tests/fuse/lib.sh

cat >"$tmp/write.py" <<'EOF'
import ctypes, errno, os, sys

mount, libc = sys.argv[1], ctypes.CDLL(None, use_errno=True)
name = next(e.name for e in os.scandir(mount) if e.is_file(follow_symlinks=False))
old, new = os.path.join(mount, name), os.path.join(mount, 'new')


def fallocate():
    if libc.fallocate(os.open(old, os.O_WRONLY), 0, ctypes.c_long(0), ctypes.c_long(1)):
        raise OSError(ctypes.get_errno(), 'fallocate')


calls = {
    'open for writing': lambda: os.open(old, os.O_WRONLY),
    'open for both': lambda: os.open(old, os.O_RDWR),
    'append': lambda: os.open(old, os.O_WRONLY | os.O_APPEND),
    'truncate': lambda: os.truncate(old, 0),
    'open and truncate': lambda: os.open(old, os.O_RDONLY | os.O_TRUNC),
    'create': lambda: os.open(new, os.O_WRONLY | os.O_CREAT),
    'mkdir': lambda: os.mkdir(new),
    'mknod': lambda: os.mknod(new),
    'mkfifo': lambda: os.mkfifo(new),
    'symlink': lambda: os.symlink('to', new),
    'link': lambda: os.link(old, new),
    'unlink': lambda: os.unlink(old),
    'rmdir': lambda: os.rmdir(next(e.path for e in os.scandir(mount) if e.is_dir(follow_symlinks=False))),
    'rename': lambda: os.rename(old, new),
    'chmod': lambda: os.chmod(old, 0o600),
    'chown': lambda: os.chown(old, os.getuid(), -1),
    'utime': lambda: os.utime(old),
    'setxattr': lambda: os.setxattr(old, 'user.x', b'1'),
    'removexattr': lambda: os.removexattr(old, 'user.x'),
    'fallocate': fallocate,
    'chmod of the root': lambda: os.chmod(mount, 0o700),
}
wrong = 0
for what, call in calls.items():
    try:
        call()
        got = 0
    except OSError as e:
        got = e.errno
    if got != errno.EROFS:
        wrong = 1
        print(what, 'gave', errno.errorcode.get(got, got))
sys.exit(wrong)
EOF

# Mapped privately a file is a copy; shared and writable there is nothing to write.
cat >"$tmp/map.py" <<'EOF'
import errno, mmap, os, sys

fd = os.open(sys.argv[1], os.O_RDONLY)
for flags, rights in ((mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE), (mmap.MAP_SHARED, mmap.PROT_READ),
                      (mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)):
    try:
        mmap.mmap(fd, 1, flags, rights)
        print('maps', end=' ')
    except OSError as e:
        print(errno.errorcode[e.errno], end=' ')
EOF

bundle=$good/links.bundle
key=(--passphrase-file "$good/one.passphrase")
for mode in '' --cache; do
	up $mode
	ok "every call that writes is refused ${mode:-in private mode}" python3 "$tmp/write.py" "$mnt"
	like "and the mount says so" "$(grep -F " $mnt " /proc/self/mounts)" ' ro,nosuid,nodev,noexec,'
	if [ "$(id -u)" -eq 0 ] && mount -i -o remount,rw "$mnt" 2>/dev/null; then
		ok "so they are when somebody has mounted it otherwise" python3 "$tmp/write.py" "$mnt"
	else
		skip "so they are when somebody has mounted it otherwise" "only root can"
	fi
	down
	up $mode
	is "mapped privately, shared, and to be written ${mode:-in private mode}" \
		"$(python3 "$tmp/map.py" "$mnt/again")" "maps $([ "$mode" ] && echo maps || echo ENODEV) EACCES "
	down
done

up --exec
like "--exec leaves out noexec, and nothing else" "$(grep -F " $mnt " /proc/self/mounts)" ' ro,nosuid,nodev,relatime,'
down
finish
