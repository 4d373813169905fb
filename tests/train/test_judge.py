"""The recipe ``judge``: suspects are collected once, learned from, and a threshold is found."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from facegauge import detectors
from facegauge.candidates import logits
from facegauge.train import judge
from facegauge.train.judge import JudgeLearner, asking, graded, load_judge, threshold_of
from facegauge.train.judge_network import JudgeNetwork, Verdicts
from facegauge.train.judge_visits import Steps, middle
from facegauge.train.photographs import read_photographs
from facegauge.train.runs import Run
from facegauge.train.suspects import WIDE, Suspects, stored
from same_run import Killed, assert_same_run, dying_at
from toy_photographs import toy_judge


def found_in(run: Run, name: str) -> Suspects:
    return stored(run.folder / f"{name}.npz", lambda: iter(()))


def test_a_run_leaves_everything_that_export_and_resume_need(judged):
    facts = judged.facts()
    assert {path.name for path in judged.folder.iterdir()} == {
        *("recipe.json", "run.json", "model.safetensors", "state.ckpt"),
        *("detector.onnx", "learned.npz", "held.npz"),
    }
    assert judged.recipe() == toy_judge()
    assert facts["complete"]
    assert 0.01 <= facts["threshold"] <= 0.99
    assert set(facts["history"][0]) == {
        *("step", "confidence", "box", "landmark", "missed", "landmark_error")
    }
    assert "that the detector found, or might have" in facts["data"]


def test_a_killed_run_is_resumed_to_the_same_end(judged, photos, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(JudgeLearner, "training_step", dying_at(JudgeLearner, 3))
        with pytest.raises(Killed):
            judge.train(toy_judge(), photos, tmp_path / "run", workers=0)
    again = judge.train(toy_judge(), photos, tmp_path / "run", workers=0, resume=True)
    assert_same_run(again, judged)


def test_a_detector_may_lie_in_the_data_folder(own_photos, tmp_path):
    shutil.copy(judge.models.locate("detector"), own_photos / "other.onnx")
    assert judge.detector_of(toy_judge("detector=other.onnx"), own_photos) == Path(
        own_photos, "other.onnx"
    )
    assert judge.detector_of(toy_judge(), own_photos) == "detector"


def test_held_out_photographs_are_not_learned_from(judged, photos):
    held = [each for each in read_photographs(photos, ("street",), 0.5) if each.validation]
    suspects = found_in(judged, "held")
    assert 0 < suspects.face.sum() <= 2 * 3 * len(held)  # two faces, shown three times
    assert np.isfinite(suspects.logits).all()
    learned = found_in(judged, "learned")
    same = (learned.pixels[:, None, 40, 40] == suspects.pixels[None, :, 40, 40]).all(-1)
    pairs = np.argwhere(same & (learned.face[:, None] == 1) & (suspects.face[None] == 1))
    assert not any((learned.pixels[i] == suspects.pixels[j]).all() for i, j in pairs)


def test_losses_fall_on_squares_that_are_seen_again_and_again(judged, tmp_path):
    chosen = toy_judge("batch=16")
    learner = JudgeLearner(chosen, Run(folder=tmp_path), found_in(judged, "held"))
    batch = Steps(chosen, found_in(judged, "learned"), 0)[0]
    optimiser = torch.optim.AdamW(learner.network.parameters(), lr=0.02)
    history = []
    for _ in range(60):
        found = learner.training_losses(batch)
        optimiser.zero_grad()
        learner.total(found).backward()
        optimiser.step()
        history.append({key: value.item() for key, value in found.items()})
    for key in JudgeLearner.LOSSES:
        assert history[-1][key] < 0.7 * history[0][key], key


def knowing(held: Suspects, right: float, shift: float = 0.0) -> Verdicts:
    """Verdicts with this evidence for faces, and against what is none; landmarks shifted."""
    edge = (WIDE - middle(held.pixels[:1]).shape[1]) / 2
    return Verdicts(
        logits=torch.from_numpy(right * (2 * held.face - 1) - held.logits),
        boxes=torch.from_numpy(held.boxes - edge),
        landmarks=torch.from_numpy((held.landmarks - edge + [shift, 0]).reshape(-1, 10)),
    )


@pytest.mark.parametrize(("right", "missed"), [(3.0, 0.0), (-3.0, 1.0)])
def test_grades_are_missed_faces_and_distances(judged, right, missed):
    held = found_in(judged, "held")
    found = graded(knowing(held, right, shift=2.0), held, 1.0)
    eyes = np.linalg.norm(np.diff(held.landmarks[held.face > 0][:, :2], axis=1)[:, 0], axis=1)
    assert found["missed"] == missed
    assert found["landmark_error"] == pytest.approx(np.median(2.0 / eyes), rel=1e-3)


class Sure(nn.Module):
    """Says the same of every square."""

    def __init__(self, logit: float) -> None:
        super().__init__()
        self.logit = logit

    def forward(self, planes):
        count = len(planes)
        return Verdicts(
            logits=torch.full((count,), self.logit),
            boxes=torch.tensor([[10.0, 10.0, 53.0, 53.0]]).repeat(count, 1),
            landmarks=torch.arange(10.0).repeat(count, 1),
        )


def test_a_judge_in_training_serves_a_detector():
    network = asking(detectors.open("detector"), Sure(1.5), 2.0)
    said = network.judge(np.zeros((3, 64, 64, 3), np.uint8))
    assert logits(said) == pytest.approx([3.0] * 3, abs=1e-5)


def test_the_threshold_lies_within_reach(photos):
    some = [each for each in read_photographs(photos, ("street",), 0.5) if each.validation]
    silent = asking(detectors.open("detector"), Sure(-15.0), 1.0)
    assert threshold_of(silent, some) == 0.01


def test_the_trained_network_is_given_back(judged):
    network = load_judge(judged)
    assert isinstance(network, JudgeNetwork)
    assert not network.training
