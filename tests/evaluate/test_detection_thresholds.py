"""Average precision and the best threshold, against every threshold one by one."""

import math

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.evaluate.detection import Comparison, average_precision, best_threshold


def line(confidences, correct, wanted):
    """A comparison of one photograph with these detections."""
    return Comparison(
        wanted=wanted,
        hit=sum(correct),
        confidences=tuple(confidences),
        correct=tuple(correct),
        false_sizes=tuple(20.0 for each in correct if not each),
        errors=tuple(0.0 for each in correct if each),
    )


def naive_average_precision(comparisons):
    """Precision at each threshold, weighted by the recall that it adds."""
    wanted = sum(each.wanted for each in comparisons)
    rows = [pair for e in comparisons for pair in zip(e.confidences, e.correct, strict=True)]
    area, before = 0.0, 0.0
    for threshold in sorted({confidence for confidence, _ in rows}, reverse=True):
        passed = [right for confidence, right in rows if confidence >= threshold]
        recall = sum(passed) / wanted
        area += (recall - before) * sum(passed) / len(passed)
        before = recall
    return area


@pytest.mark.parametrize("decimals", [6, 1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_loops(seed, decimals):
    """Rounded confidences are ties."""
    rng = default_rng(seed)
    comparisons = []
    for count in rng.integers(0, 12, 8):
        confidences = np.round(rng.random(count), decimals).tolist()
        correct = (rng.random(count) < 0.6).tolist()
        comparisons.append(line(confidences, correct, sum(correct) + int(rng.integers(0, 3))))
    wanted = naive_average_precision(comparisons)
    assert 0.1 < wanted < 1
    assert average_precision(comparisons) == pytest.approx(wanted)
    assert average_precision(comparisons[::-1]) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("correct", "wanted", "value"),
    [
        ([1, 1, 1], 3, 1.0),
        ([1, 1, 0], 2, 1.0),
        ([0, 1, 1], 2, (1 / 2 + 2 / 3) / 2),
        ([1, 0, 1], 4, (1 + 2 / 3) / 4),
        ([0, 0, 0], 2, 0.0),
        ([0], 0, 0.0),
        ([], 5, 0.0),
    ],
)
def test_average_precision_by_hand(correct, wanted, value):
    confidences = np.linspace(0.9, 0.1, len(correct)).tolist()
    found = average_precision([line(confidences, list(map(bool, correct)), wanted)])
    assert found == pytest.approx(value)


def test_average_precision_follows_the_order_of_confidences_alone():
    rng = default_rng(0)
    confidences, correct = rng.random(40), (rng.random(40) < 0.5).tolist()
    plain, bent = (
        average_precision([line(values.tolist(), correct, 30)])
        for values in (confidences, confidences**5 / 2)
    )
    assert plain == bent


def harmonic(comparisons, threshold):
    """F1 of the detections at or above a threshold."""
    rows = [pair for e in comparisons for pair in zip(e.confidences, e.correct, strict=True)]
    passed = [right for confidence, right in rows if confidence >= threshold]
    precision = sum(passed) / len(passed) if passed else 0.0
    recall = sum(passed) / sum(each.wanted for each in comparisons)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@pytest.mark.parametrize("decimals", [6, 1])
@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_is_better_than_the_best(seed, decimals):
    """Rounded confidences are ties."""
    rng = default_rng(seed)
    confidences = np.round(rng.random(30), decimals)
    correct = (rng.random(30) < confidences).tolist()
    comparisons = [line(confidences.tolist(), correct, sum(correct) + 4)]
    best = harmonic(comparisons, best_threshold(comparisons))
    everywhere = [harmonic(comparisons, each) for each in np.linspace(0, 1, 1001)]
    assert best == pytest.approx(max(everywhere))


@pytest.mark.parametrize(
    ("confidences", "correct", "wanted", "threshold"),
    [
        ([0.9, 0.8, 0.4], [1, 1, 0], 2, 0.6),
        ([0.9, 0.6], [1, 1], 2, 0.3),
        ([0.9, 0.7, 0.5], [0, 1, 1], 2, 0.25),
        ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0], 2, 0.3),
        ([0.9], [0], 2, math.nan),
        ([], [], 2, math.nan),
        ([0.9], [0], 0, math.nan),
    ],
)
def test_the_best_threshold_by_hand(confidences, correct, wanted, threshold):
    found = best_threshold([line(confidences, list(map(bool, correct)), wanted)])
    assert found == pytest.approx(threshold, nan_ok=True)
