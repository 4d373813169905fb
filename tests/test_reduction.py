"""How much a picture may be reduced: exact from the size of crop and faces."""

import pytest

from facegauge.alignment import TEMPLATE, TEMPLATE_EYE_DISTANCE
from facegauge.cards import Crop, View
from facegauge.reduction import every_pixel, fewest_eye_pixels, largest_reduction
from facegauge.values import Box, Face, Landmarks


def face(eyes: float) -> Face:
    return Face(landmarks=Landmarks.from_array(TEMPLATE * eyes / TEMPLATE_EYE_DISTANCE))


@pytest.mark.parametrize(("size", "need"), [(32, 3.43), (112, 12.0), (224, 24.0)])
def test_a_larger_crop_needs_more_pixels(size, need):
    assert fewest_eye_pixels(Crop(view=View.ALIGNED, size=size)) == pytest.approx(need, abs=0.01)


@pytest.mark.parametrize(
    ("eyes", "most"), [([20], 1), ([140.95], 2), ([140.95, 500], 2), ([500, 5], 7.1), ([], 1e9)]
)
def test_the_smallest_face_that_can_be_scored_keeps_twice_its_crop(eyes, most):
    found = largest_reduction(Crop(view=View.ALIGNED, size=112), [face(each) for each in eyes])
    assert found == pytest.approx(most, abs=0.01) or found > most == 1e9


@pytest.mark.parametrize(
    ("kind", "reads_all"), [("smooth", False), ("reference", True), ("area", False)]
)
def test_some_resampling_needs_every_pixel(kind, reads_all):
    view = View.WHOLE if kind == "area" else View.ALIGNED
    crop = Crop(
        view=view, size=112, resampling=kind, **({"short_side": 120} if kind == "area" else {})
    )
    assert every_pixel(crop) is reads_all
    if reads_all:
        assert largest_reduction(crop, [face(900)]) == 1


def test_a_loose_view_keeps_twice_its_short_side():
    crop = Crop(view=View.WHOLE, size=48, short_side=60, resampling="area")
    wide = Face(box=Box(x0=0, y0=0, x1=300, y1=240))
    assert largest_reduction(crop, [wide]) == pytest.approx(240 * 1.9 / 120)
