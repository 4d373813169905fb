import math
from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.curves import DiscardCurve, compare_all, discard_curve, threshold_at_fmr
from facegauge.evaluate.engine import edc

LIMITS = (0.05, 0.2, 0.3, 0.77, 1.0)


def tied_pairs(seed: int, count: int = 400, levels: int = 25):
    """Similarities, few distinct qualities that say a little about them, and a threshold."""
    rng = np.random.default_rng(seed)
    similarity = rng.normal(0.5, 0.2, count)
    quality = np.round((similarity + rng.normal(0, 0.3, count)) * levels / 2)
    return similarity, quality, float(np.quantile(similarity, 0.15))


def slow_error_at(share: float, similarity, quality, threshold: float) -> float:
    """FNMR after the most discarding of whole quality levels that stays within ``share``."""
    pairs = list(zip(similarity, quality, strict=True))
    best = pairs
    for level in set(quality):
        kept = [pair for pair in pairs if pair[1] >= level]
        if (len(pairs) - len(kept)) / len(pairs) <= share and len(kept) < len(best):
            best = kept
    return sum(value < threshold for value, _ in best) / len(best)


def slow_pauc(limit: float, similarity, quality, threshold: float) -> float:
    """The area by definition: each of the N steps in which one pair more may be discarded."""
    count = len(similarity)
    area = 0.0
    for gone in range(count):
        left, right = gone / count, min((gone + 1) / count, limit)
        if right <= left:
            break
        area += slow_error_at(gone / count, similarity, quality, threshold) * (right - left)
    return area / (slow_error_at(0.0, similarity, quality, threshold) * limit)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("levels", [1, 4, 25])
def test_the_area_equals_a_loop_over_pairs(seed, levels):
    similarity, quality, threshold = tied_pairs(seed, 150, levels)
    curve = discard_curve(similarity, quality, threshold)
    assert len(np.unique(quality)) < 150  # ties there are
    for limit in LIMITS:
        expected = slow_pauc(limit, similarity, quality, threshold)
        assert curve.pauc(limit) == pytest.approx(expected, abs=1e-12, rel=0)


def test_the_curve_equals_a_loop_over_pairs():
    similarity, quality, threshold = tied_pairs(9)
    curve = discard_curve(similarity, quality, threshold)
    levels = sorted(set(quality.tolist()))
    assert curve.discard == pytest.approx([np.mean(quality < level) for level in levels], abs=1e-15)
    expected = [np.mean(similarity[quality >= level] < threshold) for level in levels]
    assert curve.error == pytest.approx(expected, abs=1e-12)
    assert curve.comparisons == similarity.size
    assert curve.errors == int((similarity < threshold).sum())
    assert curve.threshold == threshold


@pytest.mark.parametrize(
    "change", [lambda q: 3 * q - 7, lambda q: q**3, np.arctan, lambda q: np.exp(q / 9)]
)
def test_a_monotone_change_of_scores_changes_nothing(change):
    similarity, quality, threshold = tied_pairs(4)
    one = discard_curve(similarity, quality, threshold)
    other = discard_curve(similarity, change(quality), threshold)
    assert one.discard.tolist() == other.discard.tolist()
    assert one.error.tolist() == other.error.tolist()


def test_the_order_of_pairs_changes_nothing():
    similarity, quality, threshold = tied_pairs(5)
    shuffled = np.random.default_rng(0).permutation(len(similarity))
    one = discard_curve(similarity, quality, threshold)
    other = discard_curve(similarity[shuffled], quality[shuffled], threshold)
    assert one.error.tolist() == other.error.tolist()
    assert one.pauc() == other.pauc()


def test_ties_leave_together():
    curve = discard_curve([0.1, 0.9, 0.9, 0.1, 0.9], [1, 1, 1, 2, 3], 0.5)
    assert curve.discard == pytest.approx([0.0, 0.6, 0.8])
    assert curve.error == pytest.approx([0.4, 0.5, 0.0])


def test_one_quality_for_all_discards_nothing():
    curve = discard_curve([0.1, 0.9, 0.9], [7, 7, 7], 0.5)
    assert curve.discard.tolist() == [0.0]
    assert curve.pauc(0.3) == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [1, 7, 40, 100])
def test_a_perfect_score_gives_the_theoretical_best(wrong):
    count = 200
    similarity = np.r_[np.zeros(wrong), np.ones(count - wrong)]
    best = discard_curve(similarity, np.arange(count), 0.5)
    # After g pairs, w - g errors are left of n - g: the least any score can leave.
    floor = [max(wrong - gone, 0) / (count - gone) for gone in range(count)]
    assert best.error == pytest.approx(floor)
    rng = np.random.default_rng(wrong)
    for _ in range(5):
        any_score = discard_curve(similarity, rng.normal(size=count), 0.5)
        assert (any_score.error >= best.error - 1e-15).all()
        assert any_score.pauc() >= best.pauc()
    worst = discard_curve(similarity, -np.arange(count), 0.5)
    assert best.pauc() < 1.0 < worst.pauc()


