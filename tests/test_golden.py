import numpy as np
import pytest

from facegauge import golden
from facegauge.baking import draft_card
from facegauge.cards import Crop, Kind, View, golden_inputs
from facegauge.errors import ModelError
from tiny_models import detector_card, quality_card


@pytest.mark.parametrize(
    ("card", "side"),
    [
        (quality_card(32), 32),
        (draft_card("r", "1", Kind.RECOGNISER, Crop(view=View.ALIGNED, size=112)), 112),
        (detector_card(640), 96),
    ],
)
def test_inputs_have_the_size_a_model_takes(card, side):
    assert golden.inputs(card, 7).tolist() == golden_inputs(7, side).tolist()


def test_answers_are_scores_or_eight_numbers():
    rng = np.random.default_rng(0)
    raw, score = rng.normal(0, 1, (2, 3)).astype(np.float32)
    assert golden.answers(Kind.UTILITY, [raw, score]).tolist() == score[:, None].tolist()
    embedding = rng.normal(0, 1, (3, 20)).astype(np.float32)
    expected = embedding[:, :8].tolist()
    assert golden.answers(Kind.RECOGNISER, [embedding, raw]).tolist() == expected


def candidates(points: int = 50) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = ((3, points, 4), (3, points, 10), (3, points))
    return [rng.uniform(0, 90, shape).astype(np.float32) for shape in shapes]


def test_answers_of_a_detector_are_means_and_the_surest():
    boxes, landmarks, confidence = candidates()
    rows = golden.answers(Kind.DETECTOR, [boxes, landmarks, confidence])
    for row, box, points, sure in zip(rows, boxes, landmarks, confidence, strict=True):
        sides = [sum(box[:, at].tolist()) / 50 for at in range(4)]
        x, y = (sum(points[:, at::2].ravel().tolist()) / 250 for at in (0, 1))
        expected = [sum(sure.tolist()) / 50, max(sure.tolist()), *sides, x, y]
        assert row == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "outputs",
    [
        [part[:, :, :3] if part.ndim == 3 else part for part in candidates()],
        [part[:, :40] if part.ndim == 2 else part for part in candidates()],
        [part[..., None] for part in candidates()],
        [part[0] for part in candidates()],
        candidates(0),
    ],
)
def test_what_is_no_detector_has_no_answers(outputs):
    with pytest.raises(ModelError, match="N×P×10"):
        golden.answers(Kind.DETECTOR, outputs)


def test_every_kind_has_a_tolerance():
    assert {golden.tolerance(kind) for kind in Kind} == {1e-3}
