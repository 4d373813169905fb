"""A finished run as a file: the same numbers in ONNX Runtime, for any number of faces."""

import json
import shutil

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from facegauge import models
from facegauge.cards import Kind, View
from facegauge.errors import RecipeError, TrainingError
from facegauge.train.export import export_run
from facegauge.train.first import load_student
from facegauge.train.onnx_export import GELU_OPSET, to_onnx
from facegauge.train.recipe_first import First
from facegauge.train.runs import Run, begin
from facegauge.train.students import Student
from facegauge.train.validation import raw_scores
from toy_faces import SIZE, VALIDATION, toy_recipe


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "deep" / "toy.onnx"
    return export_run(finished.folder, path), path


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (17, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.mark.parametrize("count", [1, 3, 17])
def test_the_file_answers_as_the_student(exported, finished, pixels, count):
    card, path = exported
    raw = raw_scores(load_student(finished), pixels[:count], torch.device("cpu"))
    found = models.open(path, threads=1).predict(pixels[:count])
    assert found.raw.shape == found.score.shape == (count,)
    np.testing.assert_allclose(found.raw, raw, atol=1e-4)
    np.testing.assert_allclose(found.score, card.calibration.apply(found.raw), atol=1e-3)


def test_scores_of_the_reference_population_are_its_percentiles(exported, finished):
    with np.load(finished.reference) as stored:
        raw = stored["raw"]
    score = exported[0].calibration.apply(raw)
    assert np.median(score) == pytest.approx(50, abs=1)
    assert 0 < score.min() < 2
    assert 98 < score.max() < 100
    assert (np.diff(score[np.argsort(raw)]) >= 0).all()


def test_the_card_tells_where_the_model_comes_from(exported, finished):
    card, path = exported
    assert models.read_card(path) == card
    assert card.identifier == "utility-1"
    assert card.kind is Kind.UTILITY
    assert (card.crop.view, card.crop.size, card.crop.frame) == (View.ALIGNED, SIZE, 0.9)
    assert card.training.data == finished.facts()["data"]
    assert card.training.revision == finished.facts()["revision"]
    assert f"{VALIDATION + 2} faces held out" in card.calibration.population
    assert "8 named people" in card.calibration.population
    assert f"{finished.facts()['best']['pauc_jittered']:.3f}" in card.training.notes


def test_the_file_says_nothing_of_this_machine(exported, finished):
    content = exported[1].read_bytes()
    for secret in (str(finished.folder), str(exported[1].parent), "site-packages", "/facegauge/"):
        assert secret.encode() not in content


def test_only_the_student_is_in_the_file(exported):
    model = onnx.load(str(exported[1]))
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == GELU_OPSET
    assert [entry.name for entry in model.graph.input] == ["image"]
    assert [entry.name for entry in model.graph.output] == ["raw", "score"]
    assert not [t.name for t in model.graph.initializer if "embeddings" in t.name]
    assert not list(exported[1].parent.glob("*draft*"))


@pytest.mark.parametrize("count", [1, 3, 17])
def test_the_default_student_is_exported_faithfully(default_network, count):
    student, session = default_network
    image = torch.randn(count, 3, 112, 112, generator=torch.Generator().manual_seed(count))
    with torch.no_grad():
        wanted = student(image).numpy()
    [found] = session.run(None, {"planes": image.numpy()})
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.fixture(scope="module")
def default_network():
    torch.manual_seed(0)
    chosen = First()
    student = Student(chosen.backbone, chosen.head_width, 2, []).eval()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    example = torch.zeros(2, 3, chosen.size, chosen.size)
    network = to_onnx(student, example, ("raw",), {0: torch.export.Dim("n", min=1)})
    bare = network.SerializeToString()
    return student, onnxruntime.InferenceSession(bare, options, ["CPUExecutionProvider"])


def test_what_is_no_run_is_not_exported(tmp_path):
    with pytest.raises(TrainingError, match="is not a training run"):
        export_run(tmp_path, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_not_complete_is_not_exported(tmp_path):
    run = begin(tmp_path / "run", toy_recipe(), resume=False)
    with pytest.raises(TrainingError, match=r"0 of 2 legs are done.*--resume"):
        export_run(run.folder, tmp_path / "a.onnx")
    run.write_facts({"legs": 1, "history": []})
    with pytest.raises(TrainingError, match=r"1 of 2 legs are done"):
        export_run(run.folder, tmp_path / "a.onnx")
    assert not (tmp_path / "a.onnx").exists()


def test_a_run_without_git_is_exported(finished, exported, tmp_path):
    run = Run(folder=shutil.copytree(finished.folder, tmp_path / "run"))
    run.write_facts({**run.facts(), "revision": ""})
    card = export_run(run.folder, tmp_path / "a.onnx")
    assert card.training.revision == ""
    assert card.golden == exported[0].golden


def test_a_file_of_the_same_run_is_the_same_but_for_the_date(finished, exported, tmp_path):
    export_run(finished.folder, tmp_path / "toy.onnx")
    cards = [
        json.loads(models.read_card(p).to_json()) for p in (exported[1], tmp_path / "toy.onnx")
    ]
    for card in cards:
        card["calibration"].pop("date")
    assert cards[0] == cards[1]


def test_only_the_card_may_change_after_training(finished, tmp_path):
    card = export_run(finished.folder, tmp_path / "m.onnx", ("frame=0.5", "name=mine", "version=7"))
    assert (card.identifier, card.crop.frame) == ("mine-7", 0.5)
    with pytest.raises(RecipeError, match="batch=3"):
        export_run(finished.folder, tmp_path / "n.onnx", ("batch=3",))
    assert not (tmp_path / "n.onnx").exists()
