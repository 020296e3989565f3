"""What was to be reached, and whether it was, by the medians of one run."""
from measure import advantage, median, ratio
from peers import PEERS, REFERENCE

ENCRYPTING = [p.name for p in PEERS if p.encrypts]
MIB = 2**20 / 1e6  # MB


class Goals:
    """Lines of text, one a goal.  A goal without figures is passed over."""

    def __init__(self, results):
        self.results, self.lines = results, []

    def judge(self, text, value, is_met, wanted, unit):
        self.lines.append(f"{'met   ' if is_met else 'MISSED'}  {text}: {value:.3g} {unit}"
                          f' ({wanted} {unit})')

    def at_least(self, text, value, least, unit='x'):
        self.judge(text, value, value >= least, f'at least {least:.3g}', unit)

    def at_most(self, text, value, most, unit):
        self.judge(text, value, value <= most, f'at most {most:.3g}', unit)

    def rows(self, section, metric, case=''):
        return [r for r in self.results.rows.values() if r['section'] == section
                and r['metric'] == metric and r['case'].startswith(case) and r['values']]

    def of_limit(self, text, row, least):
        if row and row.get('limits'):
            part = advantage(row['values'], row['limits'], row['unit'])
            self.at_least(text + ', of its limit', 100 * part, least, '%')

    def ahead_of(self, text, ours, others, least=1):
        """Ours is at least so many times as good as each of the others, of whom it is said how
        many there were."""
        found = [(advantage(ours['values'], r['values'], r['unit']), r['who'])
                 for r in self.rows(ours['section'], ours['metric'], ours['case'])
                 if r['case'] == ours['case'] and r['who'] in others] if ours else []
        if found:
            times, who = min(found)
            best = f', the best of {len(found)}' if len(others) > 1 else ''
            self.at_least(f'{text}, as good as {who}{best}', times, least)


def packing(goals):
    for corpus, least in (('media', 75), ('source', 85)):
        for row in goals.rows('pack', 'time', corpus):
            if row['who'] in (REFERENCE, REFERENCE + ', signed'):
                signed = ', signed' if row['who'].endswith('signed') else ''
                goals.of_limit(f"pack {row['case']}{signed}", row, least)
    for row in goals.rows('pack', 'time'):
        if row['who'] == REFERENCE:
            goals.ahead_of(f"pack {row['case']}", row, ENCRYPTING)
    for row in goals.rows('pack', 'time'):
        many = goals.results.get('pack', row['case'], row['who'].removesuffix(', 1 worker'), 'time')
        if row['who'].endswith(', 1 worker') and many:
            goals.ahead_of(f"pack {row['case']}, {many['who'].removeprefix('satchel, ')}, "
                           'all workers', many, [row['who']])
    for row in goals.rows('pack', 'time', 'media'):
        without = goals.results.get('pack', row['case'], REFERENCE, 'time')
        if row['who'] == REFERENCE.replace('parity 0', 'parity 4') and without:
            goals.at_most(f"pack {row['case']}, what parity 4 costs",
                          100 * ratio(row['values'], without['values']) - 100,
                          25 if row['case'].endswith('memory') else 10, '%')
    for row in goals.rows('pack', 'CPU', 'random'):
        known = goals.results.get('pack', row['case'], 'satchel, known by name and head', 'CPU')
        if row is not known and known:
            goals.at_most('pack, what probing costs at worst, where nothing is known',
                          100 * ratio(row['values'], known['values']) - 100, 2, '%')


def reading(goals):
    for row in goals.rows('read', 'verify'):
        if row['who'].startswith('satchel') and row['case'] in ('media', 'source'):
            goals.of_limit(f"verify {row['case']}{row['who'][7:]} (libsodium opens)", row, 80)
    for verb in ('ls', 'cat', 'verify', 'extract, to memory', 'extract, to a file system'):
        for row in goals.rows('read', verb):
            if row['who'] == 'satchel':
                goals.ahead_of(f"{verb}, {row['case']}", row, ENCRYPTING)
                if verb.startswith('extract'):
                    goals.ahead_of(f"{verb}, {row['case']}", row, ['tar'])


def mounting(goals):
    def get(who, metric, case='media'):
        return goals.results.get('mount', case, who, metric)
    in_order = 'in order, 1 MiB'
    for who in ('satchel', 'satchel --cache'):
        goals.of_limit(f'{who}, {in_order}', get(who, in_order), 65)
        goals.ahead_of(f'{who}, {in_order}', get(who, in_order), ['gocryptfs'], 1.8)
        goals.ahead_of(f'{who}, damaged, {in_order}', get(f'{who}, damaged', in_order), [who],
                       1 / 3)
        if get(who, 'CPU a GB'):
            goals.at_most(f'{who}, CPU a GB', median(get(who, 'CPU a GB')['values']), 0.7, 's')
    goals.ahead_of(f'satchel, {in_order}', get('satchel', in_order), ['satchel --cache'])
    for block in ('4K', '128K'):
        for jobs in ('1 job', '4 jobs'):
            for who in ('satchel', 'satchel --cache'):
                goals.ahead_of(f'{who}, random {block}, {jobs}',
                               get(who, f'random {block}, {jobs}'), ENCRYPTING)
    for metric in ('walk, find -ls', 'tar', 'read every file', 'grep -r'):
        for who in ('satchel', 'satchel --cache'):
            goals.ahead_of(f'{who}, source, {metric}', get(who, metric, 'source'),
                           ENCRYPTING + ['squashfuse'])
    for who in ('satchel', 'satchel --cache'):
        for case in ('media', 'source'):
            if get(who, 'memory', case):
                goals.at_most(f'{who}, {case}, memory', max(get(who, 'memory', case)['values']),
                              24 * MIB, 'MB')
                goals.at_most(f'{who}, {case}, locked', max(get(who, 'locked', case)['values']),
                              8 * MIB, 'MB')


def growing(goals):
    def get(count, metric):
        row = goals.results.get('scale', 'entries', f'{count} files', metric)
        return row and median(row['values'])
    for count in (10**3, 10**6):
        if get(count, 'mount'):
            goals.at_most(f'mount of {count} files is ready', get(count, 'mount') * 1000, 50, 'ms')
            goals.at_most(f'mount of {count} files, memory', get(count, 'mount memory'),
                          24 * MIB, 'MB')
    if get(10**6, 'find'):
        goals.at_least(f'find, over {10**6} files', get(10**6, 'find'), 150000, 'entries/s')
    empty = 'memory, empty'
    if get(10**3, empty) and get(10**6, empty):
        # What has been compressed is in memory, too, until there is too much of it.
        goals.at_most('packer, memory for each entry',
                      (get(10**6, empty) - get(10**3, empty)) * 1e6 / (10**6 - 10**3), 100, 'bytes')
    for row in goals.rows('scale', 'pack memory'):
        goals.at_most(f"packer, memory for {row['who']}", max(row['values']), 256 * MIB, 'MB')


def render(results):
    goals = Goals(results)
    for judge in (packing, reading, mounting, growing):
        judge(goals)
    return 'goals\n-----\n\n' + '\n'.join(goals.lines) + '\n' if goals.lines else ''
