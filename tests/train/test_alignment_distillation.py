"""The recipes ``ai-kd`` and ``ai-kd-xxs`` in training: who moves, who is kept, and resuming.

Run as a program, this file trains and kills itself in the middle of the second leg.
"""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from facegauge import models
from facegauge.errors import TrainingError
from facegauge.models import Model
from facegauge.train import alignment_distillation as module
from facegauge.train import journeys
from facegauge.train.alignment_distillation import AlignmentLearner, prepared
from facegauge.train.alignment_network import distilled
from facegauge.train.export import export_run
from facegauge.train.recipes import recipe
from facegauge.train.runs import Run
from facegauge.train.visits import Legs
from same_run import assert_same_run, state_of
from toy_faces import SIZE, WIDTH, make_quality_model
from toy_techniques import toy_technique

PAPER = ("legs=5", "steps=2")


@pytest.fixture
def made(labelled, tmp_path_factory):
    def make(name="ai-kd", *changes):
        out = tmp_path_factory.mktemp("made")
        return prepared(toy_technique(name, *changes), labelled, out).learner

    return make


@pytest.fixture(scope="module")
def paper(labelled, tmp_path_factory):
    """A run of ai-kd of ten steps, and the weights before each of them."""
    seen, original = [], AlignmentLearner.on_train_batch_end

    def noting(self, *words):
        seen.append({key: each.clone() for key, each in self.network.state_dict().items()})
        return original(self, *words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AlignmentLearner, "on_train_batch_end", noting)
        out = tmp_path_factory.mktemp("toy") / "paper"
        run = journeys.train(toy_technique("ai-kd", *PAPER), labelled, out, workers=0)
    return run, seen


def test_the_two_groups_of_the_paper(made):
    learner = made("ai-kd")
    body, head = learner._optimiser().param_groups
    assert [each["lr"] for each in (body, head)] == [0.05, 0.05]
    assert [each["momentum"] for each in (body, head)] == [0.1, 0.9]
    assert [each["weight_decay"] for each in (body, head)] == [0, 5e-4]
    assert {id(p) for p in body["params"]} == {id(p) for p in learner.network.embedder.parameters()}
    rest = [*learner.network.head.parameters(), *learner.network.projections.parameters()]
    assert {id(p) for p in head["params"]} == {id(p) for p in rest}


