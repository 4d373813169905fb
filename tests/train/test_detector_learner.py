"""What the detector learns from a batch, and how it is graded on photographs it did not see."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from torch import nn

from facegauge import images
from facegauge.train import detector
from facegauge.train.detector import DetectorLearner
from facegauge.train.detector_losses import Truth, cells, losses
from facegauge.train.detector_network import Answers
from facegauge.train.detector_visits import Steps
from facegauge.train.photographs import read_photographs
from facegauge.train.runs import Run
from facegauge.train.scenes import Settings, Studio
from facegauge.train.students import planes
from toy_photographs import toy_recipe


@pytest.fixture(scope="module")
def photographs(photos):
    """Both faces of the street's held-out pictures, small enough to be looked at as they are."""
    return [each for each in read_photographs(photos, ("street",), 0.5) if each.validation]


@pytest.fixture
def learner(tmp_path, photographs):
    # the smaller face of a picture has eyes 11 px apart and need not be found: see test_detection
    return DetectorLearner(toy_recipe("long_side=192"), Run(folder=tmp_path), photographs)


@pytest.fixture(scope="module")
def batch(photos):
    settings = Settings(mosaic=0.0, empty=0.0, degraded=0.0, covered=0.0, upright=0.0)
    studio = Studio(read_photographs(photos, (), 0.5), [], settings)
    return Steps(toy_recipe("batch=8"), studio, 0)[0]


class Knowing(nn.Module):
    """Answers what it was told of the pictures that it knows; each face as it is said to be."""

    def __init__(self, photographs, logit=4.0, shift=0.0, more=()):
        super().__init__()
        self.known = []
        for each in photographs:
            pixels = images.read(each.path).pixels
            boxes, points = torch.tensor(each.boxes), torch.tensor(each.landmarks).flatten(1)
            logits = torch.full((len(boxes),), logit)
            for box, other in more:
                box = torch.tensor([box], dtype=torch.float64)
                boxes, logits = torch.cat([boxes, box]), torch.cat([logits, torch.tensor([other])])
                points = torch.cat([points, points[:1]])
            shown = planes(torch.from_numpy(pixels[None].copy()))
            self.known.append((shown, boxes + shift, points + shift, logits))

    def forward(self, shown):
        for known, boxes, points, logits in self.known:
            height, width = known.shape[2:]
            if torch.equal(shown[:, :, :height, :width], known):
                return Answers(
                    logits=logits[None].float(),
                    boxes=boxes[None].float(),
                    landmarks=points[None].float(),
                )
        raise AssertionError("an unknown picture")


def test_the_losses_of_a_batch_are_those_of_its_scenes(learner, batch):
    found = learner.training_losses(batch)
    answers = learner.network(planes(batch["pixels"]))
    truth = Truth(**{key: batch[key] for key in ("boxes", "landmarks", "faces", "doubtful")})
    wanted = losses(answers, truth, *cells(64, 64, batch["pixels"]))
    assert tuple(found) == DetectorLearner.LOSSES
    for key, value in found.items():
        torch.testing.assert_close(value, getattr(wanted, key))


def test_the_total_is_weighted_by_the_recipe(tmp_path):
    chosen = toy_recipe("box_weight=3", "landmark_weight=0.5")
    learner = DetectorLearner(chosen, Run(folder=tmp_path), [])
    parts = {"confidence": torch.tensor(1.0), "box": torch.tensor(2.0), "landmark": torch.tensor(4)}
    assert learner.total(parts).item() == 1 + 3 * 2 + 0.5 * 4


def test_losses_fall_on_scenes_that_are_seen_again_and_again(learner, batch):
    optimiser = torch.optim.AdamW(learner.network.parameters(), lr=0.02)
    learner.network.train()
    history = []
    for _ in range(60):
        found = learner.training_losses(batch)
        optimiser.zero_grad()
        learner.total(found).backward()
        optimiser.step()
        history.append({key: value.item() for key, value in found.items()})
    for key in DetectorLearner.LOSSES:
        assert history[-1][key] < 0.7 * history[0][key], key


