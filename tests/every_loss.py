#!/usr/bin/python3
"""every_loss.py READ KEY-FILE BUNDLE SOURCE EVERY [ONLY]: lose bytes of a small bundle in
every way, and ask satchel-read and decode.py, which was written from the manual alone,
what is left.

All verbs must have the exit code that follows, name exactly the files that are lost,
once and in one line each, and give out all others as they were packed.  Of damage that
is done page by page, each EVERYth page has it; but it is cut off behind every one.  ONLY
what is called so, if that is said.  Prints for each "ok" or "not ok", a tab, what was
lost, a tab, and what is wrong."""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import decode

PAGE, SECTOR = decode.PAGE, 512
decode.complain = lambda text: None


# What was lost

def zero(data, *ranges):
    for at, length in ranges:
        data = data[:at] + bytes(len(data[at:at + length])) + data[at + length:]
    return data


def swap(data, one, other, length):
    a, b = data[one:one + length], data[other:other + length]
    data = data[:one] + b + data[one + length:]
    return data[:other] + a + data[other + length:]


def losses(data, roots, every):
    """Of each: what it is, what is left, and what is told of the length."""
    end = len(data) - PAGE
    root = [(PAGE * (place + 1), PAGE) for place in roots]
    yield 'nothing', data, None
    yield 'header A', zero(data, (0, PAGE)), None
    yield 'header B', zero(data, (end, PAGE)), None
    yield 'both headers', zero(data, (0, PAGE), (end, PAGE)), None
    yield 'the first 64 KiB', zero(data, (0, 65536)), None
    yield 'the last 64 KiB', zero(data, (end + PAGE - 65536, 65536)), None
    for name in '0', '1', '2', '01', '02', '12', '012':
        yield 'roots ' + name, zero(data, *(root[int(c)] for c in name)), None
        yield f'roots {name} and header A', zero(data, (0, PAGE), *(root[int(c)] for c in name)), None
    for length in 31, 1024:
        more = random.randbytes(length)
        yield f'{length} bytes appended', data + more, None
        yield f'{length} bytes appended, header A', zero(data, (0, PAGE)) + more, None
        yield f'{length} bytes appended, header A, length given', zero(data, (0, PAGE)) + more, len(data)
    for length in range(0, len(data), PAGE):
        yield f'cut to {length} bytes', data[:length], None
        if length % (every * PAGE) == 0:
            yield f'cut to {length + 700} bytes', data[:length + 700], None
            yield f'cut to {length} bytes, header A', zero(data[:length], (0, PAGE)), len(data)
    for page in range(PAGE, end - PAGE, every * PAGE):
        sector = page + random.randrange(PAGE // SECTOR) * SECTOR
        yield f'the sector at {sector}', zero(data, (sector, SECTOR)), None
        yield f'the pages at {page} and behind it swapped', swap(data, page, page + PAGE, PAGE), None
        other = PAGE + random.randrange((end - PAGE) // SECTOR) * SECTOR
        if other != sector:
            yield f'the sectors at {sector} and {other} swapped', swap(data, sector, other, SECTOR), None
        burst = random.randrange(2, 7) * PAGE
        yield f'{burst} bytes at {page}', zero(data, (page, min(burst, end - page))), None


# What is left of it

class Left:
    """What decode.py says."""

    def __init__(self, path, key, length):
        secrets = (None, decode.key_file_of(key), [])
        self.good, self.bad, self.names = {}, set(), set()
        try:
            bundle = decode.Bundle([path], secrets, length)
        except decode.NoKey:
            self.refused = 12
            return
        except decode.Trouble:
            self.refused = 10
            return
        self.refused = None
        try:
            lines = decode.walk(bundle, True)
        except decode.Trouble:
            lines = [{'path': '.', 'kind': 'directory', 'error': 'damaged'}]
        for line in lines:
            self.names.add(line['path'])
            if 'error' in line:
                self.bad.add(line['path'])
            elif 'sha256' in line:
                self.good[line['path']] = line['sha256']
        info, = decode.information(bundle)['volumes']
        volume = bundle.root
        self.own = volume.root_pages + [volume.place_of(t) for t in
                                        range(volume.data_pages + volume.parity_pages)]
        self.headers = [any(decode.try_slots(header, k) for k in decode.combinations(header, 65536, *secrets))
                        for _, header in volume.headers(volume.length)]
        self.damaged = (info['pages lost'] or info['roots lost'] or info['cut off'] or not all(self.headers))
        self.lost = bool(self.bad or info['beyond repair'])
        self.code = 4 if self.lost else 5 if self.damaged else 0
        self.appended = info['appended']


class Asked:
    """What satchel-read says."""

    def __init__(self, read, key, length, verb, *rest):
        options = ['--length', str(length)] if length else []
        done = subprocess.run([read, verb, '-q', '--key-file', key, *options, *rest], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        self.code, self.out = done.returncode, done.stdout.splitlines()
        self.errors = done.stderr.splitlines()
        self.named = [line.removeprefix('satchel-read: ').split(': ')[0] for line in self.errors]


def files_below(directory):
    found = {}
    for at, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(at, name)
            if not os.path.islink(path):
                with open(path, 'rb') as file:
                    found[os.path.relpath(path, directory)] = hashlib.sha256(file.read()).hexdigest()
    return found


class Case:
    def __init__(self, read, key, place, whole, source):
        self.read, self.key, self.place, self.whole, self.source = read, key, place, whole, source
        self.path, self.new, self.out = (os.path.join(place, name) for name in ('hurt', 'new', 'out'))

    def demand(self, condition, *what):
        if not condition:
            self.wrong.append(' '.join(map(str, what)))

    def ask(self, verb, *rest):
        return Asked(self.read, self.key, self.length, verb, *rest, self.path)

    def judge(self, data, length):
        """What is wrong."""
        self.wrong, self.length = [], length
        with open(self.path, 'wb') as file:
            file.write(data)
        with open(self.key, 'rb') as file:
            self.left = Left(self.path, file.read(), length)
        shutil.rmtree(self.out, ignore_errors=True)
        if os.path.exists(self.new):
            os.remove(self.new)
        if self.left.refused:
            self.refuses()
        else:
            self.verifies()
            self.lists()
            self.extracts()
            self.repairs(data)
        return '; '.join(self.wrong)

    def refuses(self):
        for verb in ('verify',), ('ls',), ('extract', '-C', self.out), ('repair', '-o', self.new):
            asked = self.ask(*verb)
            self.demand(asked.code == self.left.refused and len(asked.errors) == 1 and not asked.out,
                        verb[0], asked.code, 'and not', self.left.refused, asked.errors, asked.out)
        self.demand(not os.path.exists(self.new) and not files_below(self.out), 'something was written')

    def names(self, verb, asked, code):
        self.demand(asked.code == code, f'{verb}: {asked.code} and not {code}')
        self.demand(sorted(asked.named) == sorted(self.left.bad),
                    f'{verb}: named {asked.errors} and not {sorted(self.left.bad)}')

    def verifies(self):
        asked, left = self.ask('verify'), self.left
        self.names('verify', asked, left.code)
        last = {0: 'healthy', 5: 'all files are whole', 4: 'lost: ' if left.bad else 'no file is lost'}[left.code]
        self.demand(asked.out and asked.out[-1].startswith(last), f'verify: {asked.out}')
        said = [line for line in asked.out if line.startswith('appended: ')]
        self.demand(len(said) == bool(left.appended) and all(f' {left.appended} ' in line for line in said),
                    f'verify: {said} and not {left.appended} bytes appended')

    def lists(self):
        asked, left = self.ask('ls', '-R'), self.left
        self.demand({'.', *asked.out} == left.names, f'ls: {asked.out} and not {sorted(left.names)}')
        unlisted = bool(left.bad - left.good.keys() and '.' in left.bad)
        self.demand(asked.code == 4 if unlisted else asked.code in (0, left.code, 5), f'ls: {asked.code}')
        self.demand(bool(left.damaged) or asked.code == 0, f'ls: {asked.code}, of what is healthy')

    def extracts(self):
        asked, left = self.ask('extract', '-C', self.out), self.left
        self.demand(asked.code == 4 if left.bad else asked.code == 0 or (asked.code == 5 and left.damaged),
                    f'extract: {asked.code}')
        self.demand(sorted(asked.named) == sorted(left.bad),
                    f'extract: named {asked.errors} and not {sorted(left.bad)}')
        got = files_below(self.out)
        self.demand(got == left.good, f'extract: {sorted(got)} and not {sorted(left.good)}')
        self.demand(got.items() <= self.source.items(), 'extract: something is not as it was packed')

    def repairs(self, data):
        asked, left = self.ask('repair', '-o', self.new), self.left
        own = [slice(PAGE * (place + 1), PAGE * (place + 2)) for place in left.own]
        own += [ends for ends, opens in zip((slice(PAGE), slice(-PAGE, None)), left.headers) if opens]
        # What no key at hand opens may be what somebody else has lost.
        others = all(page == theirs for page, theirs in zip(self.others(own, data), self.others(own, self.whole)))
        self.names('repair', asked, asked.code if (asked.code, left.code, others) == (5, 0, False) else left.code)
        if not os.path.exists(self.new):
            self.demand(False, 'repair: there is no copy')
            return
        with open(self.new, 'rb') as file:
            new = file.read()
        self.demand(len(new) == len(self.whole), f'repair: {len(new)} bytes')
        self.demand(left.lost or all(new[page] == self.whole[page] for page in own), 'repair: the copy is another')
        self.demand(not left.code == 0 or not others or new == self.whole, 'repair: it changed what was whole')
        with open(self.key, 'rb') as file:
            copy = Left(self.new, file.read(), None)
        self.demand(not copy.refused and copy.good == left.good, 'repair: the copy has other files')

    def others(self, own, data):
        """The pages of nobody, and the end of the area; of headers that do not open nothing."""
        known = {page.start for page in own}
        return [data[at:at + PAGE] for at in range(PAGE, len(self.whole) - PAGE, PAGE) if at not in known]


def main(read, key, bundle, source, every, only=''):
    random.seed(5)
    with open(bundle, 'rb') as file:
        whole = file.read()
    with open(key, 'rb') as file:
        volume = decode.Volume(bundle)
        volume.find_slot((None, decode.key_file_of(file.read()), []), None)
    with tempfile.TemporaryDirectory() as place:
        case = Case(read, key, place, whole, files_below(source))
        for what, data, length in losses(whole, volume.root_pages, int(every)):
            if only not in what:
                continue
            wrong = case.judge(data, length)
            print(f'{"not ok" if wrong else "ok"}\t{what}\t{wrong}', flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
