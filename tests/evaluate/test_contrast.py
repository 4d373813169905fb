"""Differences of two sets against scipy, against loops, and their intervals against many draws."""

import numpy as np
import pytest
from scipy import stats

from facegauge.errors import OptionError
from facegauge.evaluate.contrast import contrast, resampled_medians
from facegauge.evaluate.spread import Spread


def spread(name, scores) -> Spread:
    values = np.sort(np.asarray(scores, dtype=float))
    return Spread(name=name, scores=values, outcomes={"scored": values.size})


def found(ours, theirs, **options):
    return contrast(spread("ours", ours), spread("theirs", theirs), **options)


def two(seed: int, decimals: int = 1):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 60, 2)
    return [np.round(rng.normal(50, 3, size), decimals) for size in sizes]


@pytest.mark.parametrize("decimals", [0, 6])
@pytest.mark.parametrize("seed", range(10))
def test_values_are_those_of_scipy(seed, decimals):
    ours, theirs = two(seed, decimals)
    each = found(ours, theirs, resamples=0)
    wanted = stats.mannwhitneyu(ours, theirs).statistic / (ours.size * theirs.size)
    assert each.higher.value == pytest.approx(wanted)
    higher = np.mean(ours[:, None] > theirs) - np.mean(ours[:, None] < theirs)
    assert each.cliff == pytest.approx(higher)
    known = stats.ks_2samp(ours, theirs)
    assert each.distance.value == pytest.approx(known.statistic)
    gap = np.mean(ours <= each.apart_at) - np.mean(theirs <= each.apart_at)
    assert abs(gap) == pytest.approx(known.statistic)
    assert each.median.value == np.median(ours) - np.median(theirs)
    for interval in (each.higher, each.distance, each.median):
        assert interval.low <= interval.value <= interval.high


@pytest.mark.parametrize("seed", range(5))
def test_the_two_ways_round_are_mirrored(seed):
    ours, theirs = two(seed)
    one, other = found(ours, theirs, resamples=0), found(theirs, ours, resamples=0)
    assert one.higher.low == pytest.approx(1 - other.higher.high)
    assert one.higher.high == pytest.approx(1 - other.higher.low)
    assert one.distance == other.distance
    assert one.median.value == -other.median.value


def test_a_rising_change_of_all_scores_leaves_shares_unchanged():
    ours, theirs = two(3)
    before, after = found(ours, theirs), found(np.exp(ours / 20), np.exp(theirs / 20))
    assert (before.higher, before.distance) == (after.higher, after.distance)


@pytest.mark.parametrize("count", [1, 2, 5, 8, 51])
def test_medians_of_resamples_are_those_of_drawn_ones(count):
    values = np.sort(np.random.default_rng(count).normal(size=count))
    drawn = resampled_medians(values, 40_000, np.random.default_rng(1))
    places = np.random.default_rng(2).integers(0, count, (40_000, count))
    slow = np.median(values[places], axis=1)
    shares = (0.025, 0.25, 0.5, 0.75, 0.975)
    assert stats.ks_2samp(drawn, slow).statistic < 0.012
    apart = np.quantile(drawn, shares) - np.quantile(slow, shares)
    assert np.abs(apart).max() <= max(np.diff(values).max(initial=0.0), 1e-12)


DRAWS = {
    "equal": (lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.normal(0, 1, n), 0.5),
    "shifted": (lambda rng, n: rng.normal(1, 1, n), lambda rng, n: rng.normal(0, 1, n), 0.7602),
    "wide": (lambda rng, n: rng.normal(0, 5, n), lambda rng, n: rng.normal(0, 1, n), 0.5),
    "tied": (lambda rng, n: rng.integers(0, 3, n), lambda rng, n: rng.integers(0, 3, n), 0.5),
    "far": (lambda rng, n: rng.normal(3, 1, n), lambda rng, n: rng.normal(0, 1, n), 0.98305),
    "constant": (lambda rng, n: rng.normal(0, 1, n), lambda rng, n: np.zeros(n), 0.5),
}


@pytest.mark.parametrize("sizes", [(20, 20), (200, 30)])
@pytest.mark.parametrize("case", DRAWS)
def test_95_percent_of_intervals_hold_the_truth(case, sizes):
    one, other, truth = DRAWS[case]
    rng = np.random.default_rng(0)
    held = [
        truth in found(one(rng, sizes[0]), other(rng, sizes[1]), resamples=0).higher
        for _ in range(600)
    ]
    assert (0.90 if case == "far" else 0.92) <= np.mean(held) <= 0.995


def test_the_distance_of_equal_distributions_is_0_in_95_percent_or_more():
    rng = np.random.default_rng(0)
    pairs = [found(rng.normal(size=80), rng.normal(size=40), resamples=0) for _ in range(300)]
    assert np.mean([each.distance.low == 0.0 for each in pairs]) >= 0.95


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (range(50, 90), range(40), "higher"),
        (range(40), range(50, 90), "lower"),
        (range(40), range(1, 41), "not told apart"),
        ([5.0], [1.0], "not told apart"),
        ([5.0] * 30, [5.0] * 30, "not told apart"),
        ([6.0] * 30, [5.0] * 30, "higher"),
    ],
)
def test_verdicts(ours, theirs, verdict):
    each = found([*ours], [*theirs])
    assert each.verdict == verdict
    assert each.to_dict()["scores_are"] == verdict


def test_without_resamples_the_median_has_no_interval():
    record = found([1, 2, 3], [1, 2], resamples=0).to_dict()
    assert (record["median_difference_low"], record["median_difference_high"]) == (None, None)
    assert found([1, 2, 3], [1, 2], resamples=9).to_dict()["median_difference_low"] is not None
    with pytest.raises(OptionError, match="0 resamples"):
        found([1], [1], resamples=-1)


def test_the_seed_decides():
    ours, theirs = two(1, 6)
    assert found(ours, theirs, seed=4) == found(ours, theirs, seed=4)
    assert found(ours, theirs, seed=4).median != found(ours, theirs, seed=5).median
