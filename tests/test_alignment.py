import math
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from facegauge.alignment import (
    TEMPLATE,
    TEMPLATE_EYE_DISTANCE,
    Mode,
    Similarity,
    align,
    fit_similarity,
    jitter,
    template,
    warp,
)
from facegauge.errors import LandmarkError, OptionError
from facegauge.values import Landmarks

SHRINKS = (2.5, 8.7)
TURNS = (0.0, 0.3, -1.2, math.pi / 2, 3.0)


def moved(points, factor: float, turn: float = 0.0, centre=(0.0, 0.0)) -> np.ndarray:
    """Points scaled and turned about the middle of the template, then put at ``centre``."""
    z = (points - TEMPLATE.mean(0)) @ [1, 1j] * factor * np.exp(1j * turn)
    return np.column_stack([z.real, z.imag]) + centre


def face(factor: float, turn: float = 0.0, side: int | None = None) -> Landmarks:
    """A face ``factor`` times as large as in the crop, in the middle of a picture of ``side``."""
    middle = (side or 0) / 2
    return Landmarks.from_array(moved(TEMPLATE, factor, turn, (middle, middle)))


def noisy_points(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turned = moved(TEMPLATE, rng.uniform(0.1, 20), rng.uniform(-3.1, 3.1), rng.normal(0, 500, 2))
    return turned + rng.normal(0, 0.1 * np.ptp(turned), (5, 2))


def least_squares(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """a, b, x_shift, y_shift from ten linear equations, two for each point."""
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += [u, v]
    return np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_fit_equals_linear_least_squares(seed):
    source = noisy_points(seed)
    found = fit_similarity(source, TEMPLATE)
    expected = least_squares(source, TEMPLATE)
    assert found.a == pytest.approx(expected[0], rel=1e-8, abs=1e-10)
    assert found.b == pytest.approx(expected[1], rel=1e-8, abs=1e-10)
    middle = source.mean(0)
    a, b, x_shift, y_shift = expected
    there = [a * middle[0] - b * middle[1] + x_shift, b * middle[0] + a * middle[1] + y_shift]
    assert found.apply(middle[np.newaxis])[0] == pytest.approx(there, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_the_fit_equals_umeyama(seed):
    source = noisy_points(seed)
    found = fit_similarity(source, TEMPLATE).matrix()
    umeyama = SimilarityTransform.from_estimate(source, TEMPLATE).params[:2]
    assert found == pytest.approx(umeyama, rel=1e-8, abs=1e-7)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("factor", [0.05, 0.7, 1.0, 30.0])
def test_a_similarity_is_recovered_exactly(turn, factor):
    source = moved(TEMPLATE, factor, turn, (321.0, -45.0))
    found = fit_similarity(source, TEMPLATE)
    assert found.scale == pytest.approx(1 / factor)
    assert math.atan2(found.b, found.a) == pytest.approx(-turn)
    assert found.apply(source) == pytest.approx(TEMPLATE, abs=1e-9)


def test_a_mirrored_face_is_not_mirrored_back():
    source = TEMPLATE * [-1, 1]
    found = fit_similarity(source, TEMPLATE)
    assert np.linalg.det(found.matrix()[:, :2]) > 0
    assert np.abs(found.apply(source) - TEMPLATE).max() > 1


@pytest.mark.parametrize("points", [np.zeros((5, 2)), np.full((5, 2), 7.5)])
def test_one_point_is_no_face(points):
    with pytest.raises(LandmarkError, match="two different points"):
        fit_similarity(points, TEMPLATE)


def test_the_template_is_arcface_and_scales_with_the_crop():
    assert template(112).tolist() == TEMPLATE.tolist()
    assert template(56) == pytest.approx(TEMPLATE / 2)
    assert pytest.approx(math.dist(*TEMPLATE[:2])) == TEMPLATE_EYE_DISTANCE
    with pytest.raises(ValueError, match="read-only"):
        TEMPLATE[0, 0] = 0


def picture(side: int = 300, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.mark.parametrize("size", [16, 112, 127])
@pytest.mark.parametrize("seed", range(3))
def test_reference_is_one_plain_warp(size, seed):
    pixels = picture(seed=seed)
    points = np.random.default_rng(seed).normal(0, 2, (5, 2)) + moved(
        TEMPLATE, 1.5, 0.2 * seed, (150, 150)
    )
    matrix = fit_similarity(points, template(size)).matrix()
    expected = cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR)
    found = align(pixels, Landmarks.from_array(points), size, "reference")
    assert found.tobytes() == expected.tobytes()


def inner(crop: np.ndarray, margin: int = 4) -> np.ndarray:
    return crop[margin:-margin, margin:-margin].astype(float)


def checkerboard(side: int) -> np.ndarray:
    rows, columns = np.indices((side, side))
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, 2)


def zone_plate(side: int) -> np.ndarray:
    """Rings ever finer outwards, from 0.3 to 0.5 periods a pixel: too fine for a shrunk crop."""
    rows, columns = np.indices((side, side))
    radius = np.hypot(rows - side / 2, columns - side / 2)
    turns = 0.3 * radius + 0.2 * radius**2 / (2 * radius.max())
    return np.repeat((127.5 + 127.5 * np.cos(2 * np.pi * turns))[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize("turn", [0.0, 0.35])
@pytest.mark.parametrize("shrink", SHRINKS)
@pytest.mark.parametrize(("draw", "quiet"), [(checkerboard, 3.0), (zone_plate, 12.0)])
def test_smooth_does_not_alias(draw, quiet, shrink, turn):
    side = int(112 * shrink * 1.6)
    pixels = draw(side)
    smooth = inner(align(pixels, face(shrink, turn, side)))
    plain = inner(align(pixels, face(shrink, turn, side), mode="reference"))
    assert smooth.std() < quiet
    assert plain.std() > 4 * smooth.std()
    assert plain.std() > 30
    assert smooth.mean() == pytest.approx(127.5, abs=2)


@pytest.mark.parametrize("size", [24, 112, 113])
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("factor", [0.3, 1.0, 1.9, 2.5, 8.7])
def test_smooth_shows_ramps_where_reference_does(factor, turn, size):
    side = int(200 * factor) + 40
    ramp = np.linspace(0, 255, side)
    level = np.full((side, side), 90.0)
    pixels = np.dstack([*np.meshgrid(ramp, ramp), level]).round().astype(np.uint8)
    points = face(factor, turn, side)
    smooth, plain = (inner(align(pixels, points, size, mode)) for mode in Mode)
    assert smooth.shape == (size - 8, size - 8, 3)
    assert np.abs(smooth - plain).max() <= 1  # both round to whole grey levels
    assert np.abs((smooth - plain).mean((0, 1))).max() < 0.6
    assert (smooth[..., 2] == 90).all()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("factor", [0.3, 0.5, 1.0, 2.1, 3.33, 10.0])
def test_a_blob_lands_on_the_template(factor, turn, mode):
    side = int(140 * factor) + 61
    points = face(factor, turn, side).array() + np.array([0.3, -0.4])
    rows, columns = np.indices((side, side))
    width = 1.2 * max(1.0, factor)
    for (x, y), target in zip(points[[0, 4]], TEMPLATE[[0, 4]], strict=True):
        blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
        pixels = np.repeat((250 * blob).round().astype(np.uint8)[..., None], 3, 2)
        crop = align(pixels, Landmarks.from_array(points), mode=mode)[..., 0].astype(float)
        v, u = np.indices(crop.shape)
        centre = [(crop * u).sum() / crop.sum(), (crop * v).sum() / crop.sum()]
        assert math.dist(centre, target) < 0.1


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("size", [1, 2, 7, 64, 112, 333])
def test_crops_of_any_size(size, mode):
    crop = align(picture(90), face(0.5, 0.1, 90), size, mode)
    assert crop.shape == (size, size, 3)
    assert crop.dtype == np.uint8
    assert crop.max() > 50


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("factor", [0.5, 1.0, 6.0])
def test_outside_the_picture_is_black(factor, mode):
    white = np.full((60, 60, 3), 255, dtype=np.uint8)
    middle = moved(TEMPLATE, factor, 0.0, (0, 30))
    crop = align(white, Landmarks.from_array(middle), mode=mode)
    assert (crop[:, :20] == 0).all()
    far = Landmarks.from_array(middle + 10_000)
    assert not align(white, far, mode=mode).any()


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("shape", [(40_000, 60), (60, 40_000)])
def test_very_long_pictures(shape, mode):
    pixels = np.full((*shape, 3), 200, dtype=np.uint8)
    end = [shape[1] - 30, shape[0] - 30]
    crop = align(pixels, Landmarks.from_array(moved(TEMPLATE, 0.3, 0.0, end)), mode=mode)
    assert crop[56, 56].tolist() == [200, 200, 200]


@pytest.mark.parametrize(
    ("size", "mode", "expected"),
    [
        (1, "smooth", nullcontext()),
        (0, "smooth", pytest.raises(OptionError, match="at least 1")),
        (-5, "reference", pytest.raises(OptionError, match="at least 1")),
        (9, "bicubic", pytest.raises(OptionError, match="bicubic")),
    ],
)
def test_wrong_crops_are_refused(size, mode, expected):
    similarity = Similarity(a=1, b=0, x_shift=0, y_shift=0)
    with expected:
        assert warp(picture(20), similarity, size, mode).shape == (size, size, 3)


def test_the_identity_changes_nothing():
    pixels = picture(64)
    similarity = Similarity(a=1, b=0, x_shift=0, y_shift=0)
    assert (warp(pixels, similarity, 64, "reference") == pixels).all()
    assert similarity.scale == 1
    smooth = warp(pixels, similarity, 64, "smooth").astype(int)
    assert np.abs(inner(smooth) - inner(pixels)).mean() < 2  # halves of half pixels, no shift


def shifts(count: int = 4000, **amount: float) -> np.ndarray:
    rng = np.random.default_rng(11)
    still = face(2.0)
    return np.array([jitter(still, rng, **amount).array() - still.array() for _ in range(count)])


def test_jitter_is_uniform_within_its_bounds():
    found = shifts(pixels=3.0)
    assert np.abs(found).max() <= 3.0
    assert np.abs(found).max((0, 2)) == pytest.approx(np.full(5, 3.0), abs=0.02)
    assert found.mean(0) == pytest.approx(np.zeros((5, 2)), abs=0.15)
    assert found.std(0) == pytest.approx(np.full((5, 2), 3 / math.sqrt(3)), abs=0.06)


def test_jitter_moves_every_coordinate_on_its_own():
    correlation = np.corrcoef(shifts(pixels=1.0).reshape(-1, 10).T)
    assert np.abs(correlation - np.eye(10)).max() < 0.07


def test_relative_jitter_is_a_share_of_the_eye_distance():
    still = face(2.0)
    before = still.array()
    share = 3.0 / still.inter_eye_distance
    one = jitter(still, np.random.default_rng(4), pixels=3.0)
    other = jitter(still, np.random.default_rng(4), relative=share)
    again = jitter(still, np.random.default_rng(5), pixels=3.0)
    assert one.array() == pytest.approx(other.array(), abs=1e-12)
    assert one != again
    assert (still.array() == before).all()


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({}, nullcontext()),
        ({"pixels": 0.0, "relative": 0.0}, nullcontext()),
        ({"pixels": -1.0}, pytest.raises(OptionError, match=">= 0")),
        ({"relative": -0.1}, pytest.raises(OptionError, match=">= 0")),
        ({"pixels": 1.0, "relative": 0.1}, pytest.raises(OptionError, match="not both")),
        ({"pixels": math.nan}, pytest.raises(OptionError)),
        ({"pixels": math.inf}, pytest.raises(OptionError)),
    ],
)
def test_jitter_takes_one_amount(amounts, expected):
    with expected:
        assert jitter(face(1.0), np.random.default_rng(0), **amounts) == face(1.0)
