"""Thresholds of what is left, against sorted lists; ``threshold_at_fmr`` is in test_curves."""

import math

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate import thresholds
from facegauge.evaluate.thresholds import (
    below_of_rest,
    highest_of_rest,
    is_below,
    threshold_at_fmr,
    threshold_at_start,
    thresholds_of_rest,
)
from slow_edc import slow_fmr_threshold, slow_quantile


@pytest.fixture(params=[0, 10**6], ids=["matrix", "partition"])
def _way(request, monkeypatch):
    monkeypatch.setattr(thresholds, "_FEW", request.param)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 200])
@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_queries_equal_sorted_lists(count, decimals):
    rng = np.random.default_rng(count)
    values = np.round(rng.normal(size=count), decimals)
    start = rng.integers(0, count, 100)
    rank = rng.integers(1, count - start + 1)
    found = highest_of_rest(values, start, rank)
    assert found.tolist() == [
        sorted(values[a:], reverse=True)[k - 1] for a, k in zip(start, rank, strict=True)
    ]
    limits = np.r_[np.round(rng.normal(size=96), decimals), values[0], -9.0, 9.0, values.max()]
    below = below_of_rest(values, start, limits)
    assert below.tolist() == [
        sum(value < limit for value in values[a:]) for a, limit in zip(start, limits, strict=True)
    ]


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("fmr", [0.01, 0.1, 0.29])
def test_thresholds_of_the_rest_keep_the_rate(fmr):
    values = np.round(np.random.default_rng(1).normal(size=150), 1)
    gone = np.array([0, 0, 7, 60, 120, 149, 150, 150])
    found = thresholds_of_rest(values, gone, fmr)
    expected = [slow_fmr_threshold(values[at:].tolist(), fmr) for at in gone[:6]]
    assert found.tolist() == [*expected, expected[-1], expected[-1]]


def test_few_pairs_at_the_end_may_not_match_at_all():
    found = thresholds_of_rest(np.arange(100.0), np.array([0, 50, 99]), 0.02)
    assert found.tolist() == [math.nextafter(v, math.inf) for v in (97, 98, 99)]


@pytest.mark.parametrize("count", [0, 1, 99])
def test_too_few_pairs_to_begin_with_are_refused(count):
    with pytest.raises(InputError, match=f"at least 100 non-mated pairs, got {count}. Use more"):
        thresholds_of_rest(np.arange(float(count)), np.array([0]), 0.01)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.5])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_starting_error_is_a_quantile(share, kind):
    values = np.random.default_rng(2).normal(size=487).astype(kind)
    found = threshold_at_start(values, share)
    assert found == pytest.approx(slow_quantile(values.tolist(), share), abs=1e-12, rel=0)
    assert np.mean(values < found) == pytest.approx(share, abs=1 / 487)


def test_a_starting_error_needs_mated_pairs():
    with pytest.raises(InputError, match="got none"):
        threshold_at_start([], 0.05)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_threshold_just_above_a_similarity_stays_above_it(kind):
    values = np.random.default_rng(3).normal(size=1000).astype(kind)
    limit = threshold_at_fmr(values, 0.01)
    assert (~is_below(values, limit)).sum() == 10
    assert is_below(values[:1], np.nextafter(float(values[0]), 9)).tolist() == [True]
    assert is_below(values[:1], float(values[0])).tolist() == [False]
