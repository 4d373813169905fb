"""Sharpness, noise and blocks: against other implementations, on drawn pictures and a portrait."""

import cv2
import numpy as np
import pytest
from skimage.measure import blur_effect

from facegauge import texture
from facegauge.texture import EYES, Texture, texture_of
from facegauge.values import Landmarks
from portrait import (
    LANDMARKS,
    PIXELS,
    blurred,
    compressed,
    flattened,
    measured,
    noisy,
    resized,
    rotated,
    scaled,
)


def own(levels: np.ndarray, eyes: float = EYES) -> Texture:
    return Texture(levels=levels.astype(np.float32), eyes=eyes)


def slope(rows: int = 320, columns: int = 400) -> np.ndarray:
    return 60 + np.add.outer(0.3 * np.arange(rows), 0.2 * np.arange(columns))


@pytest.mark.parametrize("sigma", [0, 0.8, 2, 5])
def test_blur_is_that_of_scikit_image(sigma):
    levels = texture_of(blurred(PIXELS, sigma), LANDMARKS).levels
    expected = blur_effect(levels.astype(np.float64), h_size=11)
    assert texture.sharpness(own(levels)).value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("deviation", [0.5, 2, 6, 20])
@pytest.mark.parametrize("seed", [0, 1])
def test_noise_on_a_slope_is_found_again(deviation, seed):
    grain = np.random.default_rng(seed).normal(0, deviation, (320, 400))
    found = texture.noise(own(slope() + grain))
    assert found.value == pytest.approx(deviation, rel=0.12)
    assert texture.noise(own(slope())).value == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 5), (7, 1)])
def test_steps_on_a_grid_of_eight_are_blocks_wherever_it_begins(right, down):
    """A slope in steps: 8 alike, then a jump of 2.4 and 1.6, and nothing else."""
    levels = slope(400, 480)[::8, ::8].repeat(8, 0).repeat(8, 1)[down:, right:]
    found = texture.compression(own(levels))
    jump = np.mean([0.2 * 8, 0.3 * 8])
    assert found.value == pytest.approx(jump / texture._SOFTENING, rel=1e-3)
    assert texture.compression(own(slope())).value == pytest.approx(0, abs=1e-3)


def test_steps_of_another_width_are_no_blocks():
    for width in (5, 6, 9, 10):
        levels = slope(400, 480)[::width, ::width].repeat(width, 0).repeat(width, 1)
        assert texture.compression(own(levels)).value < 0.5


def falling(name, faces) -> list[float]:
    scores = [measured(each, name).score for each in faces]
    assert scores == sorted(scores, reverse=True)
    return scores


def test_more_blur_is_worse():
    scores = falling("sharpness", [blurred(PIXELS, sigma) for sigma in (0, 1, 2, 3, 5)])
    assert scores[0] == 100
    assert scores[2] == pytest.approx(50, abs=10)
    assert scores[-1] < 30
    found = measured(blurred(PIXELS, 5), "sharpness")
    assert found.advice == "blurred: hold still, focus on the eyes, or clean the lens"


def test_motion_in_one_direction_is_blur():
    for size in ((15, 1), (1, 15)):
        assert measured(cv2.blur(PIXELS, size), "sharpness").score < 60


def test_more_noise_is_worse():
    scores = falling("noise", [noisy(PIXELS, sigma) for sigma in (0, 4, 8, 16, 32)])
    assert scores[0] == 100
    assert scores[-1] < 30
    assert measured(noisy(PIXELS, 8), "noise").value == pytest.approx(8, rel=0.15)


def test_a_lower_quality_is_worse():
    qualities = (95, 75, 50, 30, 20, 10, 5, 2)
    values = [
        measured(compressed(PIXELS, each), "compression artefacts").value for each in qualities
    ]
    assert values[2:] == sorted(values[2:])
    scores = falling(
        "compression artefacts", [compressed(PIXELS, each) for each in (95, 30, 10, 5)]
    )
    assert scores[0] == 100
    assert scores[-1] < 75


@pytest.mark.parametrize("right", [0, 3, 6])
def test_blocks_are_found_in_a_cut_out_part(right):
    worse = compressed(PIXELS, 10)[2:, right:]
    points = Landmarks.from_array(LANDMARKS.array() - [right, 2])
    whole = measured(compressed(PIXELS, 10), "compression artefacts").value
    found = measured(np.ascontiguousarray(worse), "compression artefacts", points)
    assert found.value == pytest.approx(whole, rel=0.05)


def test_a_picture_resized_after_compression_has_no_blocks():
    small, points = resized(compressed(PIXELS, 10), 0.77)
    assert measured(small, "compression artefacts", points).value < 0.5


def test_sharpness_does_not_depend_on_light_and_contrast_or_roll():
    score = measured(blurred(PIXELS, 2), "sharpness").score
    for other in (scaled(PIXELS, 0.5), flattened(PIXELS, 0.4), compressed(PIXELS, 70)):
        assert measured(blurred(other, 2), "sharpness").score == pytest.approx(score, abs=5)
    turned, points = rotated(blurred(PIXELS, 2), 40)
    assert measured(turned, "sharpness", points).score == pytest.approx(score, abs=8)


def test_sharpness_of_a_large_face_is_that_of_its_reduced_picture():
    (large, marks), (small, points) = resized(PIXELS, 4), resized(PIXELS, 1.1)
    expected = measured(small, "sharpness", points).value
    assert measured(large, "sharpness", marks).value == pytest.approx(expected, abs=0.03)


def test_noise_and_blocks_do_not_see_blur_and_light():
    for name in ("noise", "compression artefacts"):
        for other in (blurred(PIXELS, 2), scaled(PIXELS, 0.6), flattened(PIXELS, 0.5)):
            assert measured(other, name).score == 100


def test_a_plain_face_has_neither_noise_nor_blocks_nor_lines():
    face = own(np.full((64, 64), 90.0))
    assert texture.noise(face).score == texture.compression(face).score == 100
    assert (texture.sharpness(face).value, texture.sharpness(face).score) == (1, 0)


def test_the_cut_has_the_pictures_own_pixels():
    found = texture_of(PIXELS, LANDMARKS)
    grey = cv2.cvtColor(PIXELS, cv2.COLOR_RGB2GRAY).astype(np.float32)
    corner = cv2.matchTemplate(grey, found.levels, cv2.TM_SQDIFF)
    assert corner.min() == pytest.approx(0, abs=1)
    assert found.eyes == pytest.approx(40, abs=0.5)
    assert min(found.levels.shape) == pytest.approx(72 / 35.24 * 40, abs=2)


@pytest.mark.parametrize(("factor", "there"), [(0.4, True), (0.25, False)])
def test_a_few_pixels_have_no_texture(factor, there):
    assert (texture_of(*resized(PIXELS, factor)) is not None) is there


def test_a_corner_of_a_large_face_is_not_called_blurred():
    corner, whole = own(np.zeros((40, 900)), eyes=900), own(np.zeros((900, 900)), eyes=900)
    assert texture.sharpness(corner) is None
    assert texture.sharpness(whole).score == 0


def test_of_a_huge_face_the_middle_is_measured():
    found = own(np.zeros((1500, 600)))
    assert found.middle.shape == (512, 512)
    assert texture_of(PIXELS, LANDMARKS).middle.shape == texture_of(PIXELS, LANDMARKS).levels.shape
