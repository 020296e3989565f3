"""What must not be found on a disk, and the search for it.

    desktop.py make TREE MARKS              pictures, a document; MARKS: one for names, one for text
    desktop.py careless TREE MARKS DIR...   write all of it into each DIR, in every encoding
    desktop.py search IMAGE TREE MARKS      prints KIND and how many of it are in IMAGE
"""
import base64
import hashlib
import io
import os
import random
import re
import sys
import urllib.parse

from PIL import Image, ImageFile, PngImagePlugin

PICTURES = 50
WIDE, HIGH, SIDE = 8, 6, 128
# Where the tree is seen: on the plain mount, in a private session, by the careless one.
PLACES = '/home/u/m', '/tmp/files'


def palettes(marks):
    """For each picture the colours of its squares, row by row."""
    rng = random.Random(marks)
    return [[tuple(rng.randrange(256) for _ in range(3)) for _ in range(WIDE * HIGH)] for _ in range(PICTURES)]


def draw(palette):
    small = Image.new('RGB', (WIDE, HIGH))
    small.putdata(palette)
    return small.resize((WIDE * SIDE, HIGH * SIDE), Image.Resampling.NEAREST)


def document(text):
    """A page with a text and a title, neither compressed."""
    page = b'BT /F1 24 Tf 72 700 Td (%s) Tj ET' % text
    objects = (
        b'<</Type/Catalog/Pages 2 0 R>>',
        b'<</Type/Pages/Kids[3 0 R]/Count 1>>',
        b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>',
        b'<</Length %d>>stream\n%s\nendstream' % (len(page), page),
        b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>',
        b'<</Title(%s)>>' % text)
    out, places = b'%PDF-1.4\n', []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b'%d 0 obj%sendobj\n' % (number, body)
    table = b''.join(b'%010d 00000 n \n' % p for p in places)
    return out + b'xref\n0 7\n0000000000 65535 f \n%strailer<</Size 7/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF\n' % (
        table, len(out))


def make(tree, marks):
    name, text = marks.split()
    os.makedirs(f'{tree}/pictures')
    for i, palette in enumerate(palettes(marks)):
        path = f'{tree}/pictures/사진 {name} {i}'
        if i % 2:
            said = PngImagePlugin.PngInfo()
            said.add_text('Comment', text)
            draw(palette).save(path + '.png', pnginfo=said)
        else:
            draw(palette).save(path + '.jpg', comment=text)
    with open(f'{tree}/글 {name}.pdf', 'wb') as f:
        f.write(document(text.encode()))


# --- what is searched for ------------------------------------------------------------


def in_base64(mark):
    """What is the same of it wherever it stands in what was encoded."""
    for before in range(3):
        code = base64.b64encode(b'x' * before + mark + b'xx')
        yield code[(before * 8 + 5) // 6:(before + len(mark)) * 8 // 6]


def every_encoding(what, mark):
    yield f'{what}, as it is', mark
    yield f'{what}, UTF-16', mark.decode().encode('utf-16-le')[:-1]
    yield f'{what}, hexadecimal', mark.hex().encode()
    yield f'{what}, hexadecimal', mark.hex().upper().encode()
    for code in in_base64(mark):
        yield f'{what}, base64', code


def files_of(tree):
    for where, _, names in sorted(os.walk(tree)):
        for name in sorted(names):
            yield os.path.relpath(os.path.join(where, name), os.path.dirname(tree)), os.path.join(where, name)


def of_path(path):
    name = path.rpartition('/')[2]
    yield 'whole names, UTF-8', name.encode()
    yield 'whole names, percent', urllib.parse.quote(name).encode()
    for place in PLACES:
        full = f'{place}/{path}'
        for said in full, 'file://' + urllib.parse.quote(full):
            digest = hashlib.md5(said.encode())
            yield 'MD5 of paths and URIs', digest.hexdigest().encode()
            yield 'MD5 of paths and URIs', digest.hexdigest().upper().encode()
            yield 'MD5 of paths and URIs, binary', digest.digest()


def pieces(data):
    """Some of what is peculiar to a file: not its head, which others have too."""
    places = range(1024, len(data) - 32, max(32, len(data) // 3)) if len(data) > 1056 else ()
    for piece in (data[p:p + 32] for p in places):
        if len(set(piece)) > 16:
            yield 'pieces of files', piece


def runs(palette):
    """Twelve like pixels, in the orders that toolkits have."""
    r, g, b = palette[0]
    for pixel in (r, g, b), (b, g, r), (r, g, b, 255), (b, g, r, 255), (b, g, r, 0):
        yield 'runs of pixels', bytes(pixel) * 12


def canaries(tree, marks):
    name, text = (m.encode() for m in marks.split())
    yield from every_encoding('names', name)
    yield from every_encoding('text', text)
    for path, source in files_of(tree):
        yield from of_path(path)
        with open(source, 'rb') as f:
            yield from pieces(f.read())
    for palette in palettes(marks):
        yield from runs(palette)


def careless(tree, marks, directories):
    for directory in directories:
        try:
            with open(f'{directory}/careless', 'wb') as f:
                f.write(b'\n'.join(c for _, c in canaries(tree, marks)))
                f.flush()
                os.fsync(f.fileno())
            for i, palette in enumerate(palettes(marks)):
                draw(palette).resize((128, 96)).save(f'{directory}/careless-{i}.{"jpg" if i % 3 else "png"}')
            print('careless', directory)
        except OSError as e:
            print('kept from', directory, e.strerror)


# --- the search --------------------------------------------------------------------------


def written(image):
    """What there is on the disk, but for blocks of zeros; neighbours stay neighbours."""
    out = []
    with open(image, 'rb') as f:
        while block := f.read(4096):
            if block.strip(b'\0'):
                out.append(block)
    return b''.join(out)


def pictures_in(data):
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    for magic in b'\x89PNG\r\n\x1a\n', b'\xff\xd8\xff':
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            try:
                yield Image.open(io.BytesIO(data[at:at + (1 << 20)])).convert('RGB')
            except Exception:  # whatever a broken picture makes of the library
                continue


def like(picture, palette):
    """Are these its colours, at whatever size?"""
    wide, high = picture.size
    off = 0
    for i, colour in enumerate(palette):
        x, y = (2 * (i % WIDE) + 1) * wide // (2 * WIDE), (2 * (i // WIDE) + 1) * high // (2 * HIGH)
        off += sum(abs(a - b) for a, b in zip(picture.getpixel((x, y)), colour))
    return off < 15 * 3 * len(palette)


def search(image, tree, marks):
    data, found = written(image), {}
    digests = b' '.join(re.findall(rb'[0-9a-fA-F]{32,}', data))  # so many are sought in so little
    for kind, canary in canaries(tree, marks):
        found[kind] = found.get(kind, 0) + (canary in (digests if kind == 'MD5 of paths and URIs' else data))
    colours, seen = palettes(marks), set()
    for picture in pictures_in(data):
        seen.update(i for i, palette in enumerate(colours) if i not in seen and like(picture, palette))
    found['pictures, made small'] = len(seen)
    for kind, count in found.items():
        print(count, kind)


def main(verb, *words):
    if verb == 'careless':
        careless(words[0], words[1], words[2:])
    else:
        {'make': make, 'search': search}[verb](*words)


main(*sys.argv[1:])
