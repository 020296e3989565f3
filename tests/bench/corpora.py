"""What is packed: real files out of Debian's packages, and a tree of tiny ones.

Packages are downloaded with apt-get, kept, and unpacked; nothing is installed.  A corpus
that is there is never made again: its directory gets its name when it is complete."""
import os
import stat
import subprocess

from measure import Failed, say

PACKAGES = {
    'media': ['supertuxkart-data', 'supertux-data', 'wesnoth-1.16-music', 'warzone2100-music',
              'hedgewars-data'],
    'source': ['linux-source-6.1'],
    'documents': ['debian-handbook', 'debian-reference-en', 'python3.11-doc', 'r-doc-pdf',
                  'texlive-pictures-doc', 'rust-doc', 'postgresql-doc-15'],
}

# Films as a camera writes them: noise makes every picture new, so that nothing in them
# compresses or is there twice.  Name, picture, sound, seconds, bits a second.
FILMS = [
    ('feature.mp4', 'testsrc2=size=1280x720:rate=30,noise=alls=35:allf=t:all_seed=7', 105, '58M'),
    ('clip.mp4', 'testsrc2=size=1920x1080:rate=30,noise=alls=12:allf=t:all_seed=11', 20, '50M'),
]

TINY_IN_A_DIRECTORY = 1000


class Corpora:
    def __init__(self, where, packages):
        self.where, self.packages = where, packages
        os.makedirs(where, exist_ok=True)
        os.makedirs(packages, exist_ok=True)

    def get(self, name, count=0):
        """The path of a corpus, made if need be.  For 'tiny', of count files."""
        path = f'{self.where}/{name}{count or ""}'
        if not os.path.isdir(path):
            say(f'making the corpus {os.path.basename(path)}, which takes a while')
            new = path + '.new'
            subprocess.run(['rm', '-rf', new], check=True)
            os.mkdir(new)
            if name == 'tiny':
                make_tiny(new, count)
            else:
                self.make(name, new)
            if not length(new)[1]:
                raise Failed(f'nothing is in the corpus {name}')
            os.rename(new, path)
        return os.path.realpath(path)

    def make(self, name, new):
        for package in PACKAGES[name]:
            subprocess.run(['dpkg-deb', '-x', self.fetch(package), f'{new}/{package}'], check=True)
        if name == 'source':
            unpack_source(new)
        if name == 'media':
            os.mkdir(new + '/films')
            for film in FILMS:
                make_film(f'{new}/films', *film)
        # Links out of a package lead nowhere here.
        if name != 'source':
            subprocess.run(['find', new, '-type', 'l', '-delete'], check=True)

    def fetch(self, package):
        """The file of a package, downloaded if it is not there."""
        def have():
            return next((f'{self.packages}/{f}' for f in sorted(os.listdir(self.packages))
                         if f.startswith(package + '_') and f.endswith('.deb')), None)
        if not have():
            say(f'downloading {package}')
            said = subprocess.run(['apt-get', 'download', '-q', package], cwd=self.packages,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False).stdout
            if not have():
                raise Failed(f'cannot download {package}: {said.strip()}')
        return have()


def unpack_source(new):
    """In a directory of its own: what is in the archive is called like its package."""
    archive = next(os.path.join(d, f) for d, _, files in os.walk(new) for f in files
                   if f.endswith('.tar.xz'))
    os.mkdir(f'{new}/tree')
    subprocess.run(['tar', 'xJf', archive, '-C', f'{new}/tree'], check=True)
    subprocess.run(['rm', '-rf', f'{new}/{PACKAGES["source"][0]}'], check=True)


def make_film(where, name, picture, seconds, rate):
    subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-f', 'lavfi', '-i', picture,
                    '-f', 'lavfi', '-i', 'anoisesrc=r=44100:a=0.2:seed=3:c=pink',
                    '-t', str(seconds), '-c:v', 'libx264', '-preset', 'ultrafast',
                    '-pix_fmt', 'yuv420p', '-b:v', rate, '-minrate', rate, '-g', '60',
                    '-c:a', 'aac', f'{where}/{name}'], check=True)


def make_tiny(new, count):
    """count files of 0 to 400 bytes, all different, in directories of a thousand."""
    for n in range(count):
        if n % TINY_IN_A_DIRECTORY == 0:
            directory = f'{new}/{n // TINY_IN_A_DIRECTORY:04d}'
            os.mkdir(directory)
        text = ' '.join(str(n * k % 1000003) for k in range(n % 60))
        with open(f'{directory}/note-{n:07d}.txt', 'w') as file:
            file.write(text)


def length(path):
    """Bytes and number of the regular files below path."""
    total = count = 0
    for directory, _, files in os.walk(path):
        for name in files:
            status = os.lstat(os.path.join(directory, name))
            if stat.S_ISREG(status.st_mode):
                total, count = total + status.st_size, count + 1
    return total, count


def largest(path):
    """The path, below path, of its largest file."""
    best = (-1, '')
    for directory, _, files in os.walk(path):
        for name in files:
            full = os.path.join(directory, name)
            best = max(best, (os.lstat(full).st_size, os.path.relpath(full, path)))
    return best[1]


def warm(path):
    """Bring everything below path into the page cache."""
    subprocess.run(f'tar cf - -C "{path}" . | cat >/dev/null', shell=True, check=True)


def cool(path):
    """And out again: what others keep there takes room from who is measured next."""
    for directory, _, files in os.walk(path):
        for name in files:
            try:
                fd = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NOFOLLOW)
            except OSError:
                continue
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)
