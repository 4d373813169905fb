"""A detector's run becomes one file that answers as the network does, at any size."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from facegauge import models
from facegauge.errors import TrainingError
from facegauge.train import runs
from facegauge.train.detector import load_network, network_of
from facegauge.train.detector_network import Exported
from facegauge.train.export import export_run
from facegauge.train.export_detector import fused
from facegauge.train.recipe_detector import Detector
from facegauge.train.students import planes

TOY = Detector(name="toy", widths=(4, 6, 8, 10, 12), depths=(2, 1, 2), neck=6, size=64, wide=64)
THRESHOLD = 0.3


def random_weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """Weights that answer differently everywhere, with normalisations that have seen something."""
    torch.manual_seed(0)
    return {key: random_like(key, value) for key, value in network.state_dict().items()}


def random_like(key: str, value: torch.Tensor) -> torch.Tensor:
    if value.dtype == torch.int64:
        return value
    if value.ndim > 1:
        return torch.randn(value.shape) / value[0].numel() ** 0.5
    return torch.rand(value.shape) + 0.5 if "bias" not in key else torch.randn(value.shape) * 0.3


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = runs.begin(tmp_path_factory.mktemp("runs") / "run", TOY, resume=False)
    save_file(random_weights(network_of(TOY)), run.weights)
    best = {"average_precision": 0.5, "landmark_error": 0.04}
    run.write_facts(
        {"revision": "abc", "data": "toys", "best": best, "threshold": THRESHOLD, "complete": True}
    )
    return run


@pytest.fixture(scope="module")
def exported(run):
    out = run.folder.parent / "toy.onnx"
    return export_run(run.folder, out, ("version=7",)), models.open(out)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (96, 64), (160, 32), (480, 640)])
def test_the_file_answers_as_the_network_at_any_size(run, exported, height, width):
    pixels = np.random.default_rng(1).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    with torch.inference_mode():
        network = Exported(load_network(run), THRESHOLD)
        expected = network(planes(torch.from_numpy(pixels)))
    found = exported[1].detect(pixels)
    answers = (found.boxes, found.landmarks, found.confidence)
    for answer, wanted in zip(answers, expected, strict=True):
        assert answer.shape == wanted.shape
        np.testing.assert_allclose(answer, wanted.numpy(), atol=5e-3, rtol=1e-4)


def test_the_threshold_becomes_one_half(run):
    network = load_network(run)
    pixels = planes(torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8))
    with torch.inference_mode():
        plain, shifted = Exported(network)(pixels)[2], Exported(network, THRESHOLD)(pixels)[2]
    assert 0.02 < plain.min() < plain.max() < 0.98
    assert torch.equal(plain >= THRESHOLD, shifted >= 0.5)
    odds = (plain / (1 - plain)) / (THRESHOLD / (1 - THRESHOLD))
    torch.testing.assert_close(shifted, odds / (1 + odds), atol=1e-5, rtol=1e-4)


def test_fusing_leaves_no_normalisation_and_the_same_answers(run):
    pixels = planes(torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8))
    with torch.inference_mode():
        expected = load_network(run)(pixels)
        network = fused(load_network(run))
        found = network(pixels)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    torch.testing.assert_close(found.logits, expected.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.boxes, expected.boxes, atol=5e-3, rtol=1e-4)


def test_the_card_says_what_it_is(exported):
    card, model = exported
    assert model.card == card
    assert (card.identifier, card.kind, card.crop.view, card.crop.size) == (
        "toy-7",
        "detector",
        "photo",
        640,
    )
    assert card.training.revision == "abc"
    assert "0.500" in card.training.notes


def test_an_unfinished_run_is_refused(tmp_path):
    run = runs.begin(tmp_path / "run", TOY, resume=False)
    with pytest.raises(TrainingError, match="is not complete"):
        export_run(run.folder, tmp_path / "x.onnx")
