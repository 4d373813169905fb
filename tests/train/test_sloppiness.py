"""Landmarks that are off: by how much, from where, and never more than once."""

import numpy as np
import pytest

from facegauge import alignment
from facegauge.train.sloppiness import Sloppiness
from facegauge.values import Landmarks

POINTS = Landmarks.from_array([[40, 50], [80, 54], [60, 75], [45, 95], [77, 96]])
OTHER = Landmarks.from_array(POINTS.array() + 5)
EYES = POINTS.inter_eye_distance


def draws(count=400, others=(), **amounts):
    each = Sloppiness(**amounts)
    return np.stack(
        [each.moved(POINTS, others, np.random.default_rng(n)).array() for n in range(count)]
    )


def fitted(found):
    """Angle in degrees, zoom and shift of each draw, by a similarity from the points."""
    similar = [alignment.fit_similarity(POINTS.array(), each) for each in found]
    factors = np.array([complex(s.a, s.b) for s in similar])
    shifts = found.mean(axis=1) - POINTS.array().mean(axis=0)
    return np.rad2deg(np.angle(factors)), np.abs(factors) - 1, shifts


def test_without_amounts_nothing_moves():
    np.testing.assert_allclose(draws(3), np.stack([POINTS.array()] * 3), atol=1e-9)


@pytest.mark.parametrize(
    ("amount", "limit"), [({"pixels": 3.0}, 3.0), ({"relative": 0.1}, 0.1 * EYES)]
)
def test_noise_is_uniform_and_independent_per_coordinate(amount, limit):
    off = draws(**amount) - POINTS.array()
    assert 0.95 * limit < np.abs(off).max() <= limit
    assert off.std() == pytest.approx(limit / 3**0.5, rel=0.05)
    correlation = np.corrcoef(off.reshape(len(off), -1).T)
    assert np.abs(correlation - np.eye(10)).max() < 0.2


def test_a_set_turns_grows_and_moves_as_a_whole():
    angle, zoom, shift = fitted(draws(roll=10.0, zoom=0.1, shift=0.2))
    assert 9 < np.abs(angle).max() <= 10
    assert 0.09 < np.abs(zoom).max() <= 0.1
    assert 0.18 * EYES < np.abs(shift).max() <= 0.2 * EYES + 1e-9
    for values in (angle, zoom, shift[:, 0], shift[:, 1]):
        assert abs(values.mean()) < 0.1 * np.abs(values).max()


def test_one_amount_does_nothing_else():
    angle, zoom, shift = fitted(draws(50, roll=10.0))
    assert np.abs(angle).max() > 5
    np.testing.assert_allclose(zoom, 0, atol=1e-9)
    np.testing.assert_allclose(shift, 0, atol=1e-9)
    angle, zoom, _ = fitted(draws(50, shift=0.1))
    np.testing.assert_allclose(angle, 0, atol=1e-9)
    np.testing.assert_allclose(zoom, 0, atol=1e-9)


def test_another_detector_takes_over_as_often_as_said():
    found = draws(others=(OTHER,), swaps=0.3)
    swapped = np.isclose(found, OTHER.array()).all(axis=(1, 2))
    same = np.isclose(found, POINTS.array()).all(axis=(1, 2))
    assert (swapped ^ same).all()
    assert swapped.mean() == pytest.approx(0.3, abs=0.07)
    np.testing.assert_allclose(draws(5, swaps=1.0), np.stack([POINTS.array()] * 5), atol=1e-9)


def test_each_of_several_detectors_has_its_turn():
    third = Landmarks.from_array(POINTS.array() - 9)
    found = draws(60, others=(OTHER, third), swaps=1.0)
    first = np.isclose(found, OTHER.array()).all(axis=(1, 2)).mean()
    assert 0.3 < first < 0.7


def test_noise_does_not_accumulate():
    """The published trainer adds its noise to the landmarks in place, visit after visit."""
    before = POINTS.array().copy()
    each, rng = Sloppiness(pixels=3.0, roll=5.0), np.random.default_rng(0)
    for _ in range(300):
        assert np.abs(each.moved(POINTS, (), rng).array() - before).max() < 3 + 6
    np.testing.assert_array_equal(POINTS.array(), before)


def test_the_same_chance_gives_the_same_landmarks():
    each = Sloppiness(pixels=3.0, roll=5.0, zoom=0.1, shift=0.1, swaps=0.5)
    found = [each.moved(POINTS, (OTHER,), np.random.default_rng(n)).array() for n in (1, 1, 2)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
