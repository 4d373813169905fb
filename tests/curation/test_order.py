"""Orders and shares against loops over rows, and against the ladder of evaluation."""

import numpy as np
import pytest

from facegauge.curation.order import best_first, lowest, ranks, starts
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.ladder import build_ladder, climb, last_within, read_qualities
from facegauge.evaluate.presets import PRESETS
from facegauge.score_columns import ScoreColumns


def slow_lowest(scores, groups, share):
    """The definition, one group after the other."""
    leaves = np.zeros(len(scores), bool)
    for group in set(groups.tolist()):
        own = np.flatnonzero(groups == group)
        values = [-np.inf if np.isnan(each) else each for each in scores[own]]
        for level in sorted(set(values), reverse=True):
            gone = [each < level for each in values]
            if sum(gone) / len(own) <= share:
                leaves[own] = gone
                break
    return leaves


@pytest.mark.parametrize("seed", range(20))
def test_lowest_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    scores = rng.integers(0, 8, count).astype(float)
    scores[rng.random(count) < 0.2] = np.nan
    groups = rng.integers(0, 4, count).astype(np.int32)
    for share in (0.0, 0.15, 0.2, 0.5, 0.9, 0.999):
        found = lowest(scores, groups, share)
        assert found.tolist() == slow_lowest(scores, groups, share).tolist()


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15, 0.2, 0.3, 0.7])
@pytest.mark.parametrize("seed", range(5))
def test_lowest_leaves_what_an_error_versus_discard_curve_has_left(seed, share):
    """Preset nist discards samples: what is gone at a share is what is gone from the curve."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 12, 40).astype(float)
    scores[rng.random(40) < 0.1] = np.nan
    first, second = np.triu_indices(40, 1)
    pairs = ComparedPairs(
        samples=40,
        first=first,
        second=second,
        similarity=rng.normal(size=first.size).astype(np.float32),
        mated=np.ones(first.size, bool),
    )
    preset = PRESETS["nist"]
    ladder = build_ladder(pairs, read_qualities(40, scores), preset)
    steps = climb(ladder, preset)
    level = steps.level[last_within(steps.discard, share)]
    found = lowest(scores, np.zeros(40, np.int32), share)
    assert found.tolist() == (ladder.samples < level).tolist()


def test_lowest_of_none_and_of_one():
    assert lowest(np.empty(0), np.empty(0, np.int32), 0.5).size == 0
    assert lowest(np.array([3.0]), np.zeros(1, np.int32), 0.9).tolist() == [False]


def test_three_of_twenty_are_within_15_percent():
    assert lowest(np.arange(20.0), np.zeros(20, np.int32), 0.15).sum() == 3


@pytest.mark.parametrize("seed", range(10))
def test_best_first_is_a_sort_by_group_score_path_and_face(seed):
    rng = np.random.default_rng(seed)
    names = [f"{chr(97 + at % 7)}/{at}.jpg" for at in rng.permutation(50)]
    columns = ScoreColumns.of(names, rng.integers(0, 5, 50).astype(float).tolist())
    groups = rng.integers(0, 3, 50).astype(np.int32)
    rows = np.flatnonzero(rng.random(50) < 0.8)
    found = best_first(columns, groups, rows)
    wanted = sorted(rows.tolist(), key=lambda at: (groups[at], -columns.scores[at], names[at]))
    assert found.tolist() == wanted


def test_faces_of_one_picture_and_one_score_are_in_order():
    columns = ScoreColumns.of(["b", "a", "a2"], [5.0, 5.0, 5.0])
    assert best_first(columns, np.zeros(3, np.int32), np.arange(3)).tolist() == [1, 2, 0]
    assert best_first(columns, np.zeros(3, np.int32), np.arange(0)).tolist() == []


def test_starts_and_ranks_of_none():
    none = np.empty(0, np.int32)
    assert (starts(none).size, ranks(none).size) == (0, 0)