def test_random_scores_gain_nothing():
    similarity, _, threshold = tied_pairs(6, 20_000)
    rng = np.random.default_rng(1)
    areas = [discard_curve(similarity, rng.random(20_000), threshold).pauc() for _ in range(10)]
    assert np.mean(areas) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("similarity", "quality", "expected"),
    [
        ([0.5], [1.0], nullcontext()),
        ([], [], pytest.raises(InputError, match="length > 0")),
        ([0.5, 0.5], [1.0], pytest.raises(InputError, match="equal length")),
        ([[0.5]], [[1.0]], pytest.raises(InputError, match="two lists")),
        ([0.5, math.nan], [1, 2], pytest.raises(InputError, match="finite")),
        ([0.5, 0.5], [1, math.nan], pytest.raises(InputError, match="finite")),
        ([0.5, 0.5], [1, math.inf], pytest.raises(InputError, match="finite")),
    ],
)
def test_curves_refuse_what_is_no_curve(similarity, quality, expected):
    with expected:
        assert discard_curve(similarity, quality, 0.9).comparisons == len(similarity)


@pytest.mark.parametrize("limit", [0.0, -0.1, 1.01, math.nan])
def test_a_limit_lies_in_0_to_1(limit):
    with pytest.raises(InputError, match="limit"):
        discard_curve([0.1, 0.9], [1, 2], 0.5).pauc(limit)


def test_without_an_error_there_is_no_area():
    with pytest.raises(InputError, match="no error"):
        discard_curve([0.8, 0.9], [1, 2], 0.5).pauc()


def slow_threshold(values: list[float], fmr: float) -> float:
    """The lowest of all candidate thresholds at which at most ``fmr`` match."""
    candidates = [step for value in values for step in (value, math.nextafter(value, math.inf))]
    return min(
        t for t in candidates if sum(value >= t for value in values) / len(values) <= fmr + 1e-12
    )


@pytest.mark.parametrize("fmr", [0.01, 0.07, 0.1, 0.29, 0.5])
@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_the_threshold_is_the_lowest_that_keeps_the_rate(fmr, decimals):
    values = np.round(np.random.default_rng(decimals).normal(0, 0.2, 100), decimals)
    threshold = threshold_at_fmr(values, fmr)
    matches = np.mean(values >= threshold)
    assert matches <= fmr
    below = math.nextafter(threshold, -math.inf)
    assert np.mean(values >= below) > fmr
    slow = slow_threshold(values.tolist(), fmr)
    assert np.mean(values >= slow) == matches
    assert threshold == slow


def test_a_thousand_pairs_suffice_for_a_rate_of_one_in_a_thousand():
    values = np.arange(1000.0)
    assert np.sum(values >= threshold_at_fmr(values, 1e-3)) == 1


@pytest.mark.parametrize(
    ("values", "fmr"),
    [
        (np.arange(999.0), 1e-3),
        ([], 0.1),
        (np.arange(50.0), 0.0),
        (np.arange(50.0), -0.1),
        (np.arange(50.0), 1.0),
        (np.arange(50.0), math.nan),
        (np.r_[np.arange(50.0), math.nan], 0.1),
    ],
)
def test_a_threshold_needs_a_rate_and_enough_pairs(values, fmr):
    with pytest.raises(InputError):
        threshold_at_fmr(values, fmr)


def people(count: int = 40, each: int = 3):
    rng = np.random.default_rng(2)
    centres = np.repeat(rng.normal(size=(count, 8)), each, axis=0)
    embeddings = centres + rng.normal(0, 0.8, centres.shape)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    names = np.repeat([f"p{number}" for number in range(count)], each)
    return embeddings.astype(np.float32), names


def test_all_faces_are_compared_with_all_others():
    embeddings, names = people()
    found = compare_all(embeddings, names, fmr=0.01)
    mated, rest = {}, []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            cosine = float(embeddings[a].astype(float) @ embeddings[b].astype(float))
            if names[a] == names[b]:
                mated[a, b] = cosine
            else:
                rest.append(cosine)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert pairs == list(mated)
    assert found.similarity == pytest.approx(list(mated.values()), abs=1e-6)
    assert found.threshold == pytest.approx(threshold_at_fmr(rest, 0.01), abs=1e-6)
    assert found.fmr == 0.01


def test_the_lower_quality_of_a_pair_decides():
    embeddings, names = people()
    found = compare_all(embeddings, names, fmr=0.01)
    quality = np.random.default_rng(3).random(len(names))
    lower = [min(quality[a], quality[b]) for a, b in zip(found.first, found.second, strict=True)]
    curve = found.curve(quality)
    expected = discard_curve(found.similarity, lower, found.threshold)
    assert isinstance(curve, DiscardCurve)
    assert curve.error.tolist() == expected.error.tolist()


def test_compared_faces_go_into_the_engine():
    embeddings, names = people()
    found = compare_all(embeddings, names, fmr=0.01)
    quality = np.random.default_rng(3).random(len(names))
    curve = edc(found.compared(), quality, threshold=found.threshold)
    assert curve.error.tolist() == found.curve(quality).error.tolist()
    assert curve.pauc() == found.curve(quality).pauc()


@pytest.mark.parametrize("wrong", [-1, 1])
def test_one_quality_for_each_face_is_needed(wrong):
    embeddings, names = people()
    with pytest.raises(InputError):
        compare_all(embeddings, names, fmr=0.01).curve(np.arange(len(names) + wrong))


@pytest.mark.parametrize("wrong", [-1, 1])
def test_one_identity_for_each_face_is_needed(wrong):
    embeddings, names = people()
    with pytest.raises(InputError):
        compare_all(embeddings, np.resize(names, len(names) + wrong), fmr=0.01)
