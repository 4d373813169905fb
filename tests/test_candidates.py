import numpy as np
import pytest

from facegauge.candidates import (
    Candidates,
    common,
    joined,
    logits,
    moved,
    overlaps,
    suppress,
    usable,
)
from facegauge.values import Landmarks


def random_candidates(count: int, seed: int = 0, *, spread: float = 60.0) -> Candidates:
    """Boxes of 20 to 50 pixels, crowded enough that many overlap."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, spread, (count, 2))
    boxes = np.hstack([low, low + rng.uniform(20, 50, (count, 2))])
    return Candidates(
        boxes=boxes.astype(np.float32),
        landmarks=rng.uniform(0, spread, (count, 10)).astype(np.float32),
        confidence=rng.uniform(0.1, 1.0, count).astype(np.float32),
    )


def plain_overlap(one, other) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, wide) * max(0.0, high)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def plain_suppress(found: Candidates, same: float) -> list[int]:
    """Indices that stay, by two nested loops."""
    kept: list[int] = []
    for at in sorted(range(len(found)), key=lambda at: -found.confidence[at]):
        if all(plain_overlap(found.boxes[at], found.boxes[other]) <= same for other in kept):
            kept.append(at)
    return kept


def test_overlaps_are_intersection_over_union():
    one, other = random_candidates(12, 1), random_candidates(7, 2)
    expected = [[plain_overlap(a, b) for b in other.boxes] for a in one.boxes]
    assert overlaps(one.boxes, other.boxes) == pytest.approx(np.array(expected), abs=1e-5)
    assert overlaps(one.boxes, one.boxes).diagonal() == pytest.approx(np.ones(12), abs=1e-6)
    assert common(one.boxes, other.boxes).shape == (12, 7)
    assert not common(one.boxes, other.boxes + 1000).any()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("same", [0.1, 0.4, 0.7])
def test_each_face_stays_once(seed, same):
    found = random_candidates(60, seed)
    kept = suppress(found, same=same)
    expected = plain_suppress(found, same)
    assert 1 < len(expected) < 60
    assert kept.boxes.tolist() == found.boxes[expected].tolist()
    assert kept.landmarks.tolist() == found.landmarks[expected].tolist()
    assert kept.confidence.tolist() == sorted(found.confidence[expected].tolist(), reverse=True)


def test_votes_are_weighted_means():
    boxes = np.array([[0, 0, 100, 100], [4, 0, 104, 100], [0, 25, 100, 125], [30, 0, 130, 100]])
    found = Candidates(
        boxes=np.vstack([boxes, boxes[:1] + 500]).astype(np.float32),
        landmarks=np.arange(50, dtype=np.float32).reshape(5, 10),
        confidence=np.array([0.8, 0.4, 0.2, 0.6, 0.5], dtype=np.float32),
    )
    kept = suppress(found, voting=True)  # overlaps with the first: .92, .6, .54
    assert kept.confidence == pytest.approx([0.8, 0.5])
    weights = np.array([0.8, 0.4, 0.2]) / 1.4
    assert kept.boxes[0] == pytest.approx(weights @ found.boxes[:3], abs=1e-4)
    assert kept.landmarks[0] == pytest.approx(weights @ found.landmarks[:3], abs=1e-4)
    assert kept.boxes[1].tolist() == found.boxes[4].tolist()
    assert suppress(found).boxes.tolist() == found.boxes[[0, 4]].tolist()


@pytest.mark.parametrize("voting", [False, True])
def test_nothing_in_nothing_out(voting):
    nothing = random_candidates(0)
    assert len(suppress(nothing, voting=voting)) == 0
    assert suppress(nothing, voting=voting).boxes.shape == (0, 4)
    assert usable(nothing).shape == (0,)


def test_equal_candidates_stay_once_and_the_first_of_them():
    one = random_candidates(1)
    assert len(suppress(joined([one, one, one]))) == 1


def test_moving_keeps_pixel_centres_in_place():
    found = random_candidates(5)
    there = moved(found, 2.5, 0.5, 0, 0)
    for before, after in zip(found.landmarks, there.landmarks, strict=True):
        expected = Landmarks.from_array(before).scaled(2.5, 0.5).array()
        assert after.reshape(5, 2) == pytest.approx(expected, abs=1e-4)
    assert moved(there, 1 / 2.5, 1 / 0.5, 0, 0).boxes == pytest.approx(found.boxes, abs=1e-4)
    shifted = moved(found, 1.0, 1.0, 30, -7)
    assert shifted.boxes == pytest.approx(found.boxes + [30, -7, 30, -7], abs=1e-4)
    assert shifted.landmarks[:, 1::2] == pytest.approx(found.landmarks[:, 1::2] - 7, abs=1e-4)
    assert shifted.confidence.tolist() == found.confidence.tolist()


def broken(part: str, at: int, value: float) -> Candidates:
    found = random_candidates(1)
    getattr(found, part)[0, at] = value
    return found


def one_point() -> Candidates:
    found = random_candidates(1)
    found.landmarks[:] = 7.5
    return found


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (random_candidates(1), True),
        (broken("boxes", 0, -20.0), True),
        (broken("landmarks", 9, 5000.0), True),
        (broken("boxes", 0, np.nan), False),
        (broken("boxes", 2, np.inf), False),
        (broken("boxes", 3, 1e30), False),
        (broken("boxes", 2, -1.0), False),
        (broken("landmarks", 3, np.nan), False),
        (broken("landmarks", 3, -np.inf), False),
        (one_point(), False),
    ],
)
def test_what_can_be_a_face(found, expected):
    assert usable(found).tolist() == [expected]


@pytest.mark.parametrize(
    ("confidence", "odds"), [(0.5, 1.0), (0.9, 9.0), (0.2, 0.25), (1.0, 2.5e7), (0.0, 4e-8)]
)
def test_logits_are_logarithms_of_odds_within_reach(confidence, odds):
    found = logits(np.array([confidence], np.float32))
    assert found == pytest.approx([np.log(odds)], abs=0.01)
