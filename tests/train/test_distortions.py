"""Distortions at a given strength, and that what was drawn before they existed is still drawn."""

import hashlib

import cv2
import numpy as np
from numpy.random import default_rng

from facegauge.train import degradation, distortions


def flat(level: int) -> np.ndarray:
    return np.full((64, 64, 3), level, np.uint8)


def test_exposure_is_a_power_and_a_gain():
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3)
    found = distortions.exposed(ramp, 2.0, 0.5)[0, :, 0]
    expected = np.round((np.arange(256) / 255) ** 2 * 0.5 * 255)
    np.testing.assert_allclose(found, expected, atol=0.5)


def test_a_streak_is_a_mean_along_a_line():
    point = flat(0)
    point[32, 32] = 250
    found = distortions.streaked(point, 5, 0.0)[:, :, 0]
    assert found[32, 30:35].tolist() == [50] * 5
    assert found.sum() == 250


def test_low_light_counts_photons():
    found = distortions.in_low_light(flat(255), 10.0, 0.5, default_rng(0)).astype(float)
    assert abs(found.mean() - 127) < 4  # mean 10 photons of 10, at half the brightness
    assert abs(found.std() - 127 / np.sqrt(10)) < 4  # Poisson


def test_a_tint_is_a_gain_a_channel():
    assert distortions.tinted(flat(100), (1.5, 1.0, 0.5))[0, 0].tolist() == [150, 100, 50]


def test_files_lose_more_at_a_lower_quality():
    picture = default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    for coded in (distortions.as_jpeg, distortions.as_webp):
        apart = [np.abs(coded(picture, q).astype(int) - picture).mean() for q in (95, 40, 5)]
        assert apart == sorted(apart)
        red = flat(0)
        red[:, :, 0] = 200
        assert abs(int(coded(red, 90)[0, 0, 0]) - 200) < 20  # channels stay in their order


def test_recipes_draw_the_same_degradations_as_ever():
    """Exact arithmetic alone, which does not change with the version of a codec."""
    picture = cv2.GaussianBlur(
        default_rng(0).integers(0, 256, (96, 80, 3)).astype(np.uint8), (0, 0), 3
    )
    digest = hashlib.sha256()
    for operation in (degradation.expose, degradation.add_noise, degradation.cast_colour):
        for seed in range(30):
            digest.update(operation(picture, default_rng(seed)).tobytes())
    assert digest.hexdigest()[:16] == "16941abf24975f2f"
