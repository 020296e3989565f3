"""Who is measured, and the lines of shell that do it.

A line finds, in its environment:
  SRC     the tree that is packed           OUT    an empty directory for what is made of it
  DEST    an empty directory to extract to  FILE   a path in SRC      MNT  a mount point
  STATE   keys, kept between runs           PW     a passphrase

Every pack line ends when what it has written is on the drive (sync): a bundle that is in
memory only is not made.  A mount line stays in the foreground."""
import shutil


class Contestant:
    """root: only root can do that.  workers, signed: of satchel-pack.  of: who makes what it
    reads, and is measured at that."""

    def __init__(self, name, needs='', encrypts=True, root=False, workers=0, signed=False, of=None,
                 **lines):
        self.name, self.needs, self.lines = name, needs.split(), lines
        self.encrypts, self.root = encrypts, root
        self.workers, self.signed, self.of = workers, signed, of

    def missing(self):
        """The first program that is needed and not to be had."""
        return next((program for program in self.needs if not shutil.which(program)), None)


KEY = '--key-file "$STATE/key"'
PACK = f'"$BUILD/satchel-pack" -q {KEY} -o "$OUT/bundle"'
READ = '"$BUILD/satchel-read"'
MOUNT = f'exec "$BUILD/satchel-mount" -q -f {KEY}'


def pack_line(jobs=None, parity=4, signed=False, verify=True, paths='"$SRC/."'):
    options = [f'--parity {parity}']
    if jobs:
        options.append(f'--jobs {jobs}')
    if signed:
        options.append('--sign "$STATE/sign.key"')
    if not verify:
        options.append('--no-verify')
    return f'{PACK} {" ".join(options)} {paths}'


READING = {
    'ls': f'{READ} ls -R -l {KEY} "$OUT/bundle"',
    'cat': f'{READ} cat {KEY} "$OUT/bundle" "$FILE"',
    'verify': f'{READ} verify {KEY} "$OUT/bundle"',
    'info': f'{READ} info --json {KEY} "$OUT/bundle"',
    'extract': f'{READ} extract -C "$DEST" {KEY} "$OUT/bundle"',
}


REFERENCE = 'satchel, parity 0, no verify'


def packers(cores):
    """Ourselves: first as we are compared with others, last as we are by default."""
    made = []
    for parity in (0, 4):
        for signed in (False, True):
            for jobs in sorted({cores, 1}, reverse=True):
                name = f'satchel, parity {parity}, no verify'
                name += ', signed' if signed else ''
                name += ', 1 worker' if jobs < cores else ''
                made.append(Contestant(name, workers=jobs, signed=signed,
                                       pack=pack_line(jobs, parity, signed, False)))
    for signed in (False, True):
        made.append(Contestant('satchel, default' + (', signed' if signed else ''),
                               workers=cores, signed=signed, pack=pack_line(signed=signed)))
    return made


BORG = 'export BORG_PASSPHRASE="$PW" BORG_BASE_DIR="$STATE/borg" ' \
       'BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes; '
RESTIC = 'export RESTIC_PASSWORD="$PW" RESTIC_CACHE_DIR="$OUT.cache"; '
CRYFS = 'export CRYFS_FRONTEND=noninteractive CRYFS_NO_UPDATE_CHECK=true ' \
        'CRYFS_LOCAL_STATE_DIR="$STATE/cryfs"; '

# An encrypted directory is filled through its mount.  $!: what serves it, which is waited
# for, so that its time counts and all of it is written.
FILL = '''
for i in $(seq 3000); do mountpoint -q "$OUT.mnt" && break; kill -0 $! || exit 1; sleep 0.01; done
cp -r "$SRC/." "$OUT.mnt/"
fusermount3 -u "$OUT.mnt"; wait $!; sync -f "$OUT"'''
INTO = 'mkdir -p "$OUT.mnt" "$OUT/c"; '

MKSQUASHFS = 'mksquashfs "$SRC" "$OUT/a" -comp zstd -Xcompression-level 3 -quiet' \
             ' -no-progress -no-xattrs; sync "$OUT/a"'

