"""How well faces are found, each number once more by hand or with loops."""

import dataclasses
import math

import numpy as np
import pytest
from numpy.random import default_rng

from facegauge.evaluate.detection import (
    MATCHING_IOU,
    SMALLEST,
    Comparison,
    compare,
    iou,
    landmark_error,
    summarise,
    threshold_at,
)
from facegauge.values import Box, Face, Landmarks

SHAPE = np.array([(0.0, 0.0), (1.0, 0.0), (0.5, 0.45), (0.1, 0.95), (0.9, 0.95)])


def face(x, y, apart=40.0, confidence=None, *, size=None, shift=(0.0, 0.0)):
    """A face whose left eye is at (x, y); its box is twice the inter-eye distance unless told."""
    side = 2 * apart if size is None else size
    return Face(
        box=Box(x0=x - 0.5 * apart, y0=y - 0.5 * apart, x1=x - 0.5 * apart + side, y1=y + side),
        landmarks=Landmarks.from_array(SHAPE * apart + (x, y) + shift),
        confidence=confidence,
    )


def naive_iou(first, second):
    """Shares of a fine grid."""
    ys, xs = np.mgrid[0:60:0.1, 0:60:0.1] + 0.05
    inside = [(xs > b.x0) & (xs < b.x1) & (ys > b.y0) & (ys < b.y1) for b in (first, second)]
    return (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()


@pytest.mark.parametrize("seed", range(5))
def test_iou_is_that_of_areas(seed):
    rng = default_rng(seed)
    boxes = [
        Box(x0=x, y0=y, x1=x + w, y1=y + h)
        for x, y, w, h in zip(*rng.uniform(1, 29, (4, 2)), strict=True)
    ]
    assert iou(*boxes) == pytest.approx(naive_iou(*boxes), abs=0.01)
    assert iou(*boxes) == iou(*boxes[::-1])
    assert iou(boxes[0], boxes[0]) == 1.0


def test_boxes_that_only_touch_share_nothing():
    first = Box(x0=0, y0=0, x1=2, y1=2)
    for x, y in ((2, 0), (0, 2), (2, 2), (9, 9)):
        assert iou(first, Box(x0=x, y0=y, x1=x + 2, y1=y + 2)) == 0


def test_every_face_is_found_once():
    reference = [face(50, 50), face(300, 50)]
    found = [face(301, 51, confidence=0.7), face(50, 52, confidence=0.9)]
    seen = compare(found, reference)
    assert (seen.wanted, seen.hit) == (2, 2)
    assert dict(zip(seen.confidences, seen.correct, strict=True)) == {0.7: True, 0.9: True}
    assert seen.false_sizes == ()
    assert len(seen.errors) == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_surest_detection_of_a_face_is_right_and_the_other_is_false(order):
    found = [face(54, 54, 42, 0.9), face(50, 50, 40, 0.6)]
    seen = compare([found[i] for i in order], [face(50, 50)])
    assert (seen.wanted, seen.hit) == (1, 1)
    assert dict(zip(seen.confidences, seen.correct, strict=True)) == {0.9: True, 0.6: False}
    assert seen.false_sizes == (40.0,)
    assert seen.errors[0] == pytest.approx(landmark_error(found[0], face(50, 50)))


def test_a_detection_takes_the_face_it_overlaps_most_and_leaves_the_other():
    reference = [face(50, 50), face(62, 50)]
    found = [face(60, 50, confidence=0.9), face(50, 51, confidence=0.5)]
    seen = compare(found, reference)
    assert seen.correct == (True, True)
    assert sorted(seen.errors) == pytest.approx([1 / 40, 2 / 40])


def test_a_second_detection_takes_the_face_that_is_left():
    """The best one is taken; the next best overlaps by enough."""
    reference = [face(50, 50), face(60, 50)]
    found = [face(50, 50, confidence=0.9), face(52, 50, confidence=0.5)]
    assert compare(found, reference).correct == (True, True)


@pytest.mark.parametrize(("x", "hit"), [(50, 1), (72, 1), (76, 1), (77, 0), (300, 0)])
def test_half_the_area_must_be_shared(x, hit):
    """Boxes 80 wide overlap by 0.5 where they are 80 / 3 apart."""
    moved = face(x, 50, confidence=0.5)
    assert (iou(moved.box, face(50, 50).box) >= MATCHING_IOU) == bool(hit)
    seen = compare([moved], [face(50, 50)])
    assert seen.hit == hit
    assert seen.correct == (bool(hit),)
    assert len(seen.false_sizes) == 1 - hit


@pytest.mark.parametrize(
    ("apart", "smallest", "wanted"),
    [(SMALLEST - 0.1, SMALLEST, 0), (SMALLEST, SMALLEST, 1), (16, 20.0, 0), (40, 20.0, 1)],
)
def test_small_faces_are_neither_wanted_nor_false(apart, smallest, wanted):
    reference, found = [face(50, 50, apart)], [face(50, 50, apart, 0.8)]
    seen = compare(found, reference, smallest)
    assert seen.wanted == seen.hit == len(seen.correct) == len(seen.errors) == wanted
    assert seen.false_sizes == ()
    assert compare([], reference, smallest).wanted == wanted


def test_faces_that_are_not_required_are_neither_wanted_nor_false():
    reference = [face(50, 50), face(300, 50), face(50, 300)]
    found = [face(50, 50, confidence=0.9), face(301, 50, confidence=0.8)]
    seen = compare(found, reference, required=[True, False, False])
    assert (seen.wanted, seen.hit) == (1, 1)
    assert seen.confidences == (0.9,)
    assert seen.false_sizes == ()
    again = compare(
        [*found, face(304, 50, confidence=0.2)], reference, required=[True, True, False]
    )
    assert (again.wanted, again.hit) == (2, 2)
    assert again.correct == (True, True, False)


def test_required_must_fit_the_faces():
    with pytest.raises(ValueError, match="zip"):
        compare([], [face(50, 50)], required=[True, False])


def test_without_faces_there_is_nothing_to_find():
    nothing = Comparison(wanted=0, hit=0, confidences=(), correct=(), false_sizes=(), errors=())
    assert compare([], []) == nothing
    seen = compare([face(50, 50, confidence=0.5)], [])
    assert (seen.wanted, seen.hit, seen.correct, seen.false_sizes) == (0, 0, (False,), (40.0,))
    assert compare([], [face(50, 50)]) == dataclasses.replace(nothing, wanted=1)


def test_a_face_without_a_box_cannot_be_compared():
    bare = dataclasses.replace(face(50, 50), box=None)
    with pytest.raises(ValueError, match="needs a box"):
        compare([bare], [face(50, 50)])


@pytest.mark.parametrize(
    ("shift", "apart", "error"), [((3, 4), 40, 5 / 40), ((0, 0), 40, 0), ((0, 2), 20, 2 / 20)]
)
def test_the_landmark_error_is_the_mean_distance_over_the_eyes(shift, apart, error):
    found, reference = face(50, 50, apart, shift=shift), face(50, 50, apart)
    assert landmark_error(found, reference) == pytest.approx(error)


def test_the_landmark_error_is_the_mean_of_five_points_and_relative_to_the_reference():
    points = SHAPE * 40
    moved = points.copy()
    moved[2] += (6, 8)
    moved[1] += (10, 0)
    found, reference = (Face(landmarks=Landmarks.from_array(p)) for p in (moved, points))
    assert landmark_error(found, reference) == pytest.approx((10 + 10) / 5 / 40)
    assert landmark_error(reference, found) == pytest.approx((10 + 10) / 5 / 50)
    assert math.isnan(landmark_error(Face(), reference))


def test_the_summary_by_hand():
    near = compare(
        [
            face(50, 50, confidence=0.9, shift=(4, 0)),
            face(400, 50, 15, 0.8),
            face(600, 50, 30, 0.7),
        ],
        [face(50, 50), face(300, 50)],
    )
    far = compare([face(50, 50, confidence=0.6, shift=(0, 8))], [face(50, 50)])
    nobody = compare([], [])
    found = summarise([near, far, nobody])
    assert (found.photographs, found.wanted) == (3, 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.false == pytest.approx(1 / 3)
    assert found.false_any == pytest.approx(2 / 3)
    assert found.landmark_median == pytest.approx((0.1 + 0.2) / 2)
    assert found.landmark_p95 == pytest.approx(0.1 + 0.95 * 0.1)
    assert summarise([near], smallest=10.0).false == 2
    assert summarise([near], smallest=30.0).false == 1


def test_where_there_is_nothing_to_divide_by_there_is_no_number():
    nothing = summarise([])
    assert (nothing.photographs, nothing.wanted) == (0, 0)
    numbers = dataclasses.asdict(nothing)
    assert all(math.isnan(numbers[k]) for k in ("recall", "false", "false_any", "landmark_median"))
    one = summarise([compare([], [face(50, 50)])])
    assert (one.recall, one.false) == (0.0, 0.0)
    assert math.isnan(one.landmark_median)
    assert math.isnan(one.landmark_p95)


def some(*found, wanted=0):
    """A photograph with detections: (confidence, right or not, inter-eye distance)."""
    return Comparison(
        wanted=wanted,
        hit=sum(right for _, right, _ in found),
        confidences=tuple(sure for sure, _, _ in found),
        correct=tuple(right for _, right, _ in found),
        false_sizes=tuple(size for _, right, size in found if not right),
        errors=(),
    )


@pytest.mark.parametrize(
    ("limit", "threshold"), [(0.0, 0.95), (0.4, 0.95), (0.5, 0.75), (1.0, 0.4), (1.5, 0.0)]
)
def test_the_threshold_that_allows_so_many_false_faces(limit, threshold):
    """False faces of two photographs at 0.9, 0.6 and 0.2; the small one at 0.8 does not count."""
    photographs = [
        some((0.9, False, 40.0), (0.7, True, 0.0), (0.2, False, 20.0)),
        some((0.8, False, 10.0), (0.6, False, 16.0)),
    ]
    assert threshold_at(photographs, limit) == pytest.approx(threshold)
