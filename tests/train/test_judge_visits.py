"""What a judge is shown of a suspect: moved, turned, mirrored, and its face with it."""

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.judging import SIDE
from facegauge.train.judge_visits import Steps, doubt, middle, motion, moved
from facegauge.train.suspects import WIDE, Suspects
from toy_photographs import toy_judge

STILL = ("spoiled=0", "embossed=0", "moved=0", "scaled=0", "turned=0")
POINTS = np.array([(30, 25), (66, 71), (40, 40), (56, 41), (47, 50), (42, 60), (54, 61)], float)


def suspects(face=(0, 1), logits=(0.0, 0.0)):
    """Bright spots where landmarks are, on noise; 0 has no face."""
    count = len(face)
    pixels = default_rng(0).integers(0, 100, (count, WIDE, WIDE, 3), dtype=np.uint8)
    for x, y in POINTS[2:].astype(int):
        pixels[:, y, x] = 255
    return Suspects(
        pixels=pixels,
        face=np.array(face, np.float32),
        boxes=np.tile(POINTS[:2].reshape(1, 4), (count, 1)).astype(np.float32),
        landmarks=np.tile(POINTS[2:], (count, 1, 1)).astype(np.float32),
        logits=np.array(logits, np.float32),
    )


def test_half_of_a_batch_are_faces_and_it_follows_from_its_number():
    chosen = toy_judge("batch=8", "embossed=0")
    batch, again = (Steps(chosen, suspects(), start)[place] for start, place in ((0, 1), (1, 0)))
    assert batch["face"].tolist() == [0.0] * 4 + [1.0] * 4
    assert batch["pixels"].shape == (8, SIDE, SIDE, 3)
    for key, values in batch.items():
        np.testing.assert_array_equal(values.numpy(), again[key].numpy(), err_msg=key)


def test_what_is_not_moved_is_the_middle_and_perhaps_mirrored():
    batch = Steps(toy_judge("batch=32", *STILL), suspects(), 0)[0]
    plain = middle(suspects().pixels)[1]
    kinds = {(each.numpy() == plain).all() for each in batch["pixels"][16:]}
    assert kinds == {True, False}
    for pixels, points in zip(batch["pixels"][16:], batch["landmarks"][16:], strict=True):
        for x, y in points.numpy().reshape(5, 2).round().astype(int):
            assert (pixels[y, x] == 255).all()
        left, right = points[0], points[2]
        assert left < right  # the left eye is on the left in a mirror, too


def test_a_relief_is_no_face():
    batch = Steps(toy_judge("batch=8", "embossed=1"), suspects(), 0)[0]
    assert not batch["face"].any()


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_and_box_go_with_the_picture(seed):
    chosen = toy_judge("moved=0.1", "scaled=0.2", "turned=20")
    matrix = motion(chosen, default_rng(seed))
    found = moved(POINTS, matrix)
    mirrored = np.linalg.det(matrix[:, :2]) < 0
    order = [1, 0, 2, 4, 3] if mirrored else range(5)
    for mine, before in zip(found[2:], POINTS[2:][list(order)], strict=True):
        np.testing.assert_allclose(mine, matrix @ [*before, 1.0])
    scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    np.testing.assert_allclose(found[1] - found[0], scale * (POINTS[1] - POINTS[0]))
    middle_before = [*POINTS[:2].mean(0), 1.0]
    np.testing.assert_allclose(found[:2].mean(0), matrix @ middle_before)


def test_what_the_detector_was_wrong_about_is_seen_more_often():
    logits = (-20.0, 20.0, -20.0, 20.0, -np.inf, -np.inf, 0.0)
    found = doubt(suspects((0, 1, 1, 0, 0, 1, 1), logits), hard=5.0)
    np.testing.assert_allclose(found, [1, 1, 5, 5, 1, 1, 3], atol=1e-6)
