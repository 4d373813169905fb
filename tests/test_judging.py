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
    [(0.4, 0.6, 0.5), (0.2, 0.8, 0.5), (0.1, 0.99, 11 / 12), (0.1, 0.5, 0.1), (0.4, 1.0, 1.0)],
)
def test_evidence_is_added(first, second, both):
    """Odds are multiplied: 1 to 9 and 99 to 1 are 11 to 1."""
    found = judged(PICTURE, candidates(first), saying(second))
    assert found.confidence == pytest.approx([both], abs=1e-6)


def test_only_the_doubtful_are_shown_and_nothing_else_changes():
    before, seen = candidates(0.99, 0.4, SURE, 0.2), []
    found = judged(PICTURE, before, saying(0.9, seen))
    assert [each.shape for each in seen] == [(2, SIDE, SIDE, 3)]
    assert found.confidence == pytest.approx([0.99, 6 / 7, SURE, 9 / 13])
    np.testing.assert_array_equal(found.boxes, before.boxes)
    np.testing.assert_array_equal(found.landmarks, before.landmarks)
    assert before.confidence[1] == np.float32(0.4)


def test_of_small_candidates_it_is_not_asked():
    found, seen = candidates(0.4, 0.4), []
    small = found.boxes * np.array([[1.0], [0.6]], np.float32)
    after = judged(PICTURE, replace(found, boxes=small), saying(0.9, seen))
    assert [len(each) for each in seen] == [1]
    assert after.confidence == pytest.approx([6 / 7, 0.4])


def test_the_candidate_fills_its_share_of_what_is_shown():
    box = candidates(0.5, 0.5).boxes[1]
    shown = square(box)
    assert shown.side == round(60 / FILLED)
    assert shown.left + (shown.side - 1) / 2 == pytest.approx(100, abs=0.5)


def test_many_candidates_are_shown_in_parts(monkeypatch):
    monkeypatch.setattr(judging, "AT_ONCE", 2)
    seen = []
    found = judged(PICTURE, candidates(0.4, 0.4, 0.4, 0.4, 0.4), saying(0.6, seen))
    assert found.confidence == pytest.approx([0.5] * 5)
    assert [len(each) for each in seen] == [2, 2, 1]


def unsure(confidence, judge):
    """A network that finds red squares with this confidence."""
    plain = squares(size=640).network

    def look(pixels):
        found = plain.look(pixels)
        return replace(found, confidence=np.full(len(found), confidence, np.float32))

    return replace(plain, look=look, judge=judge)


@pytest.mark.parametrize(
    ("first", "word", "faces"),
    [(0.3, 0.8, 2), (0.3, 0.5, 0), (0.3, np.nan, 0), (0.6, 0.01, 2), (0.5 * LEAST, 0.99, 0)],
)
@pytest.mark.parametrize("search", ["all", "largest"])
def test_what_the_first_look_doubts_the_judge_must_bear_out(first, word, faces, search):
    picture = scene((100, 60, 90), (300, 200, 60))
    assert len(Detector(unsure(first, saying(word))).find(picture, search)) == faces


def test_who_asks_for_the_unsure_gets_them_judged():
    picture, confidence = scene((100, 60, 90)), 0.4 * LEAST
    network = unsure(0.5 * LEAST, saying(0.99))
    assert len(Detector(network, confidence=confidence).find(picture)) == 1


def test_finer_levels_are_not_judged():
    """Squares that only a finer level shows with more than doubt."""
    seen, picture = [], scene((1000, 600, 90), width=1280, height=960)
    network = unsure(0.3, saying(0.01, seen))
    assert Detector(network).find(picture) == []
    assert len(seen) == 1
