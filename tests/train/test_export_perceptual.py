"""The file of a network that grades whole pictures says what it is and answers as torch does."""

import numpy as np
import pytest
import torch

from facegauge import models
from facegauge.cards import Kind, View
from facegauge.train import teacher
from facegauge.train.export_perceptual import export_perceptual
from facegauge.train.graders import raw_qualities
from facegauge.train.teacher import load_grader
from toy_ratings import SIZE, make_ratings, toy_recipe


@pytest.mark.parametrize("network", ["toy", "efficient-fiqa-student"])
def test_the_file_answers_as_the_network_does(tmp_path, network):
    data = make_ratings(tmp_path / "data")
    size = SIZE if network == "toy" else 64
    changes = (f"network={network}", f"size={size}", "head_width=128", "legs=1", "steps=1")
    chosen = toy_recipe(*changes, "short_side=70", "resampling=pillow-bilinear")
    run = teacher.train(chosen, data, tmp_path / "run", workers=0)
    card = export_perceptual(run, chosen, tmp_path / "m.onnx")
    assert card.kind is Kind.PERCEPTUAL
    crop = card.crop
    told = (crop.view, crop.size, crop.short_side, crop.resampling)
    assert told == (View.WHOLE, size, 70, "pillow-bilinear")
    assert card.training.recipe == f"perceptual of {network}"
    assert "held-out srcc" in card.training.notes
    pixels = np.random.default_rng(0).integers(0, 256, (3, size, size, 3)).astype(np.uint8)
    found = models.open(tmp_path / "m.onnx").predict(pixels).raw
    expected = raw_qualities(load_grader(run), [pixels], torch.device("cpu"))
    np.testing.assert_allclose(found, expected, atol=1e-4)
