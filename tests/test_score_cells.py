"""Cells of a score table: numbers rounded, and what further models say of a face."""

import math

import pytest

from facegauge.errors import InputError
from facegauge.score_cells import Further, further_of, rounded


def test_numbers_are_rounded_and_minus_nothing_is_nothing():
    assert rounded("score", 1.23456, 2) == 1.23
    assert math.copysign(1, rounded("score", -1e-9, 2)) == 1
    assert rounded("score", None, 2) is None
    with pytest.raises(InputError, match="finite score"):
        rounded("score", math.nan, 2)


def test_further_models_are_read_by_their_number():
    cells = {"model": "a", "model_2": "b", "score_2": "1.5", "raw_2": "0.25", "model_3": "c"}
    found = further_of(cells)
    assert found == (Further(model="b", score=1.5, raw=0.25), Further(model="c"))
    assert further_of({"model": "a", "model_3": "c"}) == ()


def test_cells_are_on_one_line():
    assert Further(model="a\nb", score=12.34567, raw=0.12345678) == Further(
        model="a b", score=12.3457, raw=0.123457
    )
