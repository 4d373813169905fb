"""Error-versus-discard curves once more, by their definition: lists, loops and fractions."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from facegauge.evaluate.compared import ComparedPairs


@dataclass(frozen=True)
class Row:
    a: int
    b: int
    similarity: float
    mated: bool


@dataclass(frozen=True)
class SlowPoint:
    discard: Fraction
    error: Fraction
    remaining: int
    errors: int
    threshold: float


def rows_of(pairs):
    columns = (pairs.first, pairs.second, pairs.similarity, pairs.mated)
    return [Row(*values) for values in zip(*(c.tolist() for c in columns), strict=True)]


def slow_fmr_threshold(values, fmr):
    """The lowest of all candidates at which at most ``fmr`` of the values match."""
    values = sorted(values)
    for candidate in sorted({c for v in values for c in (v, math.nextafter(v, math.inf))}):
        matches = len(values) - bisect_left(values, candidate)
        if Fraction(matches, len(values)) <= Fraction(str(fmr)):
            return candidate
    raise AssertionError


def slow_quantile(values, share):
    values = sorted(values)
    place = (len(values) - 1) * share
    low = math.floor(place)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def slow_curve(rows, quality, preset, threshold=None):
    """Points of the curve; ``threshold`` is one for all, or a list with one for each point."""
    worth = [-math.inf if math.isnan(q) else float(q) for q in quality]

    def value(row):
        a, b = worth[row.a], worth[row.b]
        return min(a, b) if preset.quality == "min" else (a + b) / 2

    counted = [row for row in rows if row.mated == (preset.error == "fnmr")]
    others = [row for row in rows if row.mated != (preset.error == "fnmr")]
    leaving = {
        "mated": [value(row) for row in counted],
        "proportional": [value(row) for row in counted],
        "both": [value(row) for row in rows],
        "samples": worth,
    }[preset.leaving]
    points, last = [], None
    for number, (share, level) in enumerate(slow_levels(leaving, preset.shape)):
        left = [row for row in counted if value(row) >= level]
        if isinstance(threshold, list):
            last = threshold[number]
        elif threshold is not None:
            last = threshold
        elif preset.threshold == "start":
            last = slow_quantile([row.similarity for row in rows if row.mated], preset.rate)
        elif preset.threshold == "fmr":
            last = slow_fmr_threshold([r.similarity for r in rows if not r.mated], preset.rate)
        else:
            at = level
            if preset.leaving == "proportional":
                own = slow_levels([value(row) for row in others], "stairs")
                at = max(lev for sh, lev in own if sh <= share)
            rest = [r.similarity for r in others if preset.leaving == "mated" or value(r) >= at]
            last = slow_fmr_threshold(rest, preset.rate) if rest else last
        if preset.error == "fnmr":
            errors = sum(row.similarity < last for row in left)
        else:
            errors = sum(row.similarity >= last for row in left)
        rate = Fraction(errors, len(left)) if left else Fraction(0)
        points.append(SlowPoint(share, rate, len(left), errors, last))
    if preset.closed and points[-1].discard < 1:
        points.append(SlowPoint(Fraction(1), Fraction(0), 0, 0, last))
    return points


def slow_levels(values, shape):
    """(share gone, lowest value still there) at each point."""
    stairs = [
        (Fraction(sum(v < level for v in values), len(values)), level)
        for level in sorted(set(values))
    ]
    if shape == "stairs":
        return stairs
    grid = [Fraction(number, 20) for number in range(20)]
    return [(share, max(lev for sh, lev in stairs if sh <= share)) for share in grid]


def slow_pauc(points, preset, limit=None):
    limit = Fraction(str(preset.limit if limit is None else limit))
    area = Fraction(0)
    ends = [point.discard for point in points[1:]] + [Fraction(1)]
    for number, (point, end) in enumerate(zip(points, ends, strict=True)):
        width = min(end, limit) - min(point.discard, limit)
        height = point.error
        if preset.shape == "linear" and width:
            step = end - point.discard
            height += (points[number + 1].error - point.error) * width / step / 2
        area += width * height
    start = points[0].error
    if preset.normalisation == "e0":
        return area / (start * limit)
    if preset.normalisation == "best":
        corner = min(start, limit)  # the best falls from e0 at 45 degrees, and ends at 0
        return area - corner * (start + (start - corner)) / 2
    return area


def toy_pairs(seed, people=12, each=5, *, digits=1, failures=3, absent=0):
    """All pairs of some people, qualities of few values that help a little, and the identities.

    ``failures`` samples have no quality; ``absent`` people have a sample but no mated pair.
    """
    rng = np.random.default_rng(seed)
    identities = np.r_[np.repeat(np.arange(people), each), people + np.arange(absent)]
    count = identities.size
    good = rng.normal(size=count)
    first, second = np.triu_indices(count, 1)
    mated = identities[first] == identities[second]
    help_ = 0.15 * np.minimum(good[first], good[second])
    similarity = np.where(mated, 0.6 + help_, 0.1) + rng.normal(0, 0.2, first.size)
    order = rng.permutation(first.size)
    pairs = ComparedPairs(
        samples=count,
        first=first[order],
        second=second[order],
        similarity=np.round(similarity[order], 3),
        mated=mated[order],
    )
    quality = np.round(good + rng.normal(0, 0.7, count), digits)
    quality[rng.permutation(count)[:failures]] = np.nan
    return pairs, quality, identities
