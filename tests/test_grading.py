"""Grades: ramps in both directions, cosines, and advice only where there is something to do."""

import pytest

from facegauge.grading import FINE, NOTHING_TO_DO, graded, ramp, upright


@pytest.mark.parametrize(
    ("value", "none", "full", "expected"),
    [
        (6, 6, 30, 0),
        (-5, 6, 30, 0),
        (30, 6, 30, 100),
        (99, 6, 30, 100),
        (18, 6, 30, 50),
        (0.25, 1, 0, 75),
        (2, 1, 0, 0),
        (-1, 1, 0, 100),
    ],
)
def test_a_ramp_is_straight_between_its_ends(value, none, full, expected):
    assert ramp(value, none=none, full=full) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(0, 100), (30, 75), (-45, 50), (60, 25), (90, 0), (135, 0), (180, 0), (-170, 0)],
)
def test_an_angle_is_graded_by_its_squared_cosine(degrees, expected):
    assert upright(degrees) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("grade", "told"), [(FINE - 0.1, "do it"), (FINE, NOTHING_TO_DO)])
def test_advice_stands_where_there_is_something_to_do(grade, told):
    assert graded("noise", grade, value=1, unit="grey levels", advice="do it").advice == told
