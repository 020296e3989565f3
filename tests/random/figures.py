"""How surprising is what was seen?  Probabilities, in plain Python.

A result is (p, what...): p is how often chance alone would do as much or more, and
the rest says of what.  suspects() picks those that are too much, all taken together.
"""
import bisect
import collections
import functools
import math

# A whole run that is asked so many questions is wrong once in a million runs.
FALSE_ALARM = 1e-6


def normal(z):
    """Both tails."""
    return math.erfc(abs(z) / math.sqrt(2))


def chi2(x, degrees):
    """The upper tail: the incomplete gamma function, as a series or a fraction."""
    a, x = degrees / 2, x / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while term > total * 1e-16:
            n += 1
            term *= x / n
            total += term
        return max(0.0, 1 - front * total)
    b = x + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for i in range(1, 100000):
        b += 2
        d = 1 / (i * (a - i) * d + b)
        c = b + i * (a - i) / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction


def pairs_that_agree(counts):
    return sum(n * (n - 1) for n in counts) / 2


def pair_moments(total, kinds):
    """Mean, variance and third cumulant of that number, all kinds equally likely.
    Any two pairs are independent; three are not if they are the sides of a triangle."""
    p, pairs = 1 / kinds, total * (total - 1) / 2
    return (pairs * p, pairs * p * (1 - p),
            pairs * p * (1 - p) * (1 - 2 * p) + total * (total - 1) * (total - 2) * p * p * (1 - p))


def uniform(counts, total, kinds):
    """Counts of those kinds that occur, of so many equally likely.  This is the
    chi-square test; but where few are expected of a kind, its tail is a thousand times
    too thin.  A gamma distribution with the right three moments does well for all."""
    return so_many_pairs(pairs_that_agree(counts), total, kinds)


@functools.lru_cache(1 << 16)
def so_many_pairs(pairs, total, kinds):
    mean, variance, third = pair_moments(total, kinds)
    shape = 4 * variance**3 / third**2
    z = (pairs - 0.5 - mean) / math.sqrt(variance)
    return chi2(2 * (shape + z * math.sqrt(shape)), 2 * shape)


@functools.lru_cache(1 << 16)
def coin(heads, tosses):
    return normal((2 * heads - tosses) / math.sqrt(tosses))


def rate(seen, expected):
    """The upper tail of a Poisson distribution."""
    p, n = 0.0, seen
    while n <= expected or n < seen + 200:
        p += math.exp(n * math.log(expected) - expected - math.lgamma(n + 1))
        n += 1
    return min(1.0, p)


def suspects(results, false_alarm=FALSE_ALARM):
    """Holm's correction: the results of which at least one is no chance."""
    found = []
    for rank, result in enumerate(sorted(results, key=lambda result: result[0])):
        if result[0] * (len(results) - rank) > false_alarm:
            break
        found.append(result)
    return found


def least(results):
    return min(results, key=lambda result: result[0], default=(1.0, 'nothing'))


def words(result):
    return ' '.join(map(str, result[1:])) + f' (p = {result[0]:.2g})'


# Two samples: is there a difference?

def same_shares(xs, ys):
    """Chi-square of a table of two rows; values are drawn together in the order of
    size until each column is to have five of either."""
    one, two = collections.Counter(xs), collections.Counter(ys)
    n, m = len(xs), len(ys)
    columns, a, b = [], 0, 0
    for value in sorted(set(one) | set(two)):
        a += one[value]
        b += two[value]
        if min(n, m) * (a + b) >= 5 * (n + m) and (a + b) * 24 >= n + m:
            columns.append((a, b))
            a = b = 0
    if columns:
        columns[-1] = columns[-1][0] + a, columns[-1][1] + b
    if len(columns) < 2:
        return 1.0
    x = sum((a * m - b * n)**2 / (a + b) for a, b in columns) / (n * m)
    return chi2(x, len(columns) - 1)


def same_ranks(xs, ys):
    """Mann and Whitney: does one sample tend to be larger?"""
    counts = collections.Counter(xs)
    counts.update(ys)
    rank_of, before, ties = {}, 0, 0
    for value in sorted(counts):
        rank_of[value] = before + (counts[value] + 1) / 2
        before += counts[value]
        ties += counts[value]**3 - counts[value]
    n, m = len(xs), len(ys)
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if variance <= 0:
        return 1.0
    return normal((sum(rank_of[x] for x in xs) - n * (n + m + 1) / 2) / math.sqrt(variance))


def same_curve(xs, ys):
    """Kolmogorov and Smirnov: the largest distance of the two distributions."""
    xs, ys = sorted(xs), sorted(ys)
    n, m = len(xs), len(ys)
    distance = max(abs(bisect.bisect_right(xs, v) / n - bisect.bisect_right(ys, v) / m)
                   for v in set(xs) | set(ys))
    x = max(distance**2 * n * m / (n + m), 0.1)  # the series wants it not too small
    return min(1.0, 2 * sum((-1)**(k - 1) * math.exp(-2 * k * k * x) for k in range(1, 50)))


def compare(xs, ys, *what):
    """All three."""
    for test in same_shares, same_ranks, same_curve:
        yield test(xs, ys), *what, test.__name__


# A classifier

class Classifier:
    """Logistic regression by gradient descent, on standardised features."""

    def __init__(self, rows, labels, rounds=60):
        n, width = len(rows), len(rows[0])
        self.mean = [sum(column) / n for column in zip(*rows)]
        self.spread = [math.sqrt(sum((v - mean)**2 for v in column) / n) or 1
                       for column, mean in zip(zip(*rows), self.mean)]
        self.weight, self.bias = [0.0] * width, 0.0
        scaled = [self.scale(row) for row in rows]
        for step in range(rounds):
            speed = 1 / (n * (1 + step / 20))
            slope, drift = [0.0] * width, 0.0
            for row, label in zip(scaled, labels):
                error = label - 1 / (1 + math.exp(-self.score(row)))
                drift += error
                slope = [s + error * v for s, v in zip(slope, row)]
            self.weight = [w + speed * s for w, s in zip(self.weight, slope)]
            self.bias += speed * drift

    def scale(self, row):
        return [(v - mean) / spread for v, mean, spread in zip(row, self.mean, self.spread)]

    def score(self, scaled):
        score = self.bias + sum(w * v for w, v in zip(self.weight, scaled))
        return max(-30.0, min(30.0, score))

    def guess(self, row):
        return self.score(self.scale(row)) > 0


def right_guesses(xs, ys):
    """Trained on one half of either; how many of the others, shown singly, it puts
    into the right sample, and of how many."""
    train = xs[::2] + ys[::2]
    machine = Classifier(train, [0] * len(xs[::2]) + [1] * len(ys[::2]))
    return (sum(not machine.guess(row) for row in xs[1::2]) +
            sum(machine.guess(row) for row in ys[1::2])), len(xs[1::2]) + len(ys[1::2])
