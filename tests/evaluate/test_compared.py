"""Compared pairs: what is refused, and that nothing is copied."""

import math

import numpy as np
import pytest

from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs
from slow_edc import toy_pairs


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"first": [0]}, "one length"),
        ({"similarity": np.ones((2, 1))}, "one length"),
        ({"first": [], "second": [], "similarity": [], "mated": []}, "one length > 0"),
        ({"first": [0.0, 1.0]}, "whole sample numbers"),
        ({"mated": [1, 0]}, "true or false"),
        ({"similarity": [1, 2]}, "with a fraction"),
        ({"second": [1, 3]}, r"0\.\.2, got 0\.\.3"),
        ({"second": [1, -1]}, r"got -1\.\.1"),
        ({"second": [0, 2]}, "number 0 twice in 1 pairs"),
        ({"similarity": [0.5, math.nan]}, "finite, got nan in 1 pairs"),
    ],
)
def test_compared_pairs_are_checked(changes, expected):
    good = {"first": [0, 1], "second": [1, 2], "similarity": [0.1, 0.2], "mated": [True, False]}
    assert len(ComparedPairs(samples=3, **good)) == 2
    with pytest.raises(InputError, match=expected):
        ComparedPairs(samples=3, **(good | changes))


def test_compared_pairs_are_not_copied():
    pairs, _, _ = toy_pairs(0)
    again = ComparedPairs(
        samples=pairs.samples,
        first=pairs.first,
        second=pairs.second,
        similarity=pairs.similarity,
        mated=pairs.mated,
    )
    assert again.first is pairs.first
    assert again.similarity is pairs.similarity
