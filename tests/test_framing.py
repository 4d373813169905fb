"""The whole view of a crop, and the loose view of a face in a photograph."""

import numpy as np
import pytest

from facegauge.cards import Crop, View
from facegauge.framing import LOOSE, blank, cut, loose_box, reduced, whole_view
from facegauge.values import Box, Face, Landmarks

RAMP = np.stack([*np.mgrid[0:60, 0:90], np.zeros((60, 90))], axis=2).astype(np.uint8)


@pytest.mark.parametrize("resampling", ["area", "pillow-bilinear"])
def test_the_whole_view_is_the_centre_of_the_reduced_picture(resampling):
    crop = Crop(view=View.WHOLE, size=24, short_side=30, resampling=resampling)
    small = reduced(RAMP, crop)
    assert small.shape == (30, 45, 3)
    np.testing.assert_array_equal(whole_view(RAMP, crop), small[3:27, 10:34])


def test_a_loose_box_is_the_faces_box_around_its_centre():
    found = loose_box(Face(box=Box(x0=10, y0=20, x1=30, y1=50)))
    assert (found.x0 + found.x1, found.y0 + found.y1) == (40, 70)
    assert found.x1 - found.x0 == pytest.approx(20 * LOOSE)
    assert found.y1 - found.y0 == pytest.approx(30 * LOOSE)


def test_without_a_box_it_follows_from_the_landmarks():
    """A row of the reference detector on a crop: box 79.1, 52.8 .. 177.2, 187.5."""
    points = [105.4, 105.1, 151.0, 99.9, 131.1, 131.3, 112.5, 150.5, 153.9, 145.2]
    found = loose_box(Face(landmarks=Landmarks.from_array(points)))
    known = loose_box(Face(box=Box(x0=79.1, y0=52.8, x1=177.2, y1=187.5)))
    for name in ("x0", "y0", "x1", "y1"):
        assert getattr(found, name) == pytest.approx(getattr(known, name), abs=20)
    assert loose_box(Face()) is None


def test_a_cut_ends_with_the_picture():
    inside = cut(RAMP, Box(x0=10, y0=5, x1=20, y1=9))
    assert inside.shape == (4, 10, 3)
    assert inside[0, 0].tolist() == [5, 10, 0]
    assert cut(RAMP, Box(x0=-50, y0=-50, x1=500, y1=500)).shape == RAMP.shape
    assert cut(RAMP, Box(x0=200, y0=10, x1=300, y1=20)).size == 0


def test_blank_goes_by_the_percentiles_of_numpy():
    rng = np.random.default_rng(3)
    for _ in range(200):
        low = rng.integers(0, 248)
        high = min(256, low + rng.integers(1, 20))
        grey = rng.integers(low, high, rng.integers(1, 60, 2)).astype(np.uint8)
        expected = np.diff(np.percentile(grey, [2, 98]))[0]
        told = blank(np.repeat(grey[..., None], 3, axis=2))
        assert bool(told) == (expected < 8), (expected, told)
        assert not told or f"within {expected:.0f} grey" in told