PEERS = [
    Contestant('cp', encrypts=False, pack='cp -r "$SRC/." "$OUT/"; sync -f "$OUT"'),
    Contestant('tar', 'tar', encrypts=False,
               pack='tar cf - -C "$SRC" . | cat >"$OUT/a"; sync "$OUT/a"',
               ls='tar tvf "$OUT/a"', cat='tar xOf "$OUT/a" "./$FILE"',
               extract='tar xf "$OUT/a" -C "$DEST"'),
    Contestant('tar|zstd', 'tar zstd', encrypts=False,
               pack='tar cf - -C "$SRC" . | zstd -q -T0 -3 >"$OUT/a"; sync "$OUT/a"',
               ls='zstd -qdc "$OUT/a" | tar tvf -',
               extract='zstd -qdc "$OUT/a" | tar xf - -C "$DEST"'),
    Contestant('tar|zstd|age', 'tar zstd age',
               pack='tar cf - -C "$SRC" . | zstd -q -T0 -3 | age -R "$STATE/age.pub" >"$OUT/a";'
                    ' sync "$OUT/a"',
               ls='age -d -i "$STATE/age.key" "$OUT/a" | zstd -qdc | tar tvf -',
               cat='age -d -i "$STATE/age.key" "$OUT/a" | zstd -qdc | tar xOf - "./$FILE"',
               verify='age -d -i "$STATE/age.key" "$OUT/a" | zstd -qt',
               extract='age -d -i "$STATE/age.key" "$OUT/a" | zstd -qdc | tar xf - -C "$DEST"'),
    Contestant('7-Zip', '7zz',
               pack='cd "$SRC"; 7zz a -bd -bso0 -mx=1 -mhe=on -p"$PW" "$OUT/a.7z" .;'
                    ' sync "$OUT/a.7z"',
               ls='7zz l -bd -p"$PW" "$OUT/a.7z"', cat='7zz x -bd -so -p"$PW" "$OUT/a.7z" "$FILE"',
               verify='7zz t -bd -bso0 -p"$PW" "$OUT/a.7z"',
               extract='7zz x -bd -bso0 -p"$PW" -o"$DEST" "$OUT/a.7z"'),
    Contestant('dar', 'dar',
               pack='dar -N -Q -q -c "$OUT/a" -R "$SRC" -zzstd:3 -K "aes:$PW" -w; sync "$OUT"/a.*',
               ls='dar -N -Q -l "$OUT/a" -K "aes:$PW"',
               cat='dar -N -Q -q -x "$OUT/a" -R "$DEST" -K "aes:$PW" -O -w -g "$FILE";'
                   ' cat "$DEST/$FILE"',
               verify='dar -N -Q -q -t "$OUT/a" -K "aes:$PW"',
               extract='dar -N -Q -q -x "$OUT/a" -R "$DEST" -K "aes:$PW" -O -w'),
    Contestant('borg', 'borg',
               pack=BORG + 'borg init -e repokey-blake2 "$OUT/r" 2>&1; cd "$SRC";'
                           ' borg create -C zstd,3 "$OUT/r::a" .; sync -f "$OUT"',
               ls=BORG + 'borg list "$OUT/r::a"',
               cat=BORG + 'borg extract --stdout "$OUT/r::a" "$FILE"',
               verify=BORG + 'borg check --verify-data "$OUT/r"',
               extract=BORG + 'cd "$DEST"; borg extract "$OUT/r::a"',
               mount=BORG + 'exec borg mount -f "$OUT/r::a" "$MNT"'),
    Contestant('restic', 'restic',
               pack=RESTIC + 'restic -q init --repository-version 2 -r "$OUT/r"; cd "$SRC";'
                             ' restic -q -r "$OUT/r" backup .; sync -f "$OUT"',
               ls=RESTIC + 'restic -q -r "$OUT/r" ls -l latest',
               cat=RESTIC + 'restic -q -r "$OUT/r" dump latest "/$FILE"',
               verify=RESTIC + 'restic -q -r "$OUT/r" check --read-data',
               extract=RESTIC + 'restic -q -r "$OUT/r" restore latest --target "$DEST"',
               mount=RESTIC + 'exec restic -q -r "$OUT/r" mount "$MNT"',
               root_is='echo "$MNT/snapshots/latest/."'),
    Contestant('gocryptfs', 'gocryptfs fusermount3',
               pack=INTO + 'gocryptfs -q -init -extpass "echo $PW" "$OUT/c";'
                           ' gocryptfs -q -fg -extpass "echo $PW" "$OUT/c" "$OUT.mnt" &' + FILL,
               mount='exec gocryptfs -q -fg -ro -extpass "echo $PW" "$OUT/c" "$MNT"'),
    Contestant('securefs', 'securefs fusermount3',
               pack=INTO + 'securefs create --pass "$PW" "$OUT/c";'
                           ' securefs mount --pass "$PW" "$OUT/c" "$OUT.mnt" &' + FILL,
               mount='exec securefs mount --pass "$PW" "$OUT/c" "$MNT"'),
    Contestant('cryfs', 'cryfs fusermount3',
               pack=INTO + CRYFS + 'cryfs -f --allow-replaced-filesystem "$OUT/c" "$OUT.mnt"'
                                   ' <<<"$PW" &' + FILL,
               mount=CRYFS + 'exec cryfs -f --allow-replaced-filesystem "$OUT/c" "$MNT" <<<"$PW"'),
    Contestant('mksquashfs', 'mksquashfs', encrypts=False, pack=MKSQUASHFS),
    Contestant('unsquashfs', 'mksquashfs unsquashfs', encrypts=False, of='mksquashfs',
               pack=MKSQUASHFS,
               ls='unsquashfs -ll "$OUT/a"', cat='unsquashfs -cat "$OUT/a" "$FILE"',
               extract='unsquashfs -quiet -no-progress -f -d "$DEST" "$OUT/a"'),
    Contestant('squashfuse', 'mksquashfs squashfuse_ll', encrypts=False, of='mksquashfs',
               pack=MKSQUASHFS, mount='exec squashfuse_ll -f "$OUT/a" "$MNT"'),
    Contestant('squashfs in the kernel', 'mksquashfs', encrypts=False, root=True, of='mksquashfs',
               pack=MKSQUASHFS, mount='mount -o loop,ro -t squashfs "$OUT/a" "$MNT"'),
]
