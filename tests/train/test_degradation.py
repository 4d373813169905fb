"""What every degradation keeps, what it changes, and how often it is drawn."""

from collections import Counter

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.train import degradation
from facegauge.train.degradation import OPERATIONS, degrade
from toy_faces import drawn

FACE = drawn("degraded", 0)[0]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: op.__name__)


def flat(level: int, size: int = 112) -> np.ndarray:
    return np.full((size, size, 3), level, np.uint8)


@each_operation
@pytest.mark.parametrize("shape", [(112, 112), (64, 64), (224, 224), (50, 80)])
def test_an_operation_keeps_shape_and_type(operation, shape):
    pixels = default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for seed in range(5):
        found = operation(pixels, default_rng(seed))
        assert found.shape == pixels.shape
        assert found.dtype == np.uint8


@each_operation
def test_an_operation_changes_the_picture_and_leaves_its_input_alone(operation):
    before = FACE.copy()
    for seed in range(10):
        assert (operation(FACE, default_rng(seed)) != FACE).mean() > 0.005
    np.testing.assert_array_equal(FACE, before)


@each_operation
def test_an_operation_follows_from_its_seed(operation):
    pictures = [operation(FACE, default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize("name", ["shake", "defocus", "shrink"])
@pytest.mark.parametrize("level", [0, 77, 255])
def test_optics_leave_a_flat_picture_flat(name, level):
    for seed in range(40):
        found = getattr(degradation, name)(flat(level), default_rng(seed))
        np.testing.assert_array_equal(found, flat(level))


@pytest.mark.parametrize("name", ["shake", "defocus", "shrink"])
def test_optics_take_detail_away(name):
    noise = default_rng(0).integers(0, 256, (112, 112, 3)).astype(np.uint8)
    for seed in range(20):
        found = getattr(degradation, name)(noise, default_rng(seed))
        assert found.std() < 0.95 * noise.std()
        assert abs(found.mean() - noise.mean()) < 3


def test_exposure_is_monotone_and_the_same_for_every_channel():
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3)
    for seed in range(20):
        found = degradation.expose(ramp, default_rng(seed))
        assert (np.diff(found[0, :, 0].astype(int)) >= 0).all()
        assert found[0, 0].tolist() == [0, 0, 0]
        assert (found == found[:, :, :1]).all()


def test_less_contrast_is_a_narrower_range():
    ramp = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3)
    for seed in range(20):
        found = degradation.flatten_contrast(ramp, default_rng(seed))
        assert 0.19 * 255 < np.ptp(found.astype(int)) < 0.81 * 255


def test_shade_only_darkens_and_is_darker_on_one_side():
    for seed in range(20):
        found = degradation.shade(flat(200), default_rng(seed))
        assert found.max() <= 200
        assert found.min() < 0.75 * found.max()


def test_noise_has_the_strength_it_says():
    strengths, coloured = [], Counter()
    for seed in range(60):
        found = degradation.add_noise(flat(128), default_rng(seed)).astype(float) - 128
        strengths.append(found.std())
        coloured[bool((found != found[:, :, :1]).any())] += 1
    assert 2.9 < min(strengths) < 6
    assert 25 < max(strengths) < 41
    assert 24 <= coloured[True] <= 48  # expected 36 of 60, standard deviation 3.8


def test_a_cover_leaves_the_rest_as_it_is():
    shares = [
        (degradation.cover(FACE, default_rng(s)) != FACE).any(axis=2).mean() for s in range(60)
    ]
    assert min(shares) > 0.005
    assert max(shares) < 0.8 * 0.6  # twice the largest half-axes


def test_a_colour_cast_takes_colour_away_in_three_of_ten():
    grey = sum((f == f[:, :, :1]).all() for f in _all(degradation.cast_colour, 200))
    assert 35 <= grey <= 85  # expected 60, standard deviation 6.5


def test_compression_keeps_colours_in_their_channels():
    red = flat(0)
    red[:, :, 0] = 200
    for found in _all(degradation.compress, 20, red):
        assert found[:, :, 0].mean() > 150
        assert found[:, :, 1:].mean() < 50


def test_one_to_three_operations_are_drawn_in_the_order_in_which_a_picture_suffers(monkeypatch):
    counts, seen = Counter(), Counter()
    for seed in range(3000):
        names = _drawn(monkeypatch, seed)
        assert names == sorted(set(names))
        counts[len(names)] += 1
        seen.update(names)
    assert set(counts) == {1, 2, 3}
    for count, share in {1: 0.5, 2: 0.35, 3: 0.15}.items():
        assert abs(counts[count] / 3000 - share) < 0.03  # three standard deviations
    assert set(seen) == set(range(len(OPERATIONS)))
    by_name = {operation.__name__: seen[i] for i, operation in enumerate(OPERATIONS)}
    assert max(by_name, key=by_name.get) == "cover"
    assert min(by_name, key=by_name.get) == "cast_colour"


def test_a_composition_follows_from_its_seed():
    pictures = [degrade(FACE, default_rng((0, 0, 5, view))) for view in (1, 1, 2, 3)]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[1] != pictures[2]).any()
    assert (pictures[2] != pictures[3]).any()
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}


def _all(operation, count, pixels=FACE):
    return [operation(pixels, default_rng(seed)) for seed in range(count)]


def _drawn(monkeypatch, seed: int) -> list[int]:
    """Which operations one seed draws, in order."""
    names: list[int] = []

    def recorder(index):
        def operation(pixels, rng):
            names.append(index)
            return pixels

        return operation

    monkeypatch.setattr(degradation, "OPERATIONS", tuple(map(recorder, range(len(OPERATIONS)))))
    degrade(FACE, default_rng(seed))
    return names
