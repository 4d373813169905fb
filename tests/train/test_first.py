"""The recipe ``first``: two real steps a leg, killed and resumed, and the same again.

Run as a program, this file trains and kills itself in the middle of the second leg.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from facegauge.errors import FacegaugeError, TrainingError
from facegauge.models import Model
from facegauge.train import first
from facegauge.train.faces import Faces, read_faces
from facegauge.train.learner import Learner
from facegauge.train.runs import Run
from facegauge.train.students import Student
from facegauge.train.targets import find_recognisers, make_targets
from facegauge.train.validation import Validation, raw_scores
from facegauge.train.views import Views
from toy_faces import STRANGERS, TEST, TRAINING, VALIDATION, change_table, toy_recipe


class Killed(BaseException):
    """As SIGKILL: nobody catches it."""


def assert_same_run(run: Run, other: Run) -> None:
    for mine, others in [
        (load_file(run.weights), load_file(other.weights)),
        (state_of(run), state_of(other)),
    ]:
        assert mine.keys() == others.keys()
        for name, tensor in mine.items():
            torch.testing.assert_close(tensor, others[name], rtol=0, atol=0, msg=name)
    assert run.facts() == other.facts()
    with np.load(run.reference) as a, np.load(other.reference) as b:
        np.testing.assert_array_equal(a["raw"], b["raw"])


def state_of(run: Run) -> dict[str, torch.Tensor]:
    state = torch.load(run.state, weights_only=False)
    found = {key: state[key] for key in ("state_dict", "optimizer_states")}
    return {name: t for key, part in found.items() for name, t in _flat(part, key).items()}


def _flat(state, prefix):
    if isinstance(state, torch.Tensor):
        return {prefix: state}
    if isinstance(state, dict):
        pairs = list(state.items())
    elif isinstance(state, list | tuple):
        pairs = list(enumerate(state))
    else:
        return {}
    return {k: v for key, part in pairs for k, v in _flat(part, f"{prefix}/{key}").items()}


def test_a_run_leaves_everything_that_export_and_resume_need(finished):
    facts = finished.facts()
    assert {path.name for path in finished.folder.iterdir()} == {
        "recipe.json",
        "run.json",
        "model.safetensors",
        "reference.npz",
        "state.ckpt",
        "targets",
    }
    assert finished.recipe() == toy_recipe()
    assert facts["complete"]
    assert facts["legs"] == 2
    assert [entry["step"] for entry in facts["history"]] == [2, 4]
    assert facts["best"] == min(facts["history"], key=lambda entry: entry["pauc_jittered"])
    assert all(np.isfinite(value) for entry in facts["history"] for value in entry.values())
    assert f"known: {TRAINING} faces for training, {VALIDATION} held out" in facts["data"]
    assert f"strangers: {STRANGERS - 2} faces for training, 2 held out" in facts["data"]


def test_the_reference_population_is_each_held_out_face_clean_and_degraded(finished, data):
    views = Views(faces=read_faces(data), recipe=toy_recipe())
    held = np.flatnonzero(views.faces.validation)
    student = first.load_student(finished)
    with np.load(finished.reference) as stored:
        assert stored["faces"] == len(held) == VALIDATION + 2
        assert stored["people"] == 8
        raw = stored["raw"]
    wanted = [views.aligned(int(face), view) for view in (0, 1) for face in held]
    alone = [raw_scores(student, crop[None], torch.device("cpu"))[0] for crop in wanted]
    np.testing.assert_allclose(raw, alone, atol=1e-5)


def test_the_best_average_is_kept_with_its_numbers(finished, data):
    """The weights in the file give the numbers that the run says they gave."""
    views = Views(faces=read_faces(data), recipe=toy_recipe())
    [model] = find_recognisers(data, toy_recipe().recognisers)
    targets = make_targets(views.faces, toy_recipe(), [model], finished.targets)
    grades = Validation(views, targets).grade(first.load_student(finished), torch.device("cpu"))
    for key, value in grades.items():
        assert value == pytest.approx(finished.facts()["best"][key], abs=1e-9)


def test_training_changes_the_student_and_its_average_differs(finished):
    torch.manual_seed(0)
    chosen = toy_recipe()
    fresh = Student(chosen.backbone, chosen.head_width, 2, [16]).state_dict()
    state = torch.load(finished.state, weights_only=False)["state_dict"]
    weight = "quality.0.weight"
    assert not torch.equal(fresh[weight], state[f"network.{weight}"])
    assert not torch.equal(state[f"network.{weight}"], state[f"average.module.{weight}"])
    assert int(state["average.n_averaged"]) == 4


def test_a_worker_changes_nothing(finished, data, tmp_path):
    other = first.train(toy_recipe(), data, tmp_path / "run", workers=1)
    assert_same_run(other, finished)


def test_another_seed_is_another_run(finished, data, tmp_path):
    other = first.train(toy_recipe("seed=1"), data, tmp_path / "run", workers=0)
    assert other.facts()["history"] != finished.facts()["history"]


def dying_at(step):
    original = Learner.training_step

    def training_step(self, batch, number):
        if self.global_step == step:
            raise Killed
        return original(self, batch, number)

    return training_step


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_stopped_at_any_step_and_resumed_it_is_the_same_run(
    finished, data, tmp_path, monkeypatch, step
):
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(step))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert Run(folder=tmp_path).state.is_file() == (step >= 2)
    assert not Run(folder=tmp_path).facts().get("complete")
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


@pytest.mark.parametrize("leg", [1, 2])
def test_stopped_between_weights_and_state_and_resumed_it_is_the_same_run(
    finished, data, tmp_path, monkeypatch, leg
):
    keeping = Learner.on_save_checkpoint

    def dying(self, checkpoint):
        if len(self.history) == leg:
            raise Killed
        keeping(self, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_save_checkpoint", dying)
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert Run(folder=tmp_path).facts()["legs"] == leg
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


def test_stopped_before_the_reference_and_resumed_it_is_complete(
    finished, data, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(first, "_write_reference", dying)
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert not Run(folder=tmp_path).facts().get("complete")
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


def dying(*_):
    raise Killed


def test_legs_see_one_visit_after_the_other_and_a_step_has_its_own_chance(
    data, tmp_path, monkeypatch
):
    """Also for networks with dropout: what a step draws does not depend on what was before."""
    visits, draws = [], []
    visited, answers = Views.visited, Student.answers

    def counting(self, face, view, visit):
        visits.append(visit)
        return visited(self, face, view, visit)

    def drawing(self, image):
        draws.append(torch.rand(1).item())
        return answers(self, image)

    monkeypatch.setattr(Views, "visited", counting)
    monkeypatch.setattr(Student, "answers", drawing)
    first.train(toy_recipe(), data, tmp_path / "whole", workers=0)
    assert visits == list(range(16))
    whole = draws[:]
    assert len(set(whole)) == 4
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(3))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path / "cut", workers=0)
    visits.clear()
    draws.clear()
    first.train(toy_recipe(), data, tmp_path / "cut", resume=True, workers=0)
    assert visits == list(range(8, 16))
    assert draws == whole[2:]


def test_killed_in_the_second_leg_and_resumed_it_is_the_same_run(finished, data, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(data), str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, timeout=120, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = Run(folder=tmp_path / "run")
    assert run.state.is_file()
    assert run.facts()["legs"] == 1
    assert_same_run(first.train(toy_recipe(), data, run.folder, resume=True, workers=0), finished)


def test_resuming_a_complete_run_changes_nothing(finished, data, tmp_path, monkeypatch):
    run = first.train(toy_recipe(), data, tmp_path, workers=0)
    monkeypatch.setattr(Learner, "training_step", dying)
    monkeypatch.setattr(Model, "embed", dying_after_golden(Model.embed))
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), run)
    assert_same_run(run, finished)


def test_a_run_that_was_copied_goes_on_and_leaves_the_first_one_alone(
    finished, data, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(3))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path / "old", workers=0)
    before = {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir() if p.is_file()}
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    run = first.train(toy_recipe(), data, tmp_path / "new", resume=True, workers=0)
    assert_same_run(run, finished)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir() if p.is_file()}


def dying_after_golden(embed):
    """Opening a model embeds its three golden pictures; nothing else may be embedded."""

    def embedding(self, images):
        assert len(images) == 3
        return embed(self, images)

    return embedding


def test_bfloat16_trains_too(data, tmp_path):
    run = first.train(toy_recipe("precision=bf16-mixed"), data, tmp_path, workers=0)
    assert run.facts()["complete"]
    assert load_file(run.weights)["quality.0.weight"].dtype == torch.float32


def test_two_recognisers_are_both_imitated(own, tmp_path):
    from toy_faces import make_recogniser

    make_recogniser(own / "recognisers" / "wide.onnx", seed=1, width=24)
    run = first.train(toy_recipe("legs=1"), own, tmp_path / "run", workers=0)
    heads = {k: v.shape[0] for k, v in load_file(run.weights).items() if k.startswith("embeddings")}
    assert sorted({*heads.values()}) == [16, 24]


def test_pictures_of_the_test_split_are_never_read(data, tmp_path, monkeypatch):
    from facegauge import images

    read, seen = images.read, set()
    monkeypatch.setattr(images, "read", lambda path: seen.add(Path(path).name) or read(path))
    first.train(toy_recipe("legs=1"), data, tmp_path, workers=0)
    assert len(seen) > VALIDATION
    assert not [name for name in seen if name.startswith("tested")]
    assert TEST > 0


def test_a_run_is_not_begun_over_another(finished, data, tmp_path):
    folder = shutil.copytree(finished.folder, tmp_path / "run")
    with pytest.raises(TrainingError, match="Pass --resume"):
        first.train(toy_recipe(), data, folder)
    with pytest.raises(TrainingError, match="these fields differ: steps"):
        first.train(toy_recipe("steps=3"), data, folder, resume=True)


def test_no_tables_no_recogniser(data, own, tmp_path):
    with pytest.raises(TrainingError, match="Expected faces for training"):
        first.train(toy_recipe(), tmp_path / "nowhere", tmp_path / "a")
    shutil.rmtree(own / "recognisers")
    with pytest.raises(TrainingError, match="found none"):
        first.train(toy_recipe(), own, tmp_path / "b")


def test_a_start_that_failed_does_not_stand_in_the_way(data, tmp_path):
    with pytest.raises(TrainingError, match="found none"):
        first.train(toy_recipe("recognisers=absent.onnx"), data, tmp_path / "run")
    assert first.train(toy_recipe("legs=1"), data, tmp_path / "run", workers=0).facts()["complete"]


def test_an_unknown_backbone_is_told_before_anything_is_embedded(data, tmp_path):
    with pytest.raises(FacegaugeError, match="absent_net"):
        first.train(toy_recipe("backbone=absent_net"), data, tmp_path, workers=0)


def test_too_few_pairs_for_the_validation_are_told(own, tmp_path):
    change_table(own / "known.csv", lambda row: None if "held7" in row["path"] else row)
    with pytest.raises(TrainingError, match="1000 non-mated pairs, got 756"):
        first.train(toy_recipe(), own, tmp_path / "run", workers=0)


def test_of_equal_legs_weights_and_numbers_are_of_the_same_one(data, tmp_path, monkeypatch):
    grades = {"pauc_aligned": 1.0, "pauc_jittered": 1.0, "srcc": 0.0}
    monkeypatch.setattr(Validation, "grade", lambda *_: grades)
    run = first.train(toy_recipe(), data, tmp_path, workers=0)
    last = torch.load(run.state, weights_only=False)["state_dict"]
    key = "quality.0.weight"
    kept_last = torch.equal(load_file(run.weights)[key], last[f"average.module.{key}"])
    assert run.facts()["best"]["step"] == (4 if kept_last else 2)


def test_no_message_of_the_run_names_pictures(finished):
    text = (finished.folder / "run.json").read_text()
    assert not re.search(r"\.png|held\d|trained\d", text)


def die(learner, batch, number):
    if learner.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return _training_step(learner, batch, number)


if __name__ == "__main__":
    torch.set_num_threads(1)
    _training_step, Learner.training_step = Learner.training_step, die
    first.train(toy_recipe(), Path(sys.argv[1]), Path(sys.argv[2]), workers=0)


def test_a_table_keeps_its_name_when_its_pictures_lie_in_folders(tmp_path):
    faces = Faces(
        paths=(tmp_path / "known" / "anna" / "1.jpg", tmp_path / "known" / "2.jpg"),
        landmarks=np.zeros((2, 5, 2)),
        identities=np.zeros(2, dtype=np.int64),
        validation=np.array([False, True]),
    )
    described = first._described(faces, tmp_path)
    assert described == "known: 1 faces for training, 1 held out for validation"
