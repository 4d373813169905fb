"""A second look: the face is shown alone and mirrored, and what is seen comes back to its place."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facegauge.candidates import Candidates
from facegauge.detection import Detector
from facegauge.detectors import Network
from facegauge.second_look import FILLED, SIDE, look_again
from facegauge.values import Box, Face, Landmarks
from toy_detector import scene, squares

POINTS = np.array([(-0.25, -0.15), (0.25, -0.15), (0.0, 0.05), (-0.2, 0.25), (0.2, 0.25)])


def dotted(middle, side):
    """A picture with five bright dots where a face's landmarks are, of five colours."""
    picture, points = np.zeros((300, 400, 3), np.uint8), np.array(middle) + side * POINTS
    for number, (x, y) in enumerate(points):
        ys, xs = np.mgrid[:300, :400]
        spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (side / 30) ** 2))
        picture[..., number % 3] = np.maximum(picture[..., number % 3], 250 * spot)
    return picture, points


def face(middle, side, points):
    half = side / 2
    (x, y) = middle
    box = Box(x0=x - half, y0=y - half, x1=x + half, y1=y + half)
    return Face(box=box, landmarks=Landmarks.from_array(points), confidence=0.8)


def seeing(crops, points=None, confidence=0.9, low=0.125, high=0.875):
    """A network that keeps what it is shown and answers with the same face."""

    def look(crop):
        crops.append(crop)
        shown = np.zeros((5, 2)) if points is None else points(crop)
        return Candidates(
            boxes=np.array([[low * SIDE] * 2 + [high * SIDE] * 2], np.float32),
            landmarks=np.asarray(shown, np.float32).reshape(1, 10),
            confidence=np.array([confidence], np.float32),
        )

    return Network(name="n", look=look, confidence=0.5, twice=True)


def dots(crop):
    """Where the five dots of a mirrored crop are, in the order of a mirrored face."""
    found = []
    for channel, count in ((0, 2), (1, 2), (2, 1)):
        plane = crop[..., channel].astype(np.float64)
        _, labels = cv2.connectedComponents((plane > 40).astype(np.uint8))
        for label in range(1, count + 1):
            ys, xs = np.nonzero(labels == label)
            weight = plane[ys, xs]
            found.append(((xs * weight).sum(), (ys * weight).sum()) / weight.sum())
    found = np.array(found)
    eyes, mouth = (found[np.argsort(found[:, 1])][part] for part in (slice(0, 2), slice(3, 5)))
    nose = found[np.argsort(found[:, 1])][2]
    eyes, mouth = eyes[np.argsort(eyes[:, 0])], mouth[np.argsort(mouth[:, 0])]
    return np.concatenate([eyes, nose[None], mouth])


@pytest.mark.parametrize(
    ("middle", "side"), [((200, 150), 96), ((151.3, 140.8), 180), ((60, 70), 60)]
)
def test_landmarks_come_back_to_where_they_are(middle, side):
    picture, points = dotted(middle, side)
    crops = []
    found = look_again(picture, face(middle, side, points + 8.0), seeing(crops, dots))
    assert [crop.shape for crop in crops] == [(SIDE, SIDE, 3)]
    np.testing.assert_allclose(found.landmarks.array(), points + 4.0, atol=0.02 * side)
    assert found.box == face(middle, side, points).box
    assert found.confidence == 0.8


def test_the_face_fills_its_share_of_a_mirrored_square_and_beyond_the_picture_is_black():
    picture = np.full((100, 100, 3), 200, np.uint8)
    picture[:, :20] = 90
    crops = []
    look_again(picture, face((10, 50), 60, np.array([10, 50]) + 60 * POINTS), seeing(crops))
    [crop] = crops
    unit = SIDE * FILLED / 60
    row = crop[SIDE // 2, :, 0]
    assert row[-1] == 0  # left of the picture, mirrored to the right
    assert abs(int((row == 0).sum()) - (40 - 10) * unit) < 3
    assert abs(int((row > 180).sum()) - (40 - 10) * unit) < 3
    assert row[0] == 200


@pytest.mark.parametrize("answer", [{"confidence": 0.1}, {"confidence": np.nan}, {"high": 0.3}])
def test_a_face_that_is_not_seen_again_stays_as_it_was(answer):
    picture, points = dotted((200, 150), 96)
    first = face((200, 150), 96, points)
    assert look_again(picture, first, seeing([], lambda crop: points, **answer)) == first


@pytest.mark.parametrize(("search", "looks"), [("all", 3), ("largest", 2)])
def test_every_face_that_counts_is_looked_at_once_more(search, looks):
    plain, seen = squares(size=640), []

    def look(picture):
        seen.append(picture.shape)
        return plain.network.look(picture)

    network = replace(plain.network, look=look, twice=True)
    picture = scene((100, 60, 90), (300, 200, 60))
    once, twice = plain.find(picture, search), Detector(network).find(picture, search)
    assert len(seen) == looks
    assert [each.box for each in twice] == [each.box for each in once]
    for mine, before in zip(twice, once, strict=True):  # a red square looks alike in the mirror
        moved = np.abs(mine.landmarks.array() - before.landmarks.array())
        assert moved.max() < 0.05 * 90
