"""A second look: candidates are shown alone, and what is said of them comes back to its place."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from facegauge import second_look
from facegauge.candidates import Candidates
from facegauge.detection import Detector
from facegauge.second_look import FILLED, LEAST, SHARE, SIDE, around, judged, shown
from toy_detector import scene, squares

POINTS = np.array([(-0.25, -0.15), (0.25, -0.15), (0.0, 0.05), (-0.2, 0.25), (0.2, 0.25)])


def dotted(middle, side):
    """A picture with five bright dots where a face's landmarks are, of three colours."""
    picture, points = np.zeros((300, 400, 3), np.uint8), np.array(middle) + side * POINTS
    for number, (x, y) in enumerate(points):
        ys, xs = np.mgrid[:300, :400]
        spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * (side / 30) ** 2))
        picture[..., number % 3] = np.maximum(picture[..., number % 3], 250 * spot)
    return picture, points


def candidate(middle, side, points, confidence=0.8):
    half = np.array([side, side]) / 2
    box = np.concatenate([np.array(middle) - half, np.array(middle) + half])
    return Candidates(
        boxes=box[None].astype(np.float32),
        landmarks=np.asarray(points, np.float32).reshape(1, 10),
        confidence=np.array([confidence], np.float32),
    )


def saying(boxes=None, landmarks=None, confidence=0.5, seen=None):
    """A judge that keeps what it is shown and says the same of every square."""

    def judge(shown):
        if seen is not None:
            seen.append(shown)
        count = len(shown)
        usual = [(SIDE - 1) / 2 + sign * FILLED * SIDE / 2 for sign in (-1, -1, 1, 1)]
        points = np.zeros((5, 2)) if landmarks is None else landmarks(shown[0])
        return Candidates(
            boxes=np.tile(np.float32(usual if boxes is None else boxes), (count, 1)),
            landmarks=np.tile(np.float32(points).reshape(1, 10), (count, 1)),
            confidence=np.full(count, confidence, np.float32),
        )

    return judge


def dots(crop):
    """Where the five dots of a crop are."""
    found = []
    for channel, count in ((0, 2), (1, 2), (2, 1)):
        plane = crop[..., channel].astype(np.float64)
        _, labels = cv2.connectedComponents((plane > 40).astype(np.uint8))
        for label in range(1, count + 1):
            ys, xs = np.nonzero(labels == label)
            weight = plane[ys, xs]
            found.append(((xs * weight).sum(), (ys * weight).sum()) / weight.sum())
    found = np.array(found)
    found = found[np.argsort(found[:, 1])]
    eyes, mouth = (part[np.argsort(part[:, 0])] for part in (found[:2], found[3:]))
    return np.concatenate([eyes, found[2:3], mouth])


@pytest.mark.parametrize(
    ("middle", "side"), [((200, 150), 96), ((151.3, 140.8), 180), ((60, 70), 60)]
)
def test_landmarks_come_back_to_where_they_are(middle, side):
    picture, points = dotted(middle, side)
    seen = []
    first = candidate(middle, side, points + 8.0)
    found = judged(picture, first, saying(landmarks=dots, seen=seen))
    assert [crops.shape for crops in seen] == [(1, SIDE, SIDE, 3)]
    expected = points + 8.0 * (1 - SHARE)
    np.testing.assert_allclose(found.landmarks.reshape(5, 2), expected, atol=0.02 * side)
    np.testing.assert_allclose(found.boxes, first.boxes, atol=0.02 * side)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(0.5, 0.5, 0.5), (0.2, 0.8, 0.5), (0.9, 0.9, 81 / 82), (0.1, 0.5, 0.1), (1.0, 0.5, 1.0)],
)
def test_evidence_is_added(first, second, both):
    """Odds are multiplied: 9 to 1 twice is 81 to 1."""
    picture, points = dotted((200, 150), 96)
    found = judged(picture, candidate((200, 150), 96, points, first), saying(confidence=second))
    assert found.confidence == pytest.approx([both], abs=1e-6)


