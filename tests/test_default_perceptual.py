"""The perceptual model that comes with the package: how good a face's picture looks."""

import io

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from facegauge import panel
from facegauge.scoring import Scorer
from facegauge.values import Outcome


@pytest.fixture(scope="module")
def photo():
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def scorer():
    return Scorer("perceptual")


def as_file(photo, **options):
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, **options)
    return np.asarray(Image.open(stream).convert("RGB"))


def blurred(photo):
    return cv2.GaussianBlur(photo, (0, 0), 3.0)


def moved(photo):
    kernel = np.zeros((15, 15), np.float32)
    kernel[7] = 1 / 15
    return cv2.filter2D(photo, -1, kernel)


def noisy(photo):
    noise = np.random.default_rng(0).normal(0, 40, photo.shape)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def crushed(photo):
    return as_file(photo, format="JPEG", quality=8)


def crushed_otherwise(photo):
    return as_file(photo, format="WEBP", quality=2)


def dark(photo):
    return (photo * 0.2).round().astype(np.uint8)


@pytest.mark.parametrize("damage", [blurred, moved, noisy, crushed, crushed_otherwise, dark])
def test_a_damaged_photograph_scores_lower(scorer, photo, damage):
    [good], [bad] = scorer.assess(photo), scorer.assess(damage(photo))
    assert (good.outcome, bad.outcome) == (Outcome.SCORED, Outcome.SCORED)
    assert good.score > bad.score + 5


def test_beside_the_default_both_scores_come_from_one_pass(photo):
    [both] = panel.open("utility,perceptual").assess(photo)
    [first], [second] = Scorer("utility").assess(photo), Scorer("perceptual").assess(photo)
    assert both.score == pytest.approx(first.score, abs=1e-3)
    assert both.further[0].score == pytest.approx(second.score, abs=1e-3)
