"""Areas against fine sums and triangles."""

import numpy as np
import pytest

from facegauge.evaluate.areas import best_area, linear_area, normalised, stairs_area
from facegauge.evaluate.presets import Normalisation

DISCARD = np.array([0.0, 0.1, 0.4, 0.95])
ERROR = np.array([0.3, 0.25, 0.28, 0.0])


def middles(limit, count=200_000):
    return (np.arange(count) + 0.5) * limit / count


@pytest.mark.parametrize("limit", [0.03, 0.1, 0.3, 0.95])
def test_areas_are_sums_of_thin_slices(limit):
    x = middles(limit)
    held = ERROR[np.searchsorted(DISCARD, x, side="right") - 1]
    assert stairs_area(DISCARD, ERROR, limit) == pytest.approx(held.mean() * limit, abs=1e-6)
    straight = np.interp(x, DISCARD, ERROR)
    assert linear_area(DISCARD, ERROR, limit) == pytest.approx(straight.mean() * limit, abs=1e-9)


def test_stairs_go_on_to_the_end():
    assert stairs_area(DISCARD, ERROR + 1, 1.0) - stairs_area(DISCARD, ERROR + 1, 0.95) == (
        pytest.approx(0.05)
    )


@pytest.mark.parametrize("area", [stairs_area, linear_area])
def test_many_curves_at_once_are_one_after_the_other(area):
    errors = np.random.default_rng(0).random((5, 4))
    together = area(np.broadcast_to(DISCARD, (5, 4)), errors, 0.3)
    assert together.tolist() == [float(area(DISCARD, error, 0.3)) for error in errors]


@pytest.mark.parametrize("start", [0.0, 0.05, 0.2, 0.7])
def test_the_theoretical_best_falls_at_45_degrees(start):
    best = np.maximum(0.0, start - middles(0.2)).mean() * 0.2
    assert best_area(np.float64(start), 0.2) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(
    ("how", "expected"),
    [("none", [0.06, 0.0]), ("e0", [0.5, np.nan]), ("best", [0.06 - 0.06, 0.0])],
)
def test_normalised(how, expected):
    found = normalised(np.array([0.06, 0.0]), np.array([0.4, 0.0]), 0.3, Normalisation(how))
    if how == "best":
        expected = [0.06 - (0.4**2 - 0.1**2) / 2, 0.0]
    assert found == pytest.approx(expected, nan_ok=True)