def test_weights_follow_from_the_seed(tmp_path):
    first, again, other = (
        DetectorLearner(toy_recipe(f"seed={seed}"), Run(folder=tmp_path), []).network
        for seed in (0, 0, 1)
    )
    weights = [each.heads[0][-1].weight for each in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_perfect_network_gets_perfect_grades(learner, photographs):
    grades = learner.grade(Knowing(photographs))
    assert grades["average_precision"] == grades["recall"] == 1.0
    assert grades["false"] == 0
    assert grades["landmark_error"] == pytest.approx(0, abs=1e-6)
    assert learner.merit(grades) == pytest.approx(-1.0)


def test_landmarks_that_are_off_cost_their_share_of_the_inter_eye_distance(learner, photographs):
    grades = learner.grade(Knowing(photographs, shift=1.5))
    apart = [np.linalg.norm(p[1] - p[0]) for each in photographs for p in each.landmarks[:1]]
    wanted = np.median([math.hypot(1.5, 1.5) / each for each in apart])
    assert grades["landmark_error"] == pytest.approx(wanted, rel=1e-4)
    assert grades["recall"] == 1.0


@pytest.mark.parametrize(
    ("logit", "recall", "precision"), [(0.1, 1.0, 1.0), (-0.1, 0.0, 1.0), (-4.0, 0.0, 0.0)]
)
def test_recall_is_that_of_faces_at_half_confidence(learner, photographs, logit, recall, precision):
    """The average precision looks further down, to LEAST."""
    grades = learner.grade(Knowing(photographs, logit=logit))
    assert grades["recall"] == recall
    assert grades["average_precision"] == precision
    assert (grades["landmark_error"] == 1.0) == (recall == 0)


@pytest.mark.parametrize(("logit", "false"), [(5.0, 1.0), (1.0, 1.0), (-1.0, 0.0)])
def test_false_faces_are_counted_at_half_confidence(learner, photographs, logit, false):
    """Above the true faces they cost precision, below them nothing."""
    grades = learner.grade(Knowing(photographs, more=[((118.0, 84.0, 150.0, 108.0), logit)]))
    assert grades["recall"] == 1.0
    assert grades["false"] == false
    assert (grades["average_precision"] < 1) == (logit > 4)


def test_doubtful_faces_are_neither_missed_nor_false(tmp_path, photographs):
    doubtful = [
        replace(each, validation=True, sure=np.zeros(len(each.boxes), dtype=bool))
        for each in photographs
    ]
    mixed = [photographs[0], *doubtful[1:]]
    learner = DetectorLearner(toy_recipe("long_side=192"), Run(folder=tmp_path), mixed)
    grades = learner.grade(Knowing(photographs))
    assert grades["recall"] == grades["average_precision"] == 1.0
    assert grades["false"] == 0
    sparse = learner.grade(Knowing(photographs[:1] + [emptied(each) for each in photographs[1:]]))
    assert sparse["recall"] == 1.0


def emptied(each):
    return replace(
        each,
        validation=True,
        boxes=each.boxes[:0],
        landmarks=each.landmarks[:0],
        confidence=each.confidence[:0],
        sure=each.sure[:0],
    )


@pytest.mark.parametrize(
    ("true", "false", "threshold"),
    [(0.8, 0.4, 0.6), (0.4, 0.1, 0.25), (0.12, 0.06, 0.1), (0.99, 0.97, 0.9), (0.04, 0.0, 0.5)],
)
def test_the_threshold_lies_between_true_and_false_faces(
    learner, photographs, true, false, threshold
):
    """Within 0.1 .. 0.9, and in the middle where nothing was found."""
    logits = [math.log((each + 1e-6) / (1 - each)) for each in (true, false)]
    knowing = Knowing(photographs, logit=logits[0], more=[((118.0, 84.0, 150.0, 108.0), logits[1])])
    assert learner.threshold(knowing) == pytest.approx(threshold, abs=1e-3)


@pytest.mark.parametrize(
    ("grades", "merit"),
    [
        ({"landmark_error": 0.05, "false": 0.0, "recall": 0.9}, -0.85),
        ({"landmark_error": 0.05, "false": 0.5, "recall": 0.9}, -0.35),
        ({"landmark_error": 1.0, "false": 0.0, "recall": 0.0}, 1.0),
    ],
)
def test_merit_is_lower_for_better_networks(learner, grades, merit):
    assert learner.merit(grades) == pytest.approx(merit)


def test_the_network_is_looked_at_as_a_detector(learner):
    """What validation sees is what detection will see: the same planes, confidences 0..1."""
    pixels = default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    network = learner.network.eval()
    made = detector._network(network, learner.recipe, torch.device("cpu"))
    found = made.look(pixels)
    with torch.no_grad():
        wanted = network(planes(torch.from_numpy(pixels[None])))
    np.testing.assert_allclose(found.boxes, wanted.boxes[0], atol=1e-4)
    np.testing.assert_allclose(found.landmarks, wanted.landmarks[0], atol=1e-4)
    np.testing.assert_allclose(found.confidence, torch.sigmoid(wanted.logits[0]), atol=1e-6)
    assert (made.size, made.voting, made.name) == (192, True, "detector")
