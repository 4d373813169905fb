"""The recipe ``first``: two real steps a leg, what it leaves, and the same again."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from facegauge.errors import FacegaugeError, TrainingError
from facegauge.train import first
from facegauge.train.faces import Faces, read_faces
from facegauge.train.reference import described
from facegauge.train.students import Student
from facegauge.train.targets import find_recognisers, make_targets
from facegauge.train.validation import Validation, raw_scores
from facegauge.train.views import Views
from same_run import assert_same_run
from toy_faces import STRANGERS, TEST, TRAINING, VALIDATION, change_table, toy_recipe


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


def test_a_table_keeps_its_name_when_its_pictures_lie_in_folders(tmp_path):
    faces = Faces(
        paths=(tmp_path / "known" / "anna" / "1.jpg", tmp_path / "known" / "2.jpg"),
        landmarks=np.zeros((2, 5, 2)),
        identities=np.zeros(2, dtype=np.int64),
        validation=np.array([False, True]),
    )
    assert described(faces, tmp_path) == "known: 1 faces for training, 1 held out for validation"
