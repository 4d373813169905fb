"""Intervals: each resample once more with people copied for real, and what must hold for any."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate import bootstrap
from facegauge.evaluate.bootstrap import compare_methods
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.engine import edc
from facegauge.evaluate.presets import PRESETS
from facegauge.evaluate.resampling import draw_people
from slow_edc import Row, rows_of, slow_curve, slow_pauc, toy_pairs

TOY = {
    name: replace(preset, rate=0.01) if preset.fmr else preset for name, preset in PRESETS.items()
}
CHANGES = [
    {"leaving": "both"},
    {"leaving": "proportional"},
    {"leaving": "samples", "shape": "linear"},
    {"quality": "mean", "leaving": "both"},
    {"normalisation": "best", "shape": "linear"},
    {"error": "fmr", "rate": 0.1, "leaving": "both"},
    {"error": "fmr", "rate": 0.1},
]
ALL = [*TOY.values(), *(replace(TOY["difiqa"], **change) for change in CHANGES)]


def copied(rows, quality, identities, times):
    """The set of a resample: ``times[p]`` people look like person p, each with all samples."""
    number, worth, copies = {}, [], {}
    for sample, person in enumerate(identities):
        copies[sample] = range(times[person])
        for copy in copies[sample]:
            number[sample, copy] = len(worth)
            worth.append(quality[sample])
    found = []
    for row in rows:
        for one in copies[row.a]:
            for other in copies[row.b]:
                if one == other or not row.mated:  # two copies are strangers who look alike
                    ends = number[row.a, one], number[row.b, other]
                    found.append(Row(*ends, row.similarity, row.mated))
    return found, worth


@pytest.mark.parametrize("at_once", [1, 10**9])
@pytest.mark.parametrize("preset", ALL, ids=str)
def test_a_resample_equals_a_set_of_copied_people(preset, at_once, monkeypatch):
    monkeypatch.setattr(bootstrap, "_AT_ONCE", at_once)
    pairs, quality, identities = toy_pairs(2, people=6, each=5, failures=2, absent=2)
    found = compare_methods(pairs, {"q": quality}, identities, preset, resamples=4, seed=5)
    thresholds = edc(pairs, quality, preset).thresholds.tolist()
    if preset.shape == "stairs":
        thresholds = thresholds[0]
    expected = []
    for times in draw_people(8, 4, 5):
        rows, worth = copied(rows_of(pairs), quality, identities, times)
        curve = slow_curve(rows, worth, preset, thresholds)
        expected.append(float(slow_pauc(curve, preset)))
    assert found.draws[0] == pytest.approx(expected, abs=1e-12, rel=0)


def test_the_curves_are_those_without_intervals():
    pairs, quality, identities = toy_pairs(3)
    other = np.random.default_rng(0).random(quality.size)
    found = compare_methods(
        pairs, {"a": quality, "b": other}, identities, TOY["difiqa"], recogniser="toy", resamples=50
    )
    for curve, each in zip(found.curves, (quality, other), strict=True):
        alone = edc(pairs, each, TOY["difiqa"], method=curve.method, recogniser="toy")
        assert str(replace(curve, interval=None)) == str(alone)
        assert curve.interval == found.interval(curve.method)
        assert curve.interval.value == alone.pauc()
        assert curve.to_dict() == {
            **alone.to_dict(),
            "pauc_low": curve.interval.low,
            "pauc_high": curve.interval.high,
        }


def big(seed, people=300, each=5, gain=0.0):
    """Mated pairs of many people and a quality that helps by ``gain``."""
    rng = np.random.default_rng(seed)
    identities = np.repeat(np.arange(people), each)
    low, high = np.triu_indices(each, 1)
    start = np.arange(people)[:, None] * each
    first, second = (start + low).ravel(), (start + high).ravel()
    quality = rng.normal(size=identities.size)
    person = rng.normal(0, 0.5, people)[identities[first]]  # some people are hard
    help_ = gain * np.minimum(quality[first], quality[second])
    pairs = ComparedPairs(
        samples=identities.size,
        first=first,
        second=second,
        similarity=person + help_ + rng.normal(0, 0.5, first.size),
        mated=np.ones(first.size, bool),
    )
    return pairs, quality, identities


@pytest.mark.parametrize("seed", range(3))
def test_random_scores_have_an_interval_around_one(seed):
    pairs, _, identities = big(seed)
    score = np.random.default_rng(seed + 100).random(pairs.samples)
    found = compare_methods(pairs, {"random": score}, identities, threshold=-0.9, resamples=400)
    interval = found.interval("random")
    assert 1.0 in interval
    assert 0.02 < interval.high - interval.low < 0.3
    assert found.usable == 400


def test_a_method_against_itself_differs_by_nothing():
    pairs, quality, identities = big(1, gain=0.5)
    found = compare_methods(
        pairs,
        {"one": quality, "again": quality, "stretched": np.exp(quality)},
        identities,
        threshold=-0.9,
        resamples=100,
    )
    for other in ("one", "again", "stretched"):
        difference = found.difference("one", other)
        assert (difference.value, difference.low, difference.high) == (0, 0, 0)
        assert 0 in difference
    assert 1.0 not in found.interval("one")


def test_a_paired_difference_is_surer_than_two_intervals():
    pairs, quality, identities = big(2, gain=0.5)
    blurred = quality + np.random.default_rng(0).normal(0, 0.6, quality.size)
    found = compare_methods(
        pairs, {"good": quality, "less": blurred}, identities, threshold=-0.9, resamples=400
    )
    difference = found.difference("good", "less")
    good, less = found.interval("good"), found.interval("less")
    assert difference.value == good.value - less.value
    assert difference.high < 0
    apart = np.hypot(good.high - good.low, less.high - less.low)
    assert difference.high - difference.low < apart
    back = found.difference("less", "good")
    assert (back.low, back.high) == pytest.approx((-difference.high, -difference.low))


def test_a_higher_confidence_is_wider_and_a_seed_repeats():
    pairs, quality, identities = big(3, gain=0.2, people=60)

    def interval(**options):
        found = compare_methods(
            pairs, {"q": quality}, identities, threshold=-0.9, resamples=200, **options
        )
        return found.interval("q")

    narrow, wide = interval(confidence=0.5), interval(confidence=0.99)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high
    assert interval(seed=4) == interval(seed=4) != interval(seed=5)


def test_intervals_hold_as_often_as_they_say():
    """Sets drawn again and again: about nine of ten 90 % intervals of random scores hold 1."""
    held = 0
    for seed in range(60):
        pairs, _, identities = big(seed, people=80, each=4)
        score = np.random.default_rng(1000 + seed).random(pairs.samples)
        found = compare_methods(
            *(pairs, {"q": score}, identities),
            threshold=-0.7,
            resamples=200,
            confidence=0.9,
        )
        held += 1.0 in found.interval("q")
    assert 46 <= held <= 60  # 54 expected; fewer than 46 has a probability of 0.003


def test_resamples_without_an_error_are_left_out_and_counted():
    pairs, quality, identities = toy_pairs(1, people=6)
    wrong = pairs.mated & (identities[pairs.first] == 0)
    similarity = np.where(wrong, 0.1, 0.9)
    some = ComparedPairs(
        samples=pairs.samples,
        first=pairs.first,
        second=pairs.second,
        similarity=similarity,
        mated=pairs.mated,
    )
    found = compare_methods(
        some, {"a": quality, "b": -quality}, identities, threshold=0.5, resamples=200
    )
    without = (draw_people(6, 200, 0)[:, 0] == 0).sum()
    assert 0 < without < 100
    assert found.usable == 200 - without
    assert np.isnan(found.draws).sum() == 2 * without
    assert np.isfinite([found.difference("a", "b").low, found.interval("a").high]).all()


@pytest.mark.parametrize("name", ["fiqat", "nist"])
def test_resamples_without_a_pair_are_left_out(name):
    pairs, quality, identities = toy_pairs(1, people=1, each=7, failures=0, absent=3)
    found = compare_methods(pairs, {"q": quality}, identities, PRESETS[name], resamples=100)
    without = draw_people(4, 100, 0)[:, 0] == 0
    assert 0 < without.sum() < 50
    assert np.isnan(found.draws[0]).tolist() == without.tolist()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, nullcontext()),
        ({"preset": TOY["crfiqa"], "threshold": None}, nullcontext()),
        ({"qualities": {}}, pytest.raises(OptionError, match="need a method")),
        ({"resamples": 0}, pytest.raises(OptionError, match="a resample")),
        ({"confidence": 1.0}, pytest.raises(OptionError, match="confidence between")),
        ({"confidence": 0.0}, pytest.raises(OptionError, match="confidence between")),
        ({"threshold": -9.0}, pytest.raises(InputError, match="got 0 of 20 with any")),
        ({"identities": np.zeros(59)}, pytest.raises(InputError, match="60 samples, got")),
        ({"identities": np.arange(60)}, pytest.raises(InputError, match="120 pairs that are")),
        (
            {"preset": replace(TOY["crfiqa"], shape="stairs"), "threshold": None},
            pytest.raises(OptionError, match="Use shape linear"),
        ),
    ],
)
def test_intervals_need_people_methods_and_errors(changes, expected):
    pairs, quality, identities = toy_pairs(4)
    arguments = {
        "qualities": {"q": quality},
        "identities": np.char.add("person ", identities.astype(str)),
        "preset": TOY["difiqa"],
        "threshold": 0.45,
        "resamples": 20,
        **changes,
    }
    with expected:
        assert compare_methods(pairs, **arguments).draws.shape == (1, 20)


def test_an_unknown_method_names_the_known_ones():
    pairs, quality, identities = toy_pairs(4)
    found = compare_methods(
        pairs, {"a": quality, "b": quality}, identities, TOY["difiqa"], resamples=20
    )
    for ask in (lambda: found.interval("c"), lambda: found.difference("a", "c")):
        with pytest.raises(OptionError, match="one of a, b, got 'c'"):
            ask()
    assert str(found) == "\n".join(map(str, found.curves))
