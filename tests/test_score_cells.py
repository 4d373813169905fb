"""Cells of a score table: numbers rounded, and what further models say of a face."""

import math
import re

import pytest

from facegauge.errors import InputError
from facegauge.score_cells import Further, explained, further_of, rounded
from facegauge.values import Measure


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


def measure(name: str, score: float, advice: str = "fine") -> Measure:
    return Measure(name=name, score=score, value=1, unit="u", advice=advice)


SEVERAL = (
    measure("noise", 98.7),
    measure("sharpness", 12.4, "blurred: hold still"),
    measure("head yaw", 55, "turned to the left: look straight into the camera"),
    measure("margins", 100),
)


def test_the_worst_three_are_told_behind_what_was_told_before():
    told = (
        "worst: sharpness 12 (blurred: hold still); head yaw 55 (turned to the left: look straight "
    )
    told += "into the camera); noise 99 (fine)"
    assert explained("", SEVERAL) == told
    assert explained("largest of 3 faces", SEVERAL) == "largest of 3 faces; " + told
    assert explained("largest of 3 faces", ()) == "largest of 3 faces"


def test_what_is_told_can_be_read_back():
    """As docs/reference/measures.md says."""
    told = explained("largest of 3 faces; whole-1: no_face, blank", SEVERAL).split("worst: ")[1]
    items = re.findall(r"([^;()]+) (\d+) \(([^()]*)\)(?:; |$)", told)
    assert items == [
        (m.name, f"{m.score:.0f}", m.advice) for m in (SEVERAL[1], SEVERAL[2], SEVERAL[0])
    ]