def test_the_box_fills_its_share_of_the_square_and_beyond_the_picture_is_black():
    picture = np.full((100, 100, 3), 200, np.uint8)
    picture[:, :20] = 90
    square = around(np.array([-20, 20, 40, 80], np.float32))
    assert square.side == round(60 / FILLED)
    row = shown(picture, square)[SIDE // 2, :, 0]
    unit = SIDE / square.side
    assert row[0] == 0
    assert abs(int((row == 0).sum()) - -square.left * unit) < 2
    assert abs(int((row > 180).sum()) - (square.left + square.side - 20) * unit) < 2
    assert row[-1] == 200


@pytest.mark.parametrize("box", [(-90, 10, -50, 40), (130, 10, 170, 40), (10, -90, 40, -50)])
def test_a_candidate_outside_the_picture_is_shown_as_black(box):
    picture = np.full((100, 100, 3), 200, np.uint8)
    assert not shown(picture, around(np.array(box, np.float32))).any()


def test_many_candidates_are_shown_in_parts(monkeypatch):
    monkeypatch.setattr(second_look, "AT_ONCE", 2)
    picture, points = dotted((200, 150), 96)
    one, seen = candidate((200, 150), 96, points), []
    found = judged(picture, one[np.zeros(5, dtype=int)], saying(seen=seen))
    assert len(found) == 5
    assert [len(each) for each in seen] == [2, 2, 1]


@pytest.mark.parametrize(("word", "faces"), [(0.5, 2), (0.01, 0), (np.nan, 0)])
@pytest.mark.parametrize("search", ["all", "largest"])
def test_what_both_looks_do_not_bear_out_is_no_face(word, faces, search):
    plain = squares(size=640)
    picture = scene((100, 60, 90), (300, 200, 60))
    network = replace(plain.network, judge=saying(confidence=word))
    assert len(Detector(network).find(picture, search)) == faces


def test_the_first_look_may_be_unsure_of_what_the_second_bears_out():
    plain, picture = squares(size=640), scene((100, 60, 90))

    def unsure(confidence):
        def look(pixels):
            found = plain.network.look(pixels)
            return replace(found, confidence=np.full(len(found), confidence, np.float32))

        return replace(plain.network, look=look, judge=saying(confidence=0.99))

    assert len(Detector(unsure(2 * LEAST)).find(picture)) == 1
    assert len(Detector(unsure(0.5 * LEAST)).find(picture)) == 0
    assert len(Detector(unsure(0.5 * LEAST), confidence=0.4 * LEAST).find(picture)) == 1


def test_two_candidates_that_turn_out_to_be_one_face_are_one():
    """Both boxes come to lie on the same face at the second look."""
    first, second = (candidate((x, 150), 80, np.array([x, 150]) + 80 * POINTS) for x in (170, 215))
    both = Candidates(
        boxes=np.concatenate([first.boxes, second.boxes]),
        landmarks=np.concatenate([first.landmarks, second.landmarks]),
        confidence=np.array([0.8, 0.6], np.float32),
    )
    middle = (first.boxes + second.boxes)[0] / 2

    def judge(crops):
        corners = np.array([[s.left, s.top] for s in map(around, both.boxes)])
        side = around(both.boxes[0]).side
        local = (middle - np.tile(corners, 2) + 0.5) * SIDE / side - 0.5
        points = np.tile(np.float32((SIDE / 2 + 20 * POINTS).reshape(1, 10)), (2, 1))
        return Candidates(
            boxes=local.astype(np.float32),
            landmarks=points,
            confidence=np.full(len(crops), 0.6, np.float32),
        )

    plain = squares(size=640).network
    alone = replace(plain, look=lambda _: both)
    picture = np.zeros((480, 640, 3), np.uint8)
    assert len(Detector(alone).find(picture)) == 2
    assert len(Detector(replace(alone, judge=judge)).find(picture)) == 1
