"""Operating tables against a loop over images and pairs."""

import json
import math
from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.operating import SCORES, operating_table
from slow_edc import rows_of, toy_pairs


def scored(seed):
    pairs, quality, _ = toy_pairs(seed, digits=1, failures=4)
    return pairs, np.round(50 + 20 * quality)


@pytest.mark.parametrize("seed", range(3))
def test_a_table_equals_a_loop(seed):
    pairs, score = scored(seed)
    asked = [*SCORES, float(np.nanmedian(score)), 1000.0, -1000.0]
    table = operating_table(pairs, score, 0.45, asked, recogniser="toy")
    rows = [row for row in rows_of(pairs) if row.mated]
    assert [point.score for point in table.points] == sorted(set(asked))
    for point in table.points:
        kept = [row for row in rows if score[row.a] >= point.score and score[row.b] >= point.score]
        wrong = sum(row.similarity < 0.45 for row in kept)
        assert (point.comparisons, point.errors) == (len(kept), wrong)
        assert point.fnmr == (wrong / len(kept) if kept else None)
        gone = sum(not value >= point.score for value in score)
        assert point.discarded == pytest.approx(gone / len(score), abs=1e-15)
    assert (table.samples, table.failures, table.recogniser) == (60, 4, "toy")


def test_failures_are_discarded_by_every_score():
    pairs, score = scored(1)
    lowest = operating_table(pairs, score, 0.45, [-1e9]).points[0]
    assert lowest.discarded == pytest.approx(4 / 60)


def test_a_table_goes_into_a_card():
    pairs, score = scored(2)
    table = operating_table(pairs, score, 0.45)
    found = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert [point["score"] for point in found["points"]] == list(SCORES)
    assert set(found["points"][0]) == {"score", "discarded", "fnmr", "comparisons", "errors"}
    assert str(table).count("\n") == len(SCORES) + 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, nullcontext()),
        ({"scores": []}, pytest.raises(OptionError, match="Ask at one")),
        ({"scores": [1.0, math.nan]}, pytest.raises(OptionError, match="finite scores")),
        ({"threshold": math.inf}, pytest.raises(OptionError, match="finite threshold")),
        ({"score": np.ones(3)}, pytest.raises(InputError, match="60 samples")),
    ],
)
def test_a_table_needs_scores_and_a_threshold(changes, expected):
    pairs, score = scored(3)
    with expected:
        found = operating_table(pairs, **({"score": score, "threshold": 0.4} | changes))
        assert len(found.points) == len(SCORES)


def test_a_table_needs_mated_pairs():
    pairs = ComparedPairs(
        samples=2, first=[0], second=[1], similarity=[0.5], mated=np.array([False])
    )
    with pytest.raises(InputError, match="needs mated pairs, got none"):
        operating_table(pairs, [1, 2], 0.5)
