"""A finished run of the detector as a file: the same numbers in ONNX Runtime, at any size."""

import copy
import math

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from facegauge import detection, images, models
from facegauge.cards import Kind, View
from facegauge.errors import RecipeError, TrainingError
from facegauge.train.detector import load_network
from facegauge.train.export import export_run
from facegauge.train.export_detector import fused
from facegauge.train.runs import begin
from facegauge.train.students import planes
from toy_photographs import toy_recipe


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "deep" / "toy.onnx"
    return export_run(trained.folder, path), path


@pytest.mark.parametrize(
    ("count", "height", "width"), [(1, 32, 32), (3, 64, 96), (1, 160, 64), (2, 320, 352)]
)
def test_the_file_answers_as_the_network(exported, trained, count, height, width):
    pixels = default_rng(0).integers(0, 256, (count, height, width, 3)).astype(np.uint8)
    with torch.no_grad():
        wanted = load_network(trained)(planes(torch.from_numpy(pixels)))
    threshold = trained.facts()["threshold"]
    shifted = wanted.logits - math.log(threshold / (1 - threshold))
    found = models.open(exported[1], threads=1).detect(pixels)
    np.testing.assert_allclose(found.boxes, wanted.boxes, atol=1e-2)
    np.testing.assert_allclose(found.landmarks, wanted.landmarks, atol=1e-2)
    np.testing.assert_allclose(found.confidence, torch.sigmoid(shifted), atol=1e-4)


def test_the_file_finds_faces_in_photographs(exported, photos):
    """It is a detector like any other; that this one knows nothing is another matter."""
    detector = detection.open(exported[1], confidence=1e-6)
    assert detector.name == "detector-1"
    picture = images.read(photos / "street" / "walker0.png").pixels
    faces = detector.find(picture)
    assert faces
    assert all(face.box and face.landmarks and face.confidence for face in faces)


def test_the_card_tells_where_the_model_comes_from(exported, trained):
    card, path = exported
    assert models.read_card(path) == card
    assert card.identifier == "detector-1"
    assert card.kind is Kind.DETECTOR
    assert (card.crop.view, card.crop.size) == (View.PHOTO, 128)
    assert card.training.data == trained.facts()["data"]
    assert card.training.revision == trained.facts()["revision"]
    assert f"{trained.facts()['best']['average_precision']:.3f}" in card.training.notes


def test_the_file_says_nothing_of_this_machine(exported, trained):
    content = exported[1].read_bytes()
    for secret in (str(trained.folder), str(exported[1].parent), "site-packages", "/facegauge/"):
        assert secret.encode() not in content


def test_folding_the_normalisation_changes_no_answer(trained):
    network = load_network(trained)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(layer.weight, 1.0, 0.3)
            torch.nn.init.normal_(layer.running_mean)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2.0)
    folded = fused(copy.deepcopy(network))
    assert not [each for each in folded.modules() if isinstance(each, torch.nn.BatchNorm2d)]
    shown = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        wanted, found = network(shown), folded(shown)
    torch.testing.assert_close(found.logits, wanted.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.boxes, wanted.boxes, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(found.landmarks, wanted.landmarks, atol=1e-2, rtol=1e-4)


def test_only_the_card_may_change_after_training(trained, tmp_path):
    card = export_run(trained.folder, tmp_path / "m.onnx", ("name=mine", "version=7"))
    assert card.identifier == "mine-7"
    for change in ("widths=1,2,3,4,5", "frame=0.5"):
        with pytest.raises(RecipeError, match=change.partition("=")[0]):
            export_run(trained.folder, tmp_path / "n.onnx", (change,))
    assert not (tmp_path / "n.onnx").exists()


def test_a_run_that_is_not_complete_is_not_exported(tmp_path):
    run = begin(tmp_path / "run", toy_recipe(), resume=False)
    with pytest.raises(TrainingError, match=r"0 of 2 legs are done.*--resume"):
        export_run(run.folder, tmp_path / "a.onnx")
