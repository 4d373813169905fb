"""Recipes of published techniques: what a run leaves, the same again, and the exported file."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from facegauge import images, models
from facegauge.cards import Kind
from facegauge.errors import RecipeError, TrainingError
from facegauge.train import journeys
from facegauge.train.alignment_network import load_distilled
from facegauge.train.course import Course
from facegauge.train.embedding import embedded, imprint, load_graded
from facegauge.train.export import export_run
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.recipe_regression import Regression
from facegauge.train.recipes import recipe
from facegauge.train.regression import load_predicting
from facegauge.train.students import planes
from facegauge.train.validation import raw_scores
from same_run import Killed, assert_same_run, dying_at
from toy_faces import SIZE, VALIDATION, change_table
from toy_techniques import QUALITY, TECHNIQUES, toy_technique

CPU = torch.device("cpu")


def needs(name):
    """The recipe difiqa needs a library that may be absent."""
    if name == "difiqa":
        pytest.importorskip("diffusers")


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_run_leaves_what_export_and_resume_need(name, technique_runs):
    needs(name)
    run = technique_runs(name)
    files = {"recipe.json", "run.json", "model.safetensors", "state.ckpt"}
    files |= set() if name == "difiqa" else {"reference.npz"}
    files |= {"targets"} if name.startswith("ai-kd") else set()
    assert {path.name for path in run.folder.iterdir()} == files
    facts = run.facts()
    assert run.recipe() == toy_technique(name)
    assert facts["complete"]
    assert [entry["step"] for entry in facts["history"]] == [2, 4]
    assert facts["best"] in facts["history"]
    assert all(np.isfinite(value) for entry in facts["history"] for value in entry.values())
    assert f"{VALIDATION} held out" in facts["data"]


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_stopped_and_resumed_it_is_the_same_run(
    name, step, technique_runs, labelled, tmp_path, monkeypatch
):
    needs(name)
    chosen = toy_technique(name)
    with monkeypatch.context() as patch:
        patch.setattr(Course, "training_step", dying_at(Course, step))
        with pytest.raises(Killed):
            journeys.train(chosen, labelled, tmp_path, workers=0)
    run = journeys.train(chosen, labelled, tmp_path, resume=True, workers=0)
    assert_same_run(run, technique_runs(name))


@pytest.mark.parametrize("name", ["cr-fiqa", "sdd-fiqa"])
def test_a_worker_changes_nothing(name, technique_runs, labelled, tmp_path):
    run = journeys.train(toy_technique(name), labelled, tmp_path, workers=1)
    assert_same_run(run, technique_runs(name))


@pytest.mark.parametrize("name", ["cr-fiqa", "magface", "difiqa-r"])
def test_all_is_learned_and_the_average_lags_behind(name, technique_runs):
    state = torch.load(technique_runs(name).state, weights_only=False)["state_dict"]
    changed = [
        key
        for key, value in state.items()
        if key.startswith("network.")
        and not torch.equal(value, state[key.replace("network.", "average.module.", 1)])
    ]
    assert any("embedder" in key for key in changed)
    assert any("centres" in key or "linear" in key for key in changed)


@pytest.mark.parametrize("name", QUALITY)
def test_pictures_of_the_test_split_are_never_read(name, labelled, tmp_path, monkeypatch):
    read, seen = images.read, set()
    monkeypatch.setattr(images, "read", lambda path: seen.add(Path(path).name) or read(path))
    journeys.train(toy_technique(name, "legs=1"), labelled, tmp_path, workers=0)
    assert len(seen) > VALIDATION
    assert not [each for each in seen if each.startswith("tested")]


def load(run):
    if isinstance(run.recipe(), AlignmentDistillation):
        return load_distilled(run)
    return (load_predicting if isinstance(run.recipe(), Regression) else load_graded)(run)


@pytest.fixture(scope="module")
def exported(technique_runs, tmp_path_factory):
    """The card and the file of a technique by name, written once."""

    @cache
    def made(name):
        path = tmp_path_factory.mktemp("exported") / f"{name}.onnx"
        return export_run(technique_runs(name).folder, path), path

    return made


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (17, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.mark.parametrize("name", QUALITY)
def test_the_file_answers_as_the_network(name, technique_runs, exported, pixels):
    run, (card, path) = technique_runs(name), exported(name)
    model = models.open(path, threads=1)
    wanted = raw_scores(load(run), pixels, CPU)
    for count in (1, 17):
        found = model.predict(pixels[:count])
        np.testing.assert_allclose(found.raw, wanted[:count], atol=1e-4)
        np.testing.assert_allclose(found.score, card.calibration.apply(found.raw), atol=1e-3)
    assert card.kind is Kind.UTILITY
    assert card.identifier == f"{name}-1"
    assert card.crop.size == SIZE
    assert card.training.recipe.startswith(f"{name} of toy")
    assert f"{VALIDATION + 2} faces held out" in card.calibration.population
    assert "validation" in card.training.notes


@pytest.mark.parametrize("name", ["cr-fiqa", "magface"])
def test_the_recogniser_answers_as_the_network(name, technique_runs, pixels, tmp_path):
    run = technique_runs(name)
    card = export_run(run.folder, tmp_path / "toy.onnx", recogniser=True)
    found = models.open(tmp_path / "toy.onnx", threads=1).embed(pixels)
    wanted, raw = embedded(load_graded(run), pixels, CPU)
    np.testing.assert_allclose(found.embedding, wanted, atol=1e-4)
    if name == "magface":
        np.testing.assert_allclose(found.norm, raw, atol=1e-4)
    assert card.kind is Kind.RECOGNISER
    assert card.identifier == f"{name}-recogniser-1"


def test_the_calibration_is_of_the_held_out_faces(technique_runs, exported):
    card, _ = exported("magface")
    with np.load(technique_runs("magface").reference) as stored:
        raw = stored["raw"]
    assert raw.shape == (2 * (VALIDATION + 2),)
    assert np.median(card.calibration.apply(raw)) == pytest.approx(50, abs=1)


def test_what_a_run_cannot_be_is_told(technique_runs, finished, tmp_path):
    with pytest.raises(TrainingError, match="cr-fiqa or magface, got one of sdd-fiqa"):
        export_run(technique_runs("sdd-fiqa").folder, tmp_path / "a.onnx", recogniser=True)
    with pytest.raises(TrainingError, match="got one of first"):
        export_run(finished.folder, tmp_path / "a.onnx", recogniser=True)
    with pytest.raises(RecipeError, match="batch=3"):
        export_run(technique_runs("cr-fiqa").folder, tmp_path / "a.onnx", ("batch=3",))
    assert not list(tmp_path.iterdir())


def test_a_run_that_labels_is_not_exported(technique_runs, tmp_path):
    needs("difiqa")
    with pytest.raises(TrainingError, match="got one of difiqa. It labels faces"):
        export_run(technique_runs("difiqa").folder, tmp_path / "a.onnx")


@pytest.mark.parametrize("name", QUALITY)
def test_an_unknown_network_is_told_before_a_run_begins(name, labelled, tmp_path):
    with pytest.raises(RecipeError, match="'edgenext_xx_smal'.*edgenext_xx_small"):
        journeys.train(
            toy_technique(name, "network=edgenext_xx_smal"), labelled, tmp_path / "run", workers=0
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["cr-fiqa", "faceqnet"])
def test_too_few_held_out_faces_for_a_calibration_are_told(name, labelled, tmp_path):
    data = Path(shutil.copytree(labelled, tmp_path / "data"))
    gone = tuple(f"held{number}" for number in range(2, 8))
    change_table(data / "known.csv", lambda r: None if r["path"].startswith(gone) else r)
    with pytest.raises(TrainingError, match="Expected 25 or more faces for validation, got 14"):
        journeys.train(toy_technique(name), data, tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_weights_of_another_run_begin_one(technique_runs, labelled, tmp_path):
    source = technique_runs("cr-fiqa").weights
    chosen = toy_technique("difiqa-r", f"start={source}", "trained=2", "learning_rate=0.01")
    run = journeys.train(chosen, labelled, tmp_path / "run", workers=0)
    before, after = load_file(source), load_file(run.weights)
    weights = [key for key, _ in load_predicting(run).named_parameters() if "embedder" in key]
    same = [torch.equal(before[key], after[key]) for key in weights]
    assert same == [True] * (len(weights) - 2) + [False] * 2


def test_centres_begin_where_the_network_sees_their_people(technique_runs, pixels):
    network = load_graded(technique_runs("cr-fiqa"))
    width = network.answers(planes(torch.from_numpy(pixels[:2])))[0].shape[1]
    network.centres = torch.nn.Parameter(torch.zeros(3, width))
    people = np.arange(len(pixels)) % 3
    imprint(network, people, iter(pixels))
    seen, _ = embedded(network, pixels, CPU)
    means = np.stack([seen[people == person].mean(axis=0) for person in range(3)])
    wanted = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(network.centres.detach().numpy(), wanted, atol=1e-5)


def test_weights_of_another_width_are_told(technique_runs, labelled, tmp_path):
    source = technique_runs("cr-fiqa").weights
    changes = (f"start={source}", "width=6")
    with pytest.raises(
        TrainingError, match=r"Expected the weights of .* width 6 in .*Correct start"
    ):
        journeys.train(toy_technique("sdd-fiqa", *changes), labelled, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"Expected a checkpoint.*Correct start"):
        journeys.train(toy_technique("sdd-fiqa", "start=no.pt"), labelled, tmp_path / "run")


def test_recipes_are_registered():
    assert {recipe(name).name for name in TECHNIQUES} == set(TECHNIQUES)
