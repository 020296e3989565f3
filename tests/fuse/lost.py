#!/usr/bin/python3
"""Damage to a bundle of one volume, and what a mount of it gives out.

lost.py hurt SORT KEY-FILE BUNDLE HURT
    Write HURT, which is BUNDLE with pages that are "mended" (as many as parity has),
    "zeroed" (more) or "swapped" (more); print where, as OFFSET+LENGTH,OFFSET+LENGTH...
lost.py look UNIT KEY-FILE HURT SOURCE DIRECTORY
    Four readers at once: what is read in DIRECTORY is what SOURCE has, and EIO just where
    decode.py, which was written from the manual alone, finds no way to the bytes; in UNITs
    of so many bytes.  Prints the inodes of which something is lost."""
import errno
import os
import random
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
import decode

PAGE, SECTOR = decode.PAGE, 512


def bundle_of(key, path):
    with open(key, 'rb') as file:
        return decode.Bundle([path], (None, decode.key_file_of(file.read()), []))


def offset_of(volume, t):
    return PAGE * (1 + volume.place_of(t))


def hurt(sort, key, whole, path):
    volume = bundle_of(key, whole).root
    assert volume.bands == 1
    m, columns = volume.m, volume.columns
    with open(whole, 'rb') as file:
        data = bytearray(file.read())
    if sort == 'mended':
        places = [(offset_of(volume, t), PAGE) for t in range(20, 20 + columns)]
        places += [(offset_of(volume, t) + t % 32 * SECTOR, SECTOR)
                   for t in range(20 + 9 * columns, 20 + (8 + m) * columns)]
    else:
        places = [(offset_of(volume, t), PAGE) for t in range(20, 20 + m * columns + 2)]
        places += [(offset_of(volume, t) + t % 32 * SECTOR, SECTOR) for t in range(60, 60 + m * columns)]
    for at, length in places:
        if sort == 'swapped':
            other = at + length if at + 2 * length < len(data) else at - length
            data[at:at + length], data[other:other + length] = data[other:other + length], data[at:at + length]
        else:
            data[at:at + length] = bytes(length)
    with open(path, 'wb') as file:
        file.write(data)
    print(','.join(f'{at}+{length}' for at, length in places))


def is_lost(volume, first, last):
    try:
        for i in range(first // decode.PAYLOAD, last // decode.PAYLOAD + 1):
            volume.data_page(i)
    except decode.Damaged:
        return True
    return False


def lost_bytes(bundle, entry):
    """Of a file that is not sparse: from where to where they are lost."""
    volume, lost, at = bundle.root, [], 0
    while at < entry.size:
        s = next(bundle.segments(entry.address + at))
        front = entry.address + at - s.address
        length = min(entry.size - at, s.length - front)
        first = volume.content_begins + s.offset
        last = first + s.stored - 1
        if not s.frame:
            first += front
            length = min(length, decode.PAYLOAD - first % decode.PAYLOAD)
            last = first + length - 1
        if is_lost(volume, first, last):
            lost.append((at, at + length))
        at += length
    return lost


class Reader(threading.Thread):
    def __init__(self, seed, files, wrong):
        super().__init__()
        self.random, self.files, self.wrong = random.Random(seed), list(files), wrong

    def run(self):
        self.random.shuffle(self.files)
        for name, source, path, lost in self.files:
            with open(source, 'rb') as file:
                content = file.read()
            fd = os.open(path, os.O_RDONLY)
            places = [(at, 4096) for at in range(0, len(content), 4096)]
            places += [(self.random.randrange(len(content)), self.random.randrange(1, 300000)) for _ in range(5)]
            for at, length in places:
                self.read(name, fd, content, lost, at, length)
            os.close(fd)

    def read(self, name, fd, content, lost, at, length):
        stop = min(at + length, len(content))
        readable = min([max(begin, at) for begin, end in lost if begin < stop and end > at], default=stop)
        try:
            got = os.pread(fd, length, at)
        except OSError as error:
            if readable == stop or error.errno != errno.EIO:
                self.wrong.append(f'{name}: {length} bytes at {at}: {errno.errorcode[error.errno]}')
            return
        if got != content[at:at + len(got)] or at + len(got) > readable or (readable == stop and len(got) < stop - at):
            self.wrong.append(f'{name}: {len(got)} of {length} bytes at {at}, with {readable - at} that can be read')


def look(unit, key, path, source, directory):
    bundle = bundle_of(key, path)
    files, wrong, entry = [], [], bundle.entry(0)
    for child in bundle.listing(entry)[0]:
        name = child.name.decode()
        lost = [(begin // int(unit) * int(unit), -(-end // int(unit)) * int(unit))
                for begin, end in lost_bytes(bundle, child)]
        files.append((name, os.path.join(source, name), os.path.join(directory, name), lost))
    readers = [Reader(seed, files, wrong) for seed in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if wrong:
        sys.exit('\n'.join(wrong[:10]))
    print(*sorted(str(os.stat(path).st_ino) for _, _, path, lost in files if lost), sep='\n')


{'hurt': hurt, 'look': look}[sys.argv[1]](*sys.argv[2:])
