"""Curves of every preset against loops over pairs, and what must hold for any curve."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.curves import discard_curve
from facegauge.evaluate.engine import edc
from facegauge.evaluate.presets import PRESETS, Preset
from slow_edc import rows_of, slow_curve, slow_pauc, toy_pairs

# The toy's 1650 non-mated pairs are enough for an FMR of 1 %, but at the end of a floating curve
# fewer than 100 are left.
TOY = {
    name: replace(preset, rate=0.01) if preset.fmr else preset for name, preset in PRESETS.items()
}
CHANGES = [
    {},
    {"leaving": "both"},
    {"leaving": "proportional"},
    {"leaving": "samples"},
    {"quality": "mean"},
    {"quality": "mean", "leaving": "both"},
    {"shape": "linear"},
    {"shape": "linear", "leaving": "samples"},
    {"normalisation": "none"},
    {"normalisation": "best"},
    {"threshold": "start", "rate": 0.07},
    {"threshold": "floating"},
    {"threshold": "floating", "leaving": "both"},
    {"threshold": "floating", "leaving": "samples"},
    {"threshold": "floating", "leaving": "proportional"},
    {"threshold": "floating", "leaving": "proportional", "shape": "linear", "quality": "mean"},
    {"error": "fmr", "threshold": "start", "rate": 0.3},
    {"error": "fmr", "leaving": "both"},
    {"error": "fmr", "leaving": "samples"},
    {"error": "fmr", "shape": "linear", "quality": "mean"},
]
ALL = [*TOY.values(), *(replace(TOY["difiqa"], **change) for change in CHANGES)]


def the_same(curve, slow):
    assert curve.discard == pytest.approx([float(p.discard) for p in slow], abs=1e-12, rel=0)
    assert curve.error == pytest.approx([float(p.error) for p in slow], abs=1e-12, rel=0)
    assert curve.remaining.tolist() == [p.remaining for p in slow]
    assert curve.remaining_errors.tolist() == [p.errors for p in slow]
    assert curve.thresholds == pytest.approx([p.threshold for p in slow], abs=1e-12, rel=0)


@pytest.mark.parametrize(("digits", "seed"), [(0, 0), (1, 1), (1, 2), (3, 3)])
@pytest.mark.parametrize("preset", ALL, ids=str)
def test_a_curve_equals_a_loop_over_pairs(preset, digits, seed):
    pairs, quality, _ = toy_pairs(seed, digits=digits, people=8)
    curve, slow = edc(pairs, quality, preset), slow_curve(rows_of(pairs), quality, preset)
    the_same(curve, slow)
    assert curve.errors > 0
    for limit in (0.04, preset.limit, 0.62, 0.95):
        expected = float(slow_pauc(slow, preset, limit))
        assert curve.pauc(limit) == pytest.approx(expected, abs=1e-12, rel=0)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_given_threshold_takes_the_place_of_the_presets(kind):
    pairs, quality, _ = toy_pairs(3)
    narrow = replace_similarity(pairs, pairs.similarity.astype(kind))
    for preset in (TOY["difiqa"], TOY["nist"], replace(TOY["ofiq"], threshold="given", rate=None)):
        curve = edc(narrow, quality, preset, threshold=0.45)
        the_same(curve, slow_curve(rows_of(narrow), quality, preset, 0.45))
        assert curve.threshold == 0.45


def test_float32_similarities_keep_to_the_fmr():
    """The threshold is one float64 step above a similarity: as float32 it would be that one."""
    pairs, quality, _ = toy_pairs(3)
    narrow = replace_similarity(pairs, pairs.similarity.astype(np.float32))
    preset = replace(TOY["difiqa"], error="fmr")
    curve = edc(narrow, quality, preset)
    assert 0 < curve.error[0] <= 0.01
    the_same(curve, slow_curve(rows_of(narrow), quality, preset))


@pytest.mark.parametrize(
    "change", [lambda q: 3 * q - 7, lambda q: q**3, np.arctan, lambda q: np.exp(q / 2)]
)
@pytest.mark.parametrize("name", TOY)
def test_a_monotone_change_of_scores_changes_nothing(name, change):
    pairs, quality, _ = toy_pairs(4)
    one, other = edc(pairs, quality, TOY[name]), edc(pairs, change(quality), TOY[name])
    assert one.to_dict() == other.to_dict()


@pytest.mark.parametrize("preset", ALL, ids=str)
def test_the_order_of_pairs_and_samples_changes_nothing(preset):
    pairs, quality, _ = toy_pairs(5)
    rng = np.random.default_rng(0)
    order, names = rng.permutation(len(pairs)), rng.permutation(pairs.samples)
    moved = np.empty_like(quality)
    moved[names] = quality
    other = ComparedPairs(
        samples=pairs.samples,
        first=names[pairs.second[order]],
        second=names[pairs.first[order]],
        similarity=pairs.similarity[order],
        mated=pairs.mated[order],
    )
    assert edc(pairs, quality, preset).to_dict() == edc(other, moved, preset).to_dict()


@pytest.mark.parametrize("name", TOY)
def test_ties_leave_together(name):
    """With one quality for all, nothing can leave before everything."""
    pairs, quality, _ = toy_pairs(6)
    curve = edc(pairs, np.full_like(quality, 7), TOY[name])
    before = curve.discard < 1
    assert (curve.remaining[before] == curve.comparisons).all()
    assert (curve.error[before] == curve.error[0]).all()
    two = edc(pairs, np.where(quality > 0, 1.0, 0.0), TOY[name])
    assert len(set(two.remaining[two.discard < 1].tolist())) == 2


def chain(similarity):
    """Pair i compares the samples 2i and 2i + 1, so that a quality belongs to one pair alone."""
    count = len(similarity)
    return ComparedPairs(
        samples=2 * count,
        first=2 * np.arange(count),
        second=2 * np.arange(count) + 1,
        similarity=similarity,
        mated=np.ones(count, bool),
    )


@pytest.mark.parametrize("wrong", [1, 20, 60, 199])
@pytest.mark.parametrize("leaving", ["mated", "both", "samples"])
def test_a_perfect_score_gives_the_theoretical_best(wrong, leaving):
    """After g wrong pairs have left, w - g errors of n - g pairs are the least there can be."""
    count = 200
    pairs = chain(np.r_[np.zeros(wrong), np.ones(count - wrong)])
    preset = replace(PRESETS["difiqa"], normalisation="none", leaving=leaving)
    perfect = np.stack([np.arange(count), np.arange(count) + count], 1).ravel()  # one of two bad
    best = edc(pairs, perfect, preset, threshold=0.5)
    floor = [max(wrong - gone, 0) / (count - gone) for gone in range(count)]
    assert best.error[:count] == pytest.approx(floor, abs=1e-15)
    for seed in range(5):
        score = np.random.default_rng(seed).normal(size=2 * count)
        other = edc(pairs, score, preset, threshold=0.5)
        known = other.remaining > 0
        there = np.array([best.at(share) for share in other.discard])
        assert (other.error >= there - 1e-15)[known].all()
        assert other.pauc() >= best.pauc()


def test_the_area_of_the_best_curve_nears_the_published_best():
    """e0^2/2 - max(0, e0 - d)^2/2 bounds the share of errors left of all pairs."""
    count, wrong = 20_000, 1000
    pairs = chain(np.r_[np.zeros(wrong), np.ones(count - wrong)])
    curve = edc(pairs, np.repeat(np.arange(count), 2), PRESETS["fiqat"], threshold=0.5)
    above = curve.pauc(how="best")
    assert 0 < above < 0.05 * curve.pauc()  # what is left is divided by ever fewer pairs
    worst = edc(pairs, -np.repeat(np.arange(count), 2), PRESETS["fiqat"], threshold=0.5)
    assert worst.pauc(how="best") > curve.pauc()


def test_random_scores_gain_nothing():
    similarity = np.random.default_rng(0).normal(size=20_000)
    pairs = chain(similarity)
    rng = np.random.default_rng(1)
    areas = [edc(pairs, rng.random(40_000), threshold=-1.3).pauc() for _ in range(10)]
    assert np.mean(areas) == pytest.approx(1.0, abs=0.02)


def test_failures_leave_first_and_are_counted():
    pairs, quality, _ = toy_pairs(8, failures=7)
    low = np.where(np.isnan(quality), -1000.0, quality)
    curve, other = edc(pairs, quality, TOY["nist"]), edc(pairs, low, TOY["nist"])
    assert curve.to_dict() == other.to_dict()
    assert (curve.failures, other.failures) == (7, 0)
    assert curve.failure_share == pytest.approx(7 / 60)
    assert curve.discard[1] == pytest.approx(7 / 60)  # all together
    failed = np.isnan(quality)
    rows = [row for row in rows_of(pairs) if row.mated]
    assert curve.remaining[1] == sum(not (failed[row.a] or failed[row.b]) for row in rows)


def test_one_floating_curve_by_hand():
    pairs = ComparedPairs(
        samples=6,
        first=[0, 2, 4, 0, 2, 4, 1],
        second=[1, 3, 5, 2, 4, 0, 3],
        similarity=[0.3, 0.5, 0.9, 0.8, 0.4, 0.1, 0.2],
        mated=[True] * 3 + [False] * 4,
    )
    preset = Preset(name="hand", threshold="floating", rate=0.25, leaving="both", limit=1.0)
    curve = edc(pairs, [1, 2, 3, 2, 3, 3], preset)
    # first: 1 of 4 may match, above 0.4; the three pairs of sample 0 leave, none of two may match
    assert curve.discard == pytest.approx([0, 3 / 7, 5 / 7])
    assert curve.thresholds == pytest.approx([0.4, 0.4, 0.4], abs=1e-12)
    assert curve.remaining_errors.tolist() == [1, 0, 0]
    assert curve.remaining.tolist() == [3, 2, 1]


def test_the_short_way_gives_the_same_numbers():
    pairs, quality, _ = toy_pairs(9, failures=0)
    curve = edc(pairs, quality, TOY["difiqa"])
    mated = pairs.mated
    lower = np.minimum(quality[pairs.first[mated]], quality[pairs.second[mated]])
    short = discard_curve(pairs.similarity[mated], lower, curve.threshold)
    assert short.discard.tolist() == curve.discard.tolist()
    assert short.error.tolist() == curve.error.tolist()
    assert short.pauc(0.3) == curve.pauc(0.3)


def replace_similarity(pairs, similarity):
    return ComparedPairs(
        samples=pairs.samples,
        first=pairs.first,
        second=pairs.second,
        similarity=similarity,
        mated=pairs.mated,
    )


def only(pairs, mated):
    chosen = pairs.mated == mated
    return ComparedPairs(
        samples=pairs.samples,
        first=pairs.first[chosen],
        second=pairs.second[chosen],
        similarity=pairs.similarity[chosen],
        mated=pairs.mated[chosen],
    )


@pytest.mark.parametrize(
    ("changes", "mated", "threshold", "expected"),
    [
        ({}, None, None, nullcontext()),
        ({}, True, 0.4, nullcontext()),
        ({}, True, None, pytest.raises(InputError, match="non-mated pairs, got 0")),
        ({}, False, 0.4, pytest.raises(InputError, match="needs mated pairs, got none among 1")),
        ({}, None, np.nan, pytest.raises(OptionError, match="finite threshold, got nan")),
        ({"rate": 1e-4}, None, None, pytest.raises(InputError, match="needs at least 10000")),
        ({"error": "fmr"}, True, 0.4, pytest.raises(InputError, match="needs non-mated pairs")),
        (
            {"error": "fmr", "threshold": "start"},
            False,
            None,
            pytest.raises(InputError, match="needs mated pairs"),
        ),
        ({"threshold": "given", "rate": None}, None, 0.4, nullcontext()),
        (
            {"threshold": "given", "rate": None},
            None,
            None,
            pytest.raises(OptionError, match="a similarity threshold"),
        ),
        ({"threshold": "floating"}, None, 0.4, pytest.raises(OptionError, match="own floats")),
        ({"threshold": "floating"}, True, None, pytest.raises(InputError, match="got 0")),
    ],
)
def test_a_curve_needs_its_pairs_and_a_threshold(changes, mated, threshold, expected):
    pairs, quality, _ = toy_pairs(1)
    pairs = pairs if mated is None else only(pairs, mated)
    with expected:
        curve = edc(pairs, quality, replace(TOY["difiqa"], **changes), threshold=threshold)
        assert curve.comparisons == 120


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        (np.arange(60.0), nullcontext()),
        (np.arange(60), nullcontext()),
        (np.arange(59.0), pytest.raises(InputError, match=r"60 samples, got shape \(59,\)")),
        (np.ones((60, 1)), pytest.raises(InputError, match="got shape")),
        (np.full(60, np.nan), pytest.raises(InputError, match="only nan")),
        (np.r_[np.arange(59.0), np.inf], pytest.raises(InputError, match="infinite")),
        (np.r_[np.arange(59.0), -np.inf], pytest.raises(InputError, match="infinite")),
    ],
)
def test_qualities_fit_the_samples(quality, expected):
    pairs, _, _ = toy_pairs(1)
    with expected:
        before = np.array(quality)
        assert edc(pairs, quality, TOY["difiqa"]).failures == 0
        assert (quality == before).all()
