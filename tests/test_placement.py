"""Pixels between the eyes and room around a face: exact from landmarks alone."""

import numpy as np
import pytest

from facegauge.alignment import TEMPLATE, TEMPLATE_EYE_DISTANCE
from facegauge.placement import CUT, ENOUGH, FEWEST, OUTLINE, inter_eye_distance, margins
from facegauge.values import Landmarks
from portrait import LANDMARKS


def face(eyes: float, x: float = 0, y: float = 0, roll: float = 0) -> Landmarks:
    """A frontal face: pixels between the eyes, their middle, degrees clockwise."""
    turn = np.radians(roll)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    points = (TEMPLATE - TEMPLATE[:2].mean(axis=0)) / TEMPLATE_EYE_DISTANCE * eyes
    return Landmarks.from_array(points @ matrix + [x, y])


@pytest.mark.parametrize(
    ("eyes", "score"), [(3, 0), (FEWEST, 0), (12, 25), (18, 50), (ENOUGH, 100), (400, 100)]
)
def test_pixels_between_the_eyes(eyes, score):
    for roll in (0, 50):
        found = inter_eye_distance(face(eyes, 90, 40, roll))
        assert (found.value, found.score) == pytest.approx((eyes, score), abs=1e-6)
        assert (found.advice == "fine") == (score > 75)


def test_a_turned_face_is_no_smaller():
    points = (LANDMARKS.array() - [220, 120]) * [0.5, 1]
    narrow = inter_eye_distance(Landmarks.from_array(points + [220, 120]))
    assert narrow.value > 0.7 * inter_eye_distance(LANDMARKS).value
    assert narrow.value > 1.4 * Landmarks.from_array(points).inter_eye_distance


@pytest.mark.parametrize(
    ("x", "y", "room", "edge"),
    [
        (200, 200, 3.25, "bottom"),
        (42, 200, 0.0, "left"),
        (22, 200, -0.5, "left"),
        (378, 200, -0.5, "right"),
        (200, 18, -0.5, "top"),
        (200, 350, -0.5, "bottom"),
        (200, 320, 0.25, "bottom"),
        (-900, 200, -23.55, "left"),
    ],
)
def test_room_around_a_face(x, y, room, edge):
    """40 pixels between the eyes in a picture of 400×400: the outline is 84 wide, 38 above."""
    found = margins(face(40, x - 0.5, y - 0.5), 400, 400)
    assert found.value == pytest.approx(room, abs=1e-6)
    assert found.score == pytest.approx(100 * np.clip((found.value - CUT) / -CUT, 0, 1))
    cut = f"the {edge} edge cuts the face: leave room around it"
    assert found.advice == (cut if found.score < 75 else "fine")


def test_room_does_not_depend_on_the_scale_or_the_shape_of_the_picture():
    for factor in (0.5, 1, 7):
        found = margins(face(40 * factor, 30 * factor, 100 * factor), round(200 * factor), 9999)
        assert found.value == pytest.approx((30 - 1.05 * 40) / 40 + 0.5 / (40 * factor))


def test_a_rolled_face_is_measured_by_its_turned_outline():
    turn = np.radians(30)
    found = margins(face(40, 100, 5000, 30), 9000, 9000)
    corners = OUTLINE @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    assert found.value == pytest.approx((100 + 0.5 + 40 * corners[:, 0].min()) / 40, abs=1e-6)
