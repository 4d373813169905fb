"""DifFIQA's formula, against cosines taken one by one."""

import math

import numpy as np
import pytest

from facegauge.errors import OptionError
from facegauge.techniques.difiqa import DifFiqa, Disturbed, diffusion_quality, label_face

REPEATS, WIDTH = 3, 5


def slow_cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


def test_it_is_the_mean_of_five_mean_cosines():
    rng = np.random.default_rng(0)
    clean, mirrored = rng.normal(size=(2, WIDTH))
    parts = rng.normal(size=(4, REPEATS, WIDTH))
    five = [np.mean([slow_cosine(clean, row) for row in part]) for part in parts]
    five.append(slow_cosine(clean, mirrored))
    found = diffusion_quality(clean, mirrored, (parts[0], parts[1]), (parts[2], parts[3]))
    assert found == pytest.approx(sum(five) / 5)


def test_what_nothing_disturbs_has_the_best_quality():
    one = np.array([0.3, -2.0])
    rows = np.stack([one, one])
    assert diffusion_quality(one, one, (rows, rows), (rows, rows)) == pytest.approx(1)
    assert diffusion_quality(one, -one, (-rows, -rows), (-rows, -rows)) == pytest.approx(-1)


def test_each_picture_goes_to_its_place():
    """Embeddings by angle: upright 0, mirror 90 degrees, and so on, one cosine for each."""
    face = np.zeros((4, 4, 3), dtype=np.uint8)
    face[:, 0] = 10  # its mirror has it on the other side

    def disturb(seen):
        side = seen[0, 0, 0]  # 10 upright, 0 mirrored
        return Disturbed(
            noised=np.full((2, 4, 4, 3), 20 + side, np.uint8),
            restored=np.full((2, 4, 4, 3), 40 + side, np.uint8),
        )

    cosines = {30: 0.9, 50: 0.8, 20: 0.7, 40: 0.6}

    def embed(pictures):
        assert pictures.shape == (10, 4, 4, 3)
        level = [int(each[0, 0, 0]) for each in pictures]
        found = [1.0, 0.5, *(cosines[each] for each in level[2:])]
        assert level[:2] == [10, 0]
        return np.array([[c, math.sqrt(1 - c * c)] for c in found])

    assert label_face(face, disturb, embed) == pytest.approx((0.9 + 0.8 + 0.7 + 0.6 + 0.5) / 5)


@pytest.mark.parametrize("wrong", [{"noised": -1}, {"repeats": 0}])
def test_constants_that_make_no_sense_are_refused(wrong):
    with pytest.raises(OptionError, match="noised >= 0 and repeats >= 1"):
        DifFiqa(**wrong)
