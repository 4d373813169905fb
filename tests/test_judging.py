"""The judge is asked about doubtful candidates alone, and its evidence is added."""

from dataclasses import replace

import numpy as np
import pytest

from facegauge import judging
from facegauge.candidates import Candidates
from facegauge.detection import Detector
from facegauge.judging import FILLED, LEAST, SIDE, SURE, judged, square
from toy_detector import scene, squares

PICTURE = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)


def candidates(*confidences):
    """Candidates side by side, 60 pixels wide."""
    left = 70.0 * np.arange(len(confidences))
    boxes = np.stack([left, left * 0 + 100, left + 60, left * 0 + 130], axis=1)
    return Candidates(
        boxes=boxes.astype(np.float32),
        landmarks=np.tile(np.arange(10, dtype=np.float32), (len(left), 1)),
        confidence=np.array(confidences, np.float32),
    )


def saying(confidence, seen=None):
    """A judge that keeps what it is shown and says the same of every square."""

    def judge(shown):
        if seen is not None:
            seen.append(shown)
        return np.full(len(shown), confidence, np.float32)

    return judge


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(0.5, 0.5, 0.5), (0.2, 0.8, 0.5), (0.9, 0.9, 81 / 82), (0.1, 0.5, 0.1), (0.5, 1.0, 1.0)],
)
def test_evidence_is_added(first, second, both):
    """Odds are multiplied: 9 to 1 twice is 81 to 1."""
    found = judged(PICTURE, candidates(first), saying(second))
    assert found.confidence == pytest.approx([both], abs=1e-6)


def test_only_the_doubtful_are_shown_and_nothing_else_changes():
    before, seen = candidates(0.99, 0.5, SURE, 0.2), []
    found = judged(PICTURE, before, saying(0.9, seen))
    assert [each.shape for each in seen] == [(2, SIDE, SIDE, 3)]
    assert found.confidence == pytest.approx([0.99, 0.9, SURE, 9 / 13])
    np.testing.assert_array_equal(found.boxes, before.boxes)
    np.testing.assert_array_equal(found.landmarks, before.landmarks)
    assert before.confidence[1] == np.float32(0.5)


def test_of_small_candidates_it_is_not_asked():
    found, seen = candidates(0.5, 0.5), []
    small = found.boxes * np.array([[1.0], [0.8]], np.float32)
    after = judged(PICTURE, replace(found, boxes=small), saying(0.9, seen))
    assert [len(each) for each in seen] == [1]
    assert after.confidence == pytest.approx([0.9, 0.5])


def test_the_candidate_fills_its_share_of_what_is_shown():
    box = candidates(0.5, 0.5).boxes[1]
    shown = square(box)
    assert shown.side == round(60 / FILLED)
    assert shown.left + (shown.side - 1) / 2 == pytest.approx(100, abs=0.5)


def test_many_candidates_are_shown_in_parts(monkeypatch):
    monkeypatch.setattr(judging, "AT_ONCE", 2)
    seen = []
    found = judged(PICTURE, candidates(0.5, 0.5, 0.5, 0.5, 0.5), saying(0.8, seen))
    assert found.confidence == pytest.approx([0.8] * 5)
    assert [len(each) for each in seen] == [2, 2, 1]


@pytest.mark.parametrize(("word", "faces"), [(0.5, 2), (0.01, 0), (np.nan, 0)])
@pytest.mark.parametrize("search", ["all", "largest"])
def test_what_both_looks_do_not_bear_out_is_no_face(word, faces, search):
    picture = scene((100, 60, 90), (300, 200, 60))
    network = replace(squares(size=640).network, judge=saying(word))  # which is sure to 0.9
    assert len(Detector(network).find(picture, search)) == faces


def test_the_first_look_may_be_unsure_of_what_the_judge_bears_out():
    plain, picture = squares(size=640), scene((100, 60, 90))

    def unsure(confidence):
        def look(pixels):
            found = plain.network.look(pixels)
            return replace(found, confidence=np.full(len(found), confidence, np.float32))

        return replace(plain.network, look=look, judge=saying(0.99))

    assert len(Detector(unsure(1.5 * LEAST)).find(picture)) == 1
    assert len(Detector(unsure(0.5 * LEAST)).find(picture)) == 0
    assert len(Detector(unsure(0.5 * LEAST), confidence=0.4 * LEAST).find(picture)) == 1
