"""Pose from five landmarks: exact for the head it is made of, whatever its size and place."""

import numpy as np
import pytest

from facegauge import pose
from facegauge.alignment import MIRRORED
from facegauge.pose import HEAD, Pose, pose_of
from facegauge.values import Landmarks
from portrait import LANDMARKS


def head(roll: float = 0, yaw: float = 0, pitch: float = 0, size: float = 80) -> Landmarks:
    """The mean head turned (degrees), seen from far away. Written apart from the module."""
    r, y, p = np.radians([roll, -yaw, -pitch])
    about_z = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_x = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    turned = HEAD @ (np.array(about_z) @ about_y @ about_x).T
    return Landmarks.from_array(size * turned[:, :2] + [300, 200])


@pytest.mark.parametrize("size", [7, 80, 900])
@pytest.mark.parametrize("roll", [-120, -20, 0, 35, 170])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (40, 0), (-65, 10), (0, -30), (15, 25)])
def test_a_turned_head_is_found_again(size, roll, yaw, pitch):
    found = pose_of(head(roll, yaw, pitch, size))
    assert (found.roll, found.yaw, found.pitch) == pytest.approx((roll, yaw, pitch), abs=1e-6)


def test_the_nose_points_where_the_head_is_turned():
    eyes = (head().array()[0, 0] + head().array()[1, 0]) / 2
    assert head(yaw=30).nose[0] > eyes > head(yaw=-30).nose[0]
    assert head(pitch=20).nose[1] < head().nose[1] < head(pitch=-20).nose[1]


def test_a_mirrored_face_looks_the_other_way():
    points = LANDMARKS.array()[list(MIRRORED)] * [-1, 1] + [511, 0]
    one, other = pose_of(LANDMARKS), pose_of(Landmarks.from_array(points))
    assert (other.roll, other.yaw) == pytest.approx((-one.roll, -one.yaw))
    assert other.pitch == pytest.approx(one.pitch)


def test_the_portrait_looks_ahead():
    found = pose_of(LANDMARKS)
    assert max(abs(found.roll - 3), abs(found.yaw), abs(found.pitch)) < 15


def test_landmark_noise_moves_an_angle_by_degrees_only():
    """Three per cent of the eye distance on every coordinate, as a good detector has it."""
    rng = np.random.default_rng(0)
    points = head().array() + rng.normal(0, 0.03 * 80, (500, 5, 2))
    found = [pose_of(Landmarks.from_array(each)) for each in points]
    angles = np.array([(each.roll, each.yaw, each.pitch) for each in found])
    assert (angles.std(axis=0) < [2, 6, 8]).all()


@pytest.mark.parametrize(
    ("kind", "degrees", "score", "advice"),
    [
        (pose.roll, 10, 96.98, "fine"),
        (pose.roll, 40, 58.68, "tilted to the right: hold the head upright"),
        (pose.roll, -40, 58.68, "tilted to the left: hold the head upright"),
        (pose.roll, 90, 0, "the head lies on its side: turn the picture upright"),
        (pose.roll, -175, 0, "the head lies on its side: turn the picture upright"),
        (pose.yaw, 45, 50, "turned to the right: look straight into the camera"),
        (pose.yaw, -60, 25, "turned to the left: look straight into the camera"),
        (pose.pitch, 50, 41.32, "raised: lower the chin, or hold the camera higher"),
        (pose.pitch, -50, 41.32, "bent down: lift the chin, or hold the camera lower"),
    ],
)
def test_what_is_said_of_an_angle(kind, degrees, score, advice):
    found = kind(Pose(roll=degrees, yaw=degrees, pitch=degrees))
    assert found.score == pytest.approx(score, abs=0.01)
    assert (found.value, found.unit, found.advice) == (degrees, "degrees", advice)
