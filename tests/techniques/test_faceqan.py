"""FaceQAN's formula, without gradients: an attack that answers what it is told to."""

import statistics

import numpy as np
import pytest

from facegauge.techniques.faceqan import Attacked, FaceQan, FaceQanLabels, quality
from facegauge.techniques.technique import Measured
from toy_recognisers import crops


def slow(similarities, symmetry, power) -> float:
    numbers = [float(each) for row in similarities for each in row]
    steady = min(1.0, max(0.0, 1.0 - statistics.pstdev(numbers)))
    return ((1.0 + statistics.fmean(numbers)) / 2.0 * steady * symmetry) ** power


@pytest.mark.parametrize("spread", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("symmetry", [0.9, 0.0, -0.4])
def test_against_the_formula(spread, symmetry):
    similarities = 0.5 + spread * np.random.default_rng(0).uniform(-1, 1, (5, 10))
    found = quality(Attacked(similarities=similarities, symmetry=symmetry), 5)
    assert found == pytest.approx(slow(similarities, symmetry, 5), abs=1e-12)


def attack(crop, rng) -> Attacked:
    """As similar as the crop is bright, shaken by chance."""
    middle = crop.mean() / 255
    return Attacked(similarities=middle + rng.uniform(-0.1, 0.1, (2, 3)), symmetry=0.8)


def test_each_picture_is_attacked_alone_with_its_own_chance():
    technique = FaceQanLabels(attack=attack, seed=3, constants=FaceQan(power=2))
    pictures, names = crops(4), list("abcd")
    together = technique.measure(names, pictures)
    backwards = technique.measure(names[::-1], pictures[::-1])[::-1]
    alone = np.stack([technique.measure([n], pictures[i : i + 1])[0] for i, n in enumerate(names)])
    assert together.tobytes() == backwards.tobytes() == alone.tobytes()
    other = FaceQanLabels(attack=attack, seed=4, constants=FaceQan(power=2))
    assert (other.measure(names, pictures) != together).any()
    labels = technique.labels(Measured(paths=tuple(names), values=together), {})
    assert labels.values.tolist() == together[:, 0].tolist()
