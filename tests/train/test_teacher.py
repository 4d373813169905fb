"""The recipe perceptual: it learns, keeps the best, resumes to the bit, and becomes one file."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr

from facegauge import models
from facegauge.cards import Kind, View
from facegauge.errors import TrainingError
from facegauge.evaluate.logistic import fit_logistic
from facegauge.scoring import Scorer
from facegauge.train import journeys, teacher
from facegauge.train.export import export_run
from facegauge.train.ratings import read_folder
from facegauge.train.runs import Run
from facegauge.train.teacher import GraderLearner, answers, graded
from same_run import Killed, assert_same_run, dying_at
from toy_ratings import VALIDATION, make_ratings, toy_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ratings(tmp_path_factory.mktemp("ratings") / "data")


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    return journeys.train(toy_recipe("reference=a", "name=looks"), data, out, workers=0)


def test_it_learns_what_it_is_shown(data, tmp_path):
    chosen = toy_recipe("steps=40", "learning_rate=0.01", "size=80", "head_width=16")
    run = teacher.train(chosen, data, tmp_path / "run", workers=0)
    first, second = run.facts()["history"]
    assert second["mse"] < 0.7 * first["mse"]
    assert second["plcc_loss"] < 0.7 * first["plcc_loss"]


@pytest.mark.parametrize("step", [0, 1, 3])
def test_killed_and_resumed_it_is_the_same_run(finished, data, tmp_path, monkeypatch, step):
    chosen = toy_recipe("reference=a", "name=looks")
    with monkeypatch.context() as patch:
        patch.setattr(GraderLearner, "training_step", dying_at(GraderLearner, step))
        with pytest.raises(Killed):
            teacher.train(chosen, data, tmp_path, workers=0)
    assert_same_run(teacher.train(chosen, data, tmp_path, resume=True, workers=0), finished)


def test_the_best_leg_is_kept(finished):
    facts = finished.facts()
    assert facts["best"]["score"] == max(each["score"] for each in facts["history"])
    assert facts["complete"]


def test_grades_are_those_of_scipy_after_the_logistic():
    rng = np.random.default_rng(0)
    labels = rng.random(80)
    raw = labels + rng.normal(0, 0.2, 80)
    found = graded(raw, labels)
    assert found["srcc"] == pytest.approx(spearmanr(raw, labels).statistic)
    mapped = fit_logistic(raw, labels)(raw)
    assert found["plcc"] == pytest.approx(pearsonr(mapped, labels).statistic)
    assert found["score"] == pytest.approx((found["srcc"] + found["plcc"]) / 2)
    assert graded(np.zeros(80), labels) == {"srcc": 0.0, "plcc": 0.0, "score": 0.0}


def test_the_step_schedule_takes_a_tenth_every_so_many_legs(data, tmp_path):
    chosen = toy_recipe("schedule=step", "decay_every=2", "legs=5", "steps=3")
    learner = GraderLearner.__new__(GraderLearner)
    torch.nn.Module.__init__(learner)
    learner.chosen = chosen
    shares = [learner.rate(step) for step in range(15)]
    assert shares == pytest.approx([1.0] * 6 + [0.1] * 6 + [0.01] * 3)


def test_it_becomes_a_perceptual_model_that_scores_like_the_run(finished, data, tmp_path):
    card = export_run(finished.folder, tmp_path / "m.onnx", ("version=7",))
    assert card.identifier == "looks-7"
    assert card.kind is Kind.PERCEPTUAL
    assert card.crop.view is View.WHOLE
    paths = read_folder(data, "b")[:5]
    scorer = Scorer(tmp_path / "m.onnx", input="crop")
    raw = [scorer.assess(path)[0].raw for path in paths]
    np.testing.assert_allclose(raw, answers(finished, paths), atol=1e-5)
    assert "54 pictures of a" in models.read_card(tmp_path / "m.onnx").calibration.population


def test_without_a_reference_the_held_out_pictures_are_the_scale(data, tmp_path):
    run = teacher.train(toy_recipe("legs=1", "steps=1"), data, tmp_path / "run", workers=0)
    found = teacher.read_scale(run)
    assert found.population == f"{VALIDATION} pictures of labels (held out for validation)"
    held = np.load(run.reference)["raw"]
    assert abs(np.median(found.apply(held)) - 50) < 3


def test_a_run_that_is_not_complete_is_not_exported(data, tmp_path, monkeypatch):
    monkeypatch.setattr(GraderLearner, "training_step", dying_at(GraderLearner, 2))
    with pytest.raises(Killed):
        teacher.train(toy_recipe(), data, tmp_path / "run", workers=0)
    with pytest.raises(TrainingError, match="not complete"):
        export_run(Run(folder=tmp_path / "run").folder, tmp_path / "m.onnx")


def test_a_reference_that_is_too_small_is_refused_before_anything_is_learned(data, tmp_path):
    (data / "few").mkdir()
    (data / "few" / "a.png").touch()
    with pytest.raises(TrainingError, match="50 or more pictures in .*few.*got 1"):
        teacher.train(toy_recipe("reference=few"), data, tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()
