"""The recipe ``detector``: two real steps a leg, killed and resumed, and the same again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from facegauge import images
from facegauge.errors import TrainingError
from facegauge.train import detector
from facegauge.train.detector import DetectorLearner, load_network, network_of
from facegauge.train.detector_network import grow
from facegauge.train.photographs import Photograph, read_photographs
from facegauge.train.runs import Run
from facegauge.train.scenes import Studio
from same_run import Killed, assert_same_run, dying, dying_at
from toy_faces import change_table
from toy_photographs import EMPTY, TEST, TRAINING, VALIDATION, YARD, toy_recipe

GRADES = {"average_precision", "recall", "false", "landmark_error"}


def test_a_run_leaves_everything_that_export_and_resume_need(trained, photos):
    facts = trained.facts()
    assert {path.name for path in trained.folder.iterdir()} == {
        "recipe.json",
        "run.json",
        "model.safetensors",
        "state.ckpt",
    }
    assert trained.detector() == toy_recipe()
    assert facts["complete"]
    assert facts["legs"] == 2
    assert "revision" in facts
    assert 0.1 <= facts["threshold"] <= 0.9
    assert [entry["step"] for entry in facts["history"]] == [2, 4]
    for entry in facts["history"]:
        assert set(entry) == {"step", "confidence", "box", "landmark"} | GRADES
        assert all(np.isfinite(entry[key]) for key in DetectorLearner.LOSSES)
    assert json.dumps(facts["best"]) in map(json.dumps, facts["history"])
    found = read_photographs(photos, ("yard",), 0.5)
    yard = sum(each.validation for each in found)
    street = f"{TRAINING} pictures with {2 * TRAINING} faces for training, {VALIDATION}"
    assert facts["data"] == (
        f"street: {street} pictures held out for validation; yard: {YARD - yard} pictures with "
        f"{YARD - yard} faces for training, {yard} pictures held out for validation; "
        "0 pictures without faces"
    )


def test_the_trained_network_is_given_back(trained):
    network, stored = load_network(trained), load_file(trained.weights)
    assert not network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, stored[name]), name
    fresh = network_of(toy_recipe()).state_dict()
    assert fresh.keys() == stored.keys()


def test_the_best_average_is_kept_with_its_numbers(trained, photos, monkeypatch):
    """The weights in the file give the numbers that the run says they gave."""
    learner = DetectorLearner(toy_recipe(), trained, validated(photos))
    best = trained.facts()["best"]
    grades = learner.grade(load_network(trained))
    assert set(grades) == GRADES
    for key, value in grades.items():
        assert value == pytest.approx(best[key], abs=1e-9, nan_ok=True)


def test_training_changes_the_network_and_its_average_differs(trained):
    torch.manual_seed(0)
    fresh = network_of(toy_recipe()).state_dict()
    state = torch.load(trained.state, weights_only=False)["state_dict"]
    weight = "heads.0.2.weight"
    assert not torch.equal(fresh[weight], state[f"network.{weight}"])
    assert not torch.equal(state[f"network.{weight}"], state[f"average.module.{weight}"])
    assert int(state["average.n_averaged"]) == 4


def test_a_worker_changes_nothing(trained, photos, tmp_path):
    other = detector.train(toy_recipe(), photos, tmp_path / "run", workers=1)
    assert_same_run(other, trained)


def test_another_seed_is_another_run(trained, photos, tmp_path):
    other = detector.train(toy_recipe("seed=1"), photos, tmp_path / "run", workers=0)
    assert other.facts()["history"][0]["box"] != trained.facts()["history"][0]["box"]


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_stopped_at_any_step_and_resumed_it_is_the_same_run(
    trained, photos, tmp_path, monkeypatch, step
):
    with monkeypatch.context() as patch:
        patch.setattr(DetectorLearner, "training_step", dying_at(DetectorLearner, step))
        with pytest.raises(Killed):
            detector.train(toy_recipe(), photos, tmp_path, workers=0)
    assert Run(folder=tmp_path).state.is_file() == (step >= 2)
    assert not Run(folder=tmp_path).facts().get("complete")
    run = detector.train(toy_recipe(), photos, tmp_path, resume=True, workers=0)
    assert_same_run(run, trained)


def test_resuming_a_complete_run_changes_nothing(trained, photos, tmp_path, monkeypatch):
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    monkeypatch.setattr(DetectorLearner, "training_step", dying)
    run = detector.train(toy_recipe(), photos, folder, resume=True, workers=0)
    assert_same_run(run, trained)


def test_another_recipe_is_not_resumed(trained, photos, tmp_path):
    folder = shutil.copytree(trained.folder, tmp_path / "run")
    with pytest.raises(TrainingError, match="Pass --resume"):
        detector.train(toy_recipe(), photos, folder)
    with pytest.raises(TrainingError, match="these fields differ: neck"):
        detector.train(toy_recipe("neck=9"), photos, folder, resume=True)


def test_bfloat16_trains_too(photos, tmp_path):
    chosen = toy_recipe("precision=bf16-mixed", "legs=1")
    run = detector.train(chosen, photos, tmp_path, workers=0)
    assert run.facts()["complete"]
    assert {value.dtype for value in load_file(run.weights).values()} == {
        torch.float32,
        torch.int64,
    }


def test_without_sure_faces_nothing_is_begun(own_photos, tmp_path):
    change_table(own_photos / "yard.csv", lambda row: {**row, "confidence": "0.4"})
    out = tmp_path / "run"
    with pytest.raises(TrainingError, match="Expected sure faces for training"):
        detector.train(toy_recipe("tables=yard"), own_photos, out, workers=0)
    chosen = toy_recipe("tables=yard", "surest=0.3", "legs=1")
    assert detector.train(chosen, own_photos, out, workers=0).facts()["complete"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tables=absent", r"absent\.csv"),
        ("backgrounds=absent", "pictures without faces in .*absent"),
        ("backgrounds=.", "pictures without faces"),
    ],
)
def test_data_that_are_not_there_are_told_before_a_run_is_begun(photos, tmp_path, change, message):
    with pytest.raises(TrainingError, match=message):
        detector.train(toy_recipe(change), photos, tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_only_what_is_for_training_is_shown_and_the_test_split_is_never_read(
    photos, tmp_path, monkeypatch
):
    shown, seen, read, made = [], set(), images.read, Studio.__init__

    def noting(self, photographs, backgrounds, settings):
        shown.extend([*photographs, *backgrounds])
        made(self, photographs, backgrounds, settings)

    monkeypatch.setattr(Studio, "__init__", noting)
    monkeypatch.setattr(images, "read", lambda path: seen.add(Path(path).name) or read(path))
    chosen = toy_recipe("legs=1", "backgrounds=empty", "empty=0.5")
    run = detector.train(chosen, photos, tmp_path, workers=0)
    held_out = {each.path for each in read_photographs(photos, (), 0.5) if each.validation}
    assert not held_out & {each.path for each in shown}
    assert [each.table for each in shown].count("empty") == EMPTY
    assert f"{EMPTY} pictures without faces" in run.facts()["data"]
    assert TEST > 0
    assert not [name for name in seen if name.startswith("tested")]


def test_no_message_of_the_run_names_pictures(trained):
    text = (trained.folder / "run.json").read_text()
    assert "walker" not in text
    assert ".png" not in text


def validated(photos) -> list[Photograph]:
    return detector._validated(read_photographs(photos, (), 0.5))


def test_the_first_held_out_photographs_of_each_table_are_validated_on(photos, monkeypatch):
    every = [each for each in read_photographs(photos, (), 0.5) if each.validation]
    assert [each.path for each in validated(photos)] == [each.path for each in every]
    monkeypatch.setattr(detector, "VALIDATED", 2)
    street, yard = ([e.path for e in every if e.table == table] for table in ("street", "yard"))
    assert [each.path for each in validated(photos)] == street[:2] + yard[:2]


def test_the_recipe_reaches_the_studio():
    shares = ("mosaic=0.1", "empty=0.2", "degraded=0.3", "covered=0.4", "upright=5")
    found = detector.settings(toy_recipe(*shares), [])
    assert (found.mosaic, found.empty, found.degraded) == (0.1, 0.2, 0.3)
    assert (found.covered, found.upright) == (0.4, 5.0)


@pytest.mark.parametrize(
    ("changes", "tables"),
    [
        ((), {"street": 1.0, "yard": 1.0}),
        (("shares=2",), {"street": 2.0, "yard": 2.0}),
        (("shares=2,1",), {"street": 2.0, "yard": 1.0}),
        (("shares=2,1", "tables=yard,street"), {"street": 1.0, "yard": 2.0}),
        (("shares=2,1,5", "tables=yard"), {"yard": 2.0}),
    ],
)
def test_shares_are_those_of_the_tables_in_their_order(photos, changes, tables):
    chosen = toy_recipe(*changes)
    learned = read_photographs(photos, chosen.tables, 0.5)
    assert detector.settings(chosen, learned[::-1]).tables == tables


def test_the_last_layer_of_every_head_is_where_training_starts():
    network = network_of(toy_recipe())
    assert all(isinstance(head[-1], nn.Conv2d) for head in network.heads)
    assert {round(head[-1].bias[0].item(), 1) for head in network.heads} == {-4.6}


def test_a_run_begins_with_the_weights_of_another(trained, photos, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for each in photos.iterdir():
        (data / each.name).symlink_to(each)
    shutil.copy(trained.weights, data / "before.safetensors")
    begun = []

    def first(network, weights):
        grow(network, weights)
        begun.append({key: value.clone() for key, value in network.state_dict().items()})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(detector, "grow", first)
        detector.train(
            toy_recipe("start=before.safetensors", "legs=1"), data, tmp_path / "run", workers=0
        )
    [state] = begun
    before = load_file(trained.weights)
    assert before.keys() == state.keys()
    assert all(torch.equal(state[key], before[key]) for key in before)


@pytest.mark.parametrize("content", [None, b"no weights"])
def test_weights_that_are_not_there_are_told_before_a_run_is_begun(photos, tmp_path, content):
    file = tmp_path / "w.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TrainingError, match=r"Expected a checkpoint.*Correct start"):
        detector.train(toy_recipe(f"start={file}"), photos, tmp_path / "run")
    assert not (tmp_path / "run").exists()