def test_adamw_has_a_rate_for_the_head_and_no_decay_on_vectors(made):
    groups = made("ai-kd-xxs", "head_rate=3")._optimiser().param_groups
    rates = {(p.ndim > 1, g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert rates == {(True, 2e-3, 0.05), (False, 2e-3, 0), (True, 6e-3, 0.05), (False, 6e-3, 0)}


def test_the_schedule_is_a_sine_and_then_constant(made):
    learner = made("ai-kd", "legs=10", "steps=10")
    rates = [learner.rate(step) for step in range(100)]
    wanted = [np.sin(np.pi / 2 * (step + 1) / 15) for step in range(15)]
    np.testing.assert_allclose(rates[:15], wanted)
    assert rates[15:] == [1.0] * 85
    lower = made("ai-kd", "legs=10", "steps=10", "settled_rate=0.2")
    assert [lower.rate(step) for step in (29, 30, 99)] == [1.0, 0.2, 0.2]
    assert made("ai-kd-xxs", "legs=10", "steps=10").rate(99) < 0.01  # a cosine


def test_the_average_of_the_settled_weights_is_what_is_kept(paper):
    """SWA begins at three of ten steps; the best leg's average is the mean of what came since."""
    run, seen = paper
    assert len(seen) == 10
    best = run.facts()["best"]["step"]
    stored = load_file(run.weights)
    for key, found in stored.items():
        if not found.is_floating_point():
            continue
        wanted = torch.stack([each[key] for each in seen[min(3, best - 1) : best]]).double().mean(0)
        torch.testing.assert_close(found.double(), wanted, rtol=1e-4, atol=1e-6, msg=key)
    assert any(not torch.equal(stored[key], seen[best - 1][key]) for key in stored) or best < 5


def test_the_average_is_graded_and_the_least_misaligned_merit_is_kept(paper, technique_runs):
    run, _ = paper
    facts = run.facts()
    assert facts["best"]["loss_misaligned"] == min(e["loss_misaligned"] for e in facts["history"])
    facts = technique_runs("ai-kd-xxs").facts()
    assert facts["best"]["pauc_misaligned"] == min(e["pauc_misaligned"] for e in facts["history"])
    keys = {f"{key}_{kind}" for key in ("loss", "label", "embedding", "srcc", "pauc")
            for kind in ("aligned", "misaligned")}  # fmt: skip
    assert keys <= set(facts["best"])


def test_the_teacher_is_another_network_and_never_changes(labelled, tmp_path):
    path = labelled / "recognisers" / "toy.onnx"
    pixels = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.uint8)
    before = hashlib.sha256(path.read_bytes()).digest(), models.open(path).embed(pixels).embedding
    course = prepared(toy_technique("ai-kd", "teacher=live"), labelled, tmp_path / "run")
    teacher = course.learner.live[0]
    module.fit(course.learner, Legs(course.learner.chosen, course.visits, 0), "cpu")
    np.testing.assert_array_equal(teacher.embed(pixels).embedding, before[1])
    assert hashlib.sha256(path.read_bytes()).digest() == before[0]
    assert not [name for name, _ in course.learner.named_modules() if "teach" in name]


def test_a_live_teacher_teaches_what_is_kept_of_it(labelled, tmp_path):
    """To half precision, in which answers are kept."""
    losses = []
    for kind in ("cached", "live"):
        course = prepared(toy_technique("ai-kd", f"teacher={kind}"), labelled, tmp_path / kind)
        batch = next(iter(Legs(course.learner.chosen, course.visits, 0).train_dataloader()))
        found = course.learner.eval().training_losses(batch)
        losses.append({name: value.item() for name, value in found.items()})
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    assert losses[0]["embedding"] > 0


def test_recognisers_are_asked_once(labelled, tmp_path, monkeypatch):
    prepared(toy_technique("ai-kd"), labelled, tmp_path / "run")
    calls, embed = [], Model.embed
    monkeypatch.setattr(Model, "embed", lambda s, p: calls.append(len(p)) or embed(s, p))
    prepared(toy_technique("ai-kd"), labelled, tmp_path / "run", resume=True)
    assert calls in ([1], [])  # its width; golden vectors do not come this way


def test_answers_beside_the_data_are_shared_by_runs(own, labelled, tmp_path):
    (own / "labels.csv").write_bytes((labelled / "labels.csv").read_bytes())
    (own / "targets").mkdir()
    for name in ("one", "two"):
        run = prepared(toy_technique("ai-kd"), own, tmp_path / name).learner.run
        assert not run.targets.exists()
    assert len(list((own / "targets").iterdir())) == 1


def test_a_start_of_the_teachers_weights_begins_the_student(labelled, tmp_path):
    torch.manual_seed(9)
    source = tmp_path / "teacher.safetensors"
    weights = distilled(toy_technique("ai-kd", "seed=9"), []).embedder.state_dict()
    save_file(weights, source)
    chosen = toy_technique("ai-kd", f"start={source}", "trained=3", "learning_rate=0.5")
    course = prepared(chosen, labelled, tmp_path / "run")
    for key, value in course.learner.network.embedder.state_dict().items():
        assert torch.equal(value, weights[key])
    module.fit(course.learner, Legs(chosen, course.visits, 0), "cpu")
    body = dict(course.learner.network.embedder.named_parameters())
    same = [torch.equal(value, weights[key]) for key, value in body.items()]
    assert same == [True] * (len(same) - 3) + [False] * 3


def test_a_start_is_demanded_where_only_some_weights_are_trained(labelled, tmp_path):
    with pytest.raises(TrainingError, match=r"only the last 3 tensors.*--set start=FILE"):
        prepared(toy_technique("ai-kd", "trained=3"), labelled, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert recipe("ai-kd").trained == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("labels=absent.csv", "Expected labels in .*found no file"),
        ("recognisers=absent.onnx", "Expected a recogniser at"),
        ("swap_tables=absent.csv", "absent.csv"),
        ("start=absent.safetensors", "Correct start"),
    ],
)
def test_what_is_missing_is_told_before_a_run_begins(labelled, tmp_path, change, message):
    with pytest.raises(Exception, match=message):
        prepared(toy_technique("ai-kd", change), labelled, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_does_not_recognise_is_no_teacher(labelled, tmp_path):
    make_quality_model(tmp_path / "quality.onnx")
    with pytest.raises(TrainingError, match="expected a recogniser"):
        prepared(
            toy_technique("ai-kd", f"recognisers={tmp_path}/quality.onnx"), labelled, tmp_path / "r"
        )


def test_faces_without_a_label_teach_their_embedding_alone(made):
    learner = made("ai-kd", "relation_weight=1")
    pixels = torch.from_numpy(learner.held.aligned[:4])
    batch = {
        "pixels": pixels,
        "labels": torch.full((4,), float("nan")),
        "weights": torch.ones(4),
        "embedding0": torch.randn(4, WIDTH),
    }
    losses = learner.training_losses(batch)
    learner.total(losses).backward()
    assert losses["label"].item() == 0
    assert losses["embedding"].item() > 0
    assert all(not p.grad.any() for p in learner.network.head.parameters())
    assert all(p.grad.any() for p in learner.network.projections.parameters())


def test_the_total_is_the_weighted_sum(made):
    learner = made("ai-kd", "embedding_weight=0.5", "relation_weight=3")
    losses = {
        name: torch.tensor(value)
        for name, value in zip(learner.LOSSES, (1.0, 4.0, 10.0), strict=True)
    }
    assert learner.total(losses).item() == 1 + 0.5 * 4 + 3 * 10


def test_large_losses_are_trimmed_after_the_warm_up_alone(made, monkeypatch):
    learner = made("ai-kd", "trimmed=0.5", "warmup=0.5")  # of four steps
    predicted, labels, weights = torch.zeros(2), torch.tensor([0.1, 5.0]), torch.ones(2)
    found = []
    for step in (1, 2):
        monkeypatch.setattr(AlignmentLearner, "global_step", step)
        found.append(learner._label_loss(predicted, labels, weights).item())
    small = 0.1**2 / 2 / 0.5
    assert found == pytest.approx([(small + 5 - 0.25) / 2, small])


def test_a_run_without_labels_begins_another_and_scores_nothing(labelled, tmp_path):
    chosen = toy_technique("ai-kd-xxs", "labels=", "chosen_by=loss")
    first = journeys.train(chosen, labelled, tmp_path / "first", workers=0)
    assert first.facts()["complete"]
    assert not first.reference.exists()
    assert {entry["label"] for entry in first.facts()["history"]} == {0.0}
    with pytest.raises(TrainingError, match="had no labels. Begin another one with it"):
        export_run(first.folder, tmp_path / "a.onnx")
    chosen = toy_technique("ai-kd-xxs", f"start={first.weights}")
    second = prepared(chosen, labelled, tmp_path / "second").learner
    stored = load_file(first.weights)
    for key, value in second.network.embedder.state_dict().items():
        assert torch.equal(value, stored[f"embedder.{key}"])


def test_killed_in_the_second_leg_and_resumed_it_is_the_same_run(
    technique_runs, labelled, tmp_path
):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(labelled), str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, timeout=300, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = Run(folder=tmp_path / "run")
    assert run.facts()["legs"] == 1
    whole = technique_runs("ai-kd-xxs")
    resumed = journeys.train(
        toy_technique("ai-kd-xxs"), labelled, run.folder, resume=True, workers=0
    )
    assert_same_run(resumed, whole)
    assert state_of(resumed).keys() == state_of(whole).keys()
    losses = [each.facts()["history"][-1]["loss_misaligned"] for each in (resumed, whole)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def die(learner, batch, number):
    if learner.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return _training_step(learner, batch, number)


if __name__ == "__main__":
    torch.set_num_threads(1)
    _training_step, AlignmentLearner.training_step = AlignmentLearner.training_step, die
    data, out = map(Path, sys.argv[1:])
    journeys.train(toy_technique("ai-kd-xxs"), data, out, workers=0)
