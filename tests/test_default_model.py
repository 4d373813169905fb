"""The model that comes with the package."""

import cv2
import numpy as np
import pytest
import skimage.data

from facegauge import models
from facegauge.alignment import align, template
from facegauge.scoring import Scorer
from facegauge.values import Landmarks

LANDMARKS = Landmarks(
    left_eye=(203.4, 103.6),
    right_eye=(247.5, 104.4),
    nose=(224.1, 127.7),
    left_mouth=(204.0, 143.1),
    right_mouth=(242.9, 143.7),
)


@pytest.fixture(scope="module")
def model():
    return models.open("utility")


@pytest.fixture(scope="module")
def photo():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def crop(model, photo):
    return align(photo, LANDMARKS, model.card.crop.size, model.card.crop.resampling)


def blurred(crop):
    return cv2.GaussianBlur(crop, (0, 0), 4.0 * crop.shape[0] / 112)


def darkened(crop):
    return (crop * 0.08).round().astype(np.uint8)


def noisy(crop):
    noise = np.random.default_rng(0).normal(0, 50, crop.shape)
    return np.clip(crop + noise, 0, 255).astype(np.uint8)


def tiny(crop):
    side = crop.shape[0]
    small = cv2.resize(crop, (side // 10, side // 10), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)


def half_covered(crop):
    covered = crop.copy()
    covered[crop.shape[0] // 2 :] = (40, 90, 160)
    return covered


DAMAGES = [blurred, darkened, noisy, tiny, half_covered]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_face_scores_lower(model, crop, damage):
    good, bad = model.predict(np.stack([crop, damage(crop)])).score
    assert good > bad


def test_a_photo_scores_as_its_crop(model, photo, crop):
    [found] = Scorer("utility").assess(photo, [LANDMARKS])
    assert found.score == pytest.approx(float(model.predict(crop[None]).score[0]), abs=1e-3)
    assert 0 < found.score < 100


def many(photo, size: int) -> np.ndarray:
    """Faces shifted, turned and damaged: forty different crops."""
    rng = np.random.default_rng(1)
    crops = []
    for number in range(40):
        spread = rng.normal(0, 1.5, (5, 2))
        points = Landmarks.from_array(LANDMARKS.array() + spread)
        cut = align(photo, points, size)
        crops.append(DAMAGES[number % 5](cut) if number % 3 else cut)
    return np.stack(crops)


@pytest.mark.parametrize("threads", [1, 2])
def test_batches_threads_and_order_do_not_change_scores(model, photo, threads):
    images = many(photo, model.card.crop.size)
    expected = model.predict(images).score
    assert np.ptp(expected) > 10
    other = models.open("utility", threads=threads)
    for size in (1, 7, 32):
        parts = [other.predict(images[at : at + size]).score for at in range(0, len(images), size)]
        assert np.concatenate(parts) == pytest.approx(expected, abs=1e-3)
    assert other.predict(images[::-1]).score[::-1] == pytest.approx(expected, abs=1e-3)


def test_the_template_fits_the_crop(model, crop):
    size = model.card.crop.size
    assert crop.shape == (size, size, 3)
    assert template(size).max() < size
