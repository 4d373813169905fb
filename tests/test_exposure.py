"""Light on a face: exact for drawn faces, monotone for a real one, blind to what is no light."""

import numpy as np
import pytest

from facegauge import exposure
from facegauge.alignment import TEMPLATE
from facegauge.exposure import SIZE, Lit, lit
from facegauge.values import Landmarks
from portrait import (
    LANDMARKS,
    PIXELS,
    blurred,
    compressed,
    flattened,
    measured,
    resized,
    rotated,
    scaled,
    side_lit,
)

ON_TEMPLATE = Landmarks.from_array(TEMPLATE)
NAMES = ("under-exposure", "over-exposure", "dynamic range", "illumination uniformity")


def drawn(levels: np.ndarray) -> Lit:
    return Lit(levels=levels.astype(np.uint8), inside=np.ones((SIZE, SIZE), dtype=bool))


def plain(level: float) -> np.ndarray:
    return np.full((SIZE, SIZE), level)


@pytest.mark.parametrize(
    ("level", "score"), [(0, 0), (10, 0), (70, 50), (100, 75), (130, 100), (255, 100)]
)
def test_a_plain_face_is_as_bright_as_it_is(level, score):
    found = exposure.under_exposure(drawn(plain(level)))
    assert (found.value, found.score) == (level, pytest.approx(score))


@pytest.mark.parametrize(("share", "score"), [(0, 100), (0.2, 80), (0.5, 50), (1, 0)])
def test_the_white_share_of_a_face(share, score):
    levels = plain(249)
    face = np.flatnonzero(exposure._oval().ravel())
    levels.ravel()[face[: round(share * face.size)]] = 250
    found = exposure.over_exposure(drawn(levels))
    assert (found.value, found.score) == pytest.approx((share, score), abs=0.05)


@pytest.mark.parametrize("bits", [0, 1, 4, 6])
def test_as_many_bits_as_there_are_equal_levels(bits):
    rng = np.random.default_rng(0)
    levels = rng.permutation(np.arange(SIZE * SIZE) % 2**bits).reshape(SIZE, SIZE) * 3 + 20
    found = exposure.dynamic_range(drawn(levels))
    assert found.value == pytest.approx(bits, abs=0.02)
    assert found.score == pytest.approx(100 * np.clip((found.value - 3.5) / 3.25, 0, 1))


@pytest.mark.parametrize("stops", [-5, -2, -0.5, 0, 1, 3])
def test_light_that_is_halved_is_a_stop(stops):
    light = np.full((SIZE, SIZE), 0.4)
    light[:, : SIZE // 2] *= 2.0 ** min(stops, 0)
    light[:, SIZE // 2 :] *= 2.0 ** -max(stops, 0)
    levels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    found = exposure.uniformity(drawn(np.rint(255 * levels)))
    assert found.value == pytest.approx(stops, abs=0.05)
    assert found.score == pytest.approx(100 * np.clip((6 - abs(found.value)) / 5, 0, 1))
    dark = "right" if stops > 0 else "left"
    said = f"too dark on the {dark} side: turn towards the light"
    assert found.advice == (said if abs(stops) > 2.25 else "fine")


def series(name, faces) -> list[float]:
    return [measured(each, name).score for each in faces]


def test_less_light_is_worse():
    faces = [scaled(PIXELS, share) for share in (1, 0.5, 0.35, 0.2, 0.1, 0.05)]
    for name in ("under-exposure", "dynamic range"):
        scores = series(name, faces)
        assert scores == sorted(scores, reverse=True)
        assert scores[0] == 100
        assert scores[-1] < 10
    assert measured(faces[2], "under-exposure").value == pytest.approx(0.35 * 222, abs=2)


def test_more_light_is_worse_only_where_it_is_white():
    scores = series("over-exposure", [scaled(PIXELS, times) for times in (0.5, 1, 1.5, 2, 3, 5)])
    assert scores == sorted(scores, reverse=True)
    assert scores[1] > 99
    assert scores[-1] < 15


def test_less_contrast_is_worse_and_no_darker():
    faces = [flattened(PIXELS, share) for share in (1, 0.6, 0.3, 0.1)]
    scores = series("dynamic range", faces)
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 100
    assert scores[-1] < 10
    assert min(series("under-exposure", faces)) > 95


@pytest.mark.parametrize(
    ("flat", "why"),
    [
        (scaled(PIXELS, 0.2), "add light"),
        (scaled(PIXELS, 4), "soften"),
        (flattened(PIXELS, 0.2), "lens"),
    ],
)
def test_why_a_face_is_flat_is_told(flat, why):
    found = measured(flat, "dynamic range")
    assert found.score < 75
    assert why in found.advice


@pytest.mark.parametrize(("sign", "dark"), [(1, "right"), (-1, "left")])
def test_light_from_one_side_is_worse_and_the_dark_side_is_named(sign, dark):
    found = [
        measured(side_lit(PIXELS, sign * stops), "illumination uniformity")
        for stops in (1, 3, 5, 7, 9)
    ]
    assert [each.score for each in found] == sorted([each.score for each in found], reverse=True)
    assert found[-1].score < 40
    assert found[-1].advice == f"too dark on the {dark} side: turn towards the light"


@pytest.mark.parametrize("name", NAMES)
def test_light_does_not_depend_on_blur_scale_roll_or_compression(name):
    score = measured(PIXELS, name).score
    others = [(blurred(PIXELS, 1.5), LANDMARKS), (compressed(PIXELS, 50), LANDMARKS)]
    others += [resized(PIXELS, 0.5), resized(PIXELS, 3), rotated(PIXELS, 40)]
    for pixels, points in others:
        assert measured(pixels, name, points).score == pytest.approx(score, abs=3)


@pytest.mark.parametrize("share", [0.8, 0.6, 0.4])
def test_exposure_hardly_changes_which_side_is_how_much_darker(share):
    lopsided = side_lit(PIXELS, 4)
    found = measured(scaled(lopsided, share), "illumination uniformity")
    assert found.value == pytest.approx(
        measured(lopsided, "illumination uniformity").value, abs=0.35
    )


def test_what_lies_outside_the_picture_is_not_dark():
    """A picture cut beside the eye, so that a third of the crop is empty."""
    cut = np.ascontiguousarray(PIXELS[:, 205:])
    points = Landmarks.from_array(LANDMARKS.array() - [205, 0])
    seen = lit(cut, points)
    assert 0.5 < seen.inside.mean() < 0.8
    assert seen.face.min() > 0
    assert exposure.under_exposure(seen).score == pytest.approx(100, abs=3)
    assert exposure.uniformity(seen) is None


def test_a_face_beyond_the_picture_has_no_light():
    assert lit(PIXELS, Landmarks.from_array(LANDMARKS.array() + [5000, 0])) is None
    assert lit(PIXELS[:112, :112], ON_TEMPLATE) is not None
