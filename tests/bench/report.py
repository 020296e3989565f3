#!/usr/bin/python3
"""Tables out of figures.

  report.py RESULTS...                 print them, of one or more runs
  report.py RESULTS... --into README   put them into a text, below its last "RESULTS" line"""
import sys

from measure import Results, advantage, median

# What stands beside a figure, in the same row of a table.
BESIDE = {'limits': {'speed': ['ratio']},
          'pack': {'time': ['speed', 'CPU', 'memory', 'size']}}
WIDTH = 48
BUSY = 0.1  # of the processors, beside what is measured


def number(value):
    """Three digits that matter, or four."""
    if value >= 10000:
        return number(value / 1000) + 'k'
    if value == 0 or value >= 100:
        return f'{value:.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}' if value >= 1 else f'{value:.3f}'


def spread(row):
    low, high = min(row['values']), max(row['values'])
    return f'{number(low)}-{number(high)}'


def share(row):
    """How much of what was possible, in per cent."""
    if not row.get('limits'):
        return ''
    return f"{100 * advantage(row['values'], row['limits'], row['unit']):.0f} %"


def times(row, ours):
    """How many times as good ours is."""
    if not ours or row['who'].startswith('satchel'):
        return ''
    return f"{advantage(ours['values'], row['values'], row['unit']):.2f} x"


def beside(section, metric, rows):
    """Of metrics that are there, those that belong beside this one."""
    if section == 'read':
        wanted = [f'{metric} CPU', f'{metric} memory']
    else:
        wanted = BESIDE.get(section, {}).get(metric, [])
    return [m for m in wanted if any(r['metric'] == m for r in rows)]


def titles_of(section, metric, rows):
    """The titles of a table's columns but the first."""
    units = {r['metric']: r['unit'] for r in rows if r['values']}
    main = [r for r in rows if r['metric'] == metric]
    titles = [f'{metric} {units.get(metric, "")}' if len(metric) < 6 else units.get(metric, ''),
              'low-high']
    if any(r.get('limits') for r in main):
        titles.append('of limit')
    if section != 'limits' and any(not r['who'].startswith('satchel') for r in main):
        titles.append('satchel is')
    return titles + [f'{m.removeprefix(metric + " ")} {units.get(m, "")}'
                     for m in beside(section, metric, rows)]


def line(name, cells, name_width=WIDTH, width=12):
    return (f'{name:{name_width}}' + ''.join(f'{cell:>{width}}' for cell in cells)).rstrip() + '\n'


def who_of(row, rounds):
    """With a word on who dropped out later."""
    count = len(row['values'])
    return row['who'] + ('' if count == rounds else f' ({count} of {rounds} rounds)')


def table(section, case, metric, rows):
    """One table.  rows: of this section and case, all metrics."""
    titles = titles_of(section, metric, rows)
    main = [r for r in rows if r['metric'] == metric]
    by = {(r['who'], r['metric']): r for r in rows}
    ours = next((r for r in main if r['who'].startswith('satchel') and r['values']), None)
    text = line(case if section == 'pack' else f'{case}: {metric}', titles)
    most = max(len(row['values']) for row in main)
    for row in main:
        if not row['values']:
            text += f"{row['who']:{WIDTH}}  missing: {row['missing'][:100]}\n"
            continue
        cells = [number(median(row['values'])), spread(row)]
        cells += [share(row)] if 'of limit' in titles else []
        cells += [times(row, ours)] if 'satchel is' in titles else []
        for other in (by.get((row['who'], m)) for m in beside(section, metric, rows)):
            cells.append(number(median(other['values'])) if other and other['values'] else '')
        text += line(who_of(row, most), cells)
    bounds = list(dict.fromkeys(r['limit_is'] for r in main if r.get('limit_is')))
    if bounds:
        text += 'limit: ' + '\n   or: '.join(bounds) + '\n'
    return text + '\n'


def grown(case, rows):
    """What grows: a row for each size, a column for each figure."""
    metrics = {r['metric']: r['unit'] for r in rows if r['values']}
    text = line(case, metrics, 14, 14) + line('', metrics.values(), 14, 14)
    for who in dict.fromkeys(r['who'] for r in rows):
        of_who = {r['metric']: r for r in rows if r['who'] == who}
        why = next((r['missing'] for r in of_who.values() if 'missing' in r), None)
        cells = [number(median(of_who[m]['values'])) if m in of_who and of_who[m]['values'] else '-'
                 for m in metrics]
        text += f'{who:14}  missing: {why[:100]}\n' if why else line(who, cells, 14, 14)
    return text + '\n'


def section_text(results, section):
    rows = [r for r in results.rows.values() if r['section'] == section]
    text = f'{section}\n{"-" * len(section)}\n\n'
    for case in dict.fromkeys(r['case'] for r in rows):
        of_case = [r for r in rows if r['case'] == case]
        if section == 'scale':
            text += grown(case, of_case)
            continue
        metrics = list(dict.fromkeys(r['metric'] for r in of_case))
        hidden = {m for metric in metrics for m in beside(section, metric, of_case)}
        for metric in metrics:
            if metric not in hidden:
                text += table(section, case, metric, of_case)
    return text


def machine_text(head):
    text = (f"{head['cpu']}, {head['cores']} cores, {head['memory'] / 1e9:.0f} GB, "
            f"Linux {head['kernel']}, {head['file_system']}; {head['date']}, "
            f"medians of {head['runs']} rounds.\n")
    others = head['others'] or [0]
    if max(others) > BUSY:
        text += (f'Others had {100 * median(others):.0f} % of the processors, in some rounds '
                 f'{100 * max(others):.0f} %: times are\ntoo long, and ratios rough.\n')
    for why in head['unfinished']:
        text += f'NOT FINISHED: {why}\n'
    return text + '\n'


def render(results):
    text = machine_text(results.head)
    for section in dict.fromkeys(r['section'] for r in results.rows.values()):
        text += section_text(results, section)
    return text


def put_into(path, text):
    with open(path) as file:
        kept, mark, _ = file.read().rpartition('\nRESULTS\n')
    if not mark:
        sys.exit(f'{path}: has no line "RESULTS"')
    with open(path, 'w') as file:
        file.write(kept + mark + '\n' + text)


def main():
    import goals
    files, into = sys.argv[1:], None
    if files[-2:-1] == ['--into']:
        files, into = files[:-2], files[-1]
    text = ''.join(render(r) + goals.render(r) for r in (Results().load(f) for f in files))
    if into:
        put_into(into, text)
    else:
        print(text, end='')


if __name__ == '__main__':
    main()
