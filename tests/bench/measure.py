"""One command, measured; many of them, in rounds; what came out, as JSON lines."""
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

TIMEOUT = float(os.environ.get('BENCH_TIMEOUT') or 600)


def say(text):
    print(f'{time.strftime("%T")} {text}', file=sys.stderr, flush=True)


class Failed(Exception):
    """A command that did not do what it was for; says what it said."""


class Done:
    """wall, cpu: seconds, cpu over all processes of the command.  peak: bytes, of the
    largest process among them."""

    def __init__(self, wall, usage, peak):
        self.wall, self.peak = wall, peak
        self.cpu = usage.ru_utime + usage.ru_stime


def run(line, where, timeout=TIMEOUT, out=subprocess.DEVNULL):
    """Run a line of shell in the environment `where` and wait for it, and for all that it
    waits for.  Failed: it took too long, or it did not end with 0."""
    late = threading.Event()
    peak = where['WORK'] + '/peak'
    # The kernel counts what a process was before exec, which is this one, as its peak; only
    # a small process can tell that of its children.
    words = ['/usr/bin/time', '-q', '-f', '%M', '-o', peak,
             'bash', '-c', 'set -e -o pipefail\n' + line]
    with open(where['WORK'] + '/stderr', 'w+b') as err:
        begin = time.perf_counter()
        child = subprocess.Popen(words, env=where, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=err, start_new_session=True)

        def stop():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)
        timer = threading.Timer(timeout, stop)
        timer.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if late.is_set():
            raise Failed(f'took longer than {timeout:.0f} s')
        if child.returncode:
            err.seek(max(0, err.tell() - 300))
            raise Failed(err.read().decode('utf8', 'replace').strip().replace('\n', '; ')
                         or f'exit code {child.returncode}')
    with open(peak) as file:
        return Done(wall, usage, int(file.read()) * 1024)


def remove(path):
    """All of it, and what a contestant that was stopped may have left mounted beside it."""
    subprocess.run(['fusermount3', '-q', '-u', '-z', path + '.mnt'], check=False)
    subprocess.run(['rm', '-rf', '--one-file-system', path, path + '.mnt', path + '.cache'],
                   check=True)


def clear(path):
    """An empty directory, on a drive that has nothing to be written any more."""
    remove(path)
    os.makedirs(path)
    subprocess.run(['sync', '-f', path], check=True)


def ask(line, where):
    """What a line of shell prints."""
    return subprocess.run(['bash', '-c', line], env=where, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=True, text=True).stdout


class Results:
    """Rows of figures.  A row is one contestant's figure of one kind in one case, with the
    value of every round in order, so that rows can be compared round by round."""

    def __init__(self, path=None):
        self.path, self.rows, self.head = path, {}, {}

    def add(self, section, case, who, metric, unit, value, limit=None, limit_is=None):
        """The value of one more round.  limit: the best that it could have been, in that
        round; limit_is: how that is computed."""
        row = self.rows.setdefault((section, case, who, metric), {
            'section': section, 'case': case, 'who': who, 'metric': metric, 'unit': unit,
            'values': []})
        row['values'].append(value)
        if limit:
            row.setdefault('limits', []).append(limit)
            row['limit_is'] = limit_is

    def miss(self, section, case, who, metric, why):
        """There is no figure, and this is why."""
        row = self.rows.setdefault((section, case, who, metric), {
            'section': section, 'case': case, 'who': who, 'metric': metric, 'unit': '',
            'values': []})
        row['missing'] = why
        say(f'  {who}: {why}')

    def save(self):
        with open(self.path, 'w') as file:
            file.write(json.dumps(self.head) + '\n')
            for row in self.rows.values():
                file.write(json.dumps(row) + '\n')

    def load(self, path):
        with open(path) as file:
            self.head = json.loads(next(file))
            for line in file:
                row = json.loads(line)
                self.rows[row['section'], row['case'], row['who'], row['metric']] = row
        return self

    def get(self, section, case, who, metric):
        """The row, if it has figures."""
        row = self.rows.get((section, case, who, metric))
        return row if row and row['values'] else None


def median(values):
    return statistics.median(values)


MORE_IS_BETTER = {'MB/s', 'IOPS', '/s'}  # of all other units less is


def ratio(above, below):
    """The median of what the ratio was in each round."""
    return statistics.median(a / b for a, b in zip(above, below))


def advantage(ours, theirs, unit):
    """How many times as good our values are as theirs."""
    return ratio(ours, theirs) if unit in MORE_IS_BETTER else ratio(theirs, ours)


def busy(seconds=0.5):
    """What part of the machine others use, while we do nothing."""
    def jiffies():
        with open('/proc/stat') as file:
            fields = [int(word) for word in file.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # idle, iowait
    before = jiffies()
    time.sleep(seconds)
    after = jiffies()
    return 1 - (after[1] - before[1]) / max(1, after[0] - before[0])


OTHERS = []  # of each round that was begun, what busy() has found


def rounds(runs, contestants, step, before=None, after=None):
    """step(contestant) for each of them, `runs` times, one after another within a round;
    every other round goes backwards, so that none always follows the same one.  Who has
    failed, which is when step returns False, is left out from then on."""
    out = set()
    for number in range(runs):
        if before:
            before()
        OTHERS.append(busy())
        for contestant in contestants if number % 2 == 0 else contestants[::-1]:
            if contestant not in out and step(contestant) is False:
                out.add(contestant)
        if after:
            after()
