"""Who leaves when, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.ladder import (
    GRID,
    build_ladder,
    climb,
    last_within,
    left_before,
    read_qualities,
)
from facegauge.evaluate.presets import PRESETS

DIFIQA = PRESETS["difiqa"]


def four():
    """Mated 0-1 and 2-3, non-mated 0-2 and 1-3; qualities 5, none, 5, 8."""
    pairs = ComparedPairs(
        samples=4,
        first=[0, 0, 2, 1],
        second=[1, 2, 3, 3],
        similarity=[0.1, 0.2, 0.3, 0.4],
        mated=[True, False, True, False],
    )
    return pairs, read_qualities(4, [5, np.nan, 5, 8])


def test_levels_are_those_of_the_worse_sample():
    ladder = build_ladder(*four(), replace(DIFIQA, leaving="both"))
    assert ladder.levels == 3
    assert ladder.samples.tolist() == [1, 0, 1, 2]
    assert ladder.counted.tolist() == [0, 1]
    assert ladder.others.tolist() == [1, 0]


def test_pairs_that_have_no_say_are_left_out():
    assert build_ladder(*four(), DIFIQA).others.size == 0
    assert build_ladder(*four(), replace(DIFIQA, threshold="floating")).others.size == 2


def test_levels_of_the_mean_order_all_pairs():
    ladder = build_ladder(*four(), replace(DIFIQA, leaving="both", quality="mean"))
    assert ladder.levels == 3  # none, 5 and 6.5
    assert ladder.counted.tolist() == [0, 2]
    assert ladder.others.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("leaving", "discard", "level"),
    [
        ("mated", [0, 1 / 2], [0, 1]),
        ("proportional", [0, 1 / 2], [0, 1]),
        ("both", [0, 1 / 2], [0, 1]),
        ("samples", [0, 1 / 4, 3 / 4], [0, 1, 2]),
    ],
)
def test_points_are_levels_from_which_something_leaves(leaving, discard, level):
    preset = replace(DIFIQA, leaving=leaving)
    steps = climb(build_ladder(*four(), preset), preset)
    assert steps.discard.tolist() == discard
    assert steps.level.tolist() == level


def test_the_grid_takes_the_last_level_within_a_share():
    preset = replace(DIFIQA, leaving="samples", shape="linear")
    steps = climb(build_ladder(*four(), preset), preset)
    assert steps.discard.tolist() == GRID.tolist()
    assert steps.level.tolist() == [0] * 5 + [1] * 10 + [2] * 5


@pytest.mark.parametrize("total", [20, 40, 60, 140, 200, 2060])
def test_a_share_that_is_reached_exactly_counts(total):
    discard = np.arange(total) / total
    assert last_within(discard, GRID).tolist() == [total * step // 20 for step in range(20)]


def test_left_before_counts_lower_levels():
    levels = np.random.default_rng(0).integers(0, 7, 50)
    expected = [sum(levels < level) for level in range(9)]
    assert left_before(levels, 9).tolist() == expected
