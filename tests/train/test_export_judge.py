"""A judge's run goes into its detector's file, which then answers as both networks do."""

import numpy as np
import onnx
import pytest
import torch

from facegauge import detection, models
from facegauge.baking_judge import bake_judge
from facegauge.candidates import logits
from facegauge.conventions import CONVENTIONS
from facegauge.errors import ModelError
from facegauge.judging import SIDE
from facegauge.train.export import export_run
from facegauge.train.export_judge import to_bare
from facegauge.train.judge import load_judge
from facegauge.train.students import planes


@pytest.fixture(scope="module")
def exported(judged, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "judged.onnx"
    return export_run(judged.folder, out, ("version=7",)), models.open(out)


def test_the_judge_answers_as_the_network(judged, exported):
    squares = np.random.default_rng(1).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)
    with torch.inference_mode():
        wanted = load_judge(judged)(planes(torch.from_numpy(squares)))
    said = exported[1].judge(squares)
    threshold = judged.facts()["threshold"]
    shift = np.log(threshold / (1 - threshold))
    expected = judged.recipe().weight * wanted.logits.numpy() - shift
    np.testing.assert_allclose(logits(said), expected, atol=0.02)


def test_the_detector_answers_as_before(exported):
    """To what weights of half the size leave of it."""
    pixels = np.random.default_rng(1).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    before = models.open("detector").detect(pixels)
    after = exported[1].detect(pixels)
    np.testing.assert_allclose(after.confidence, before.confidence, atol=5e-3)
    sides = (before.boxes[..., 2:] - before.boxes[..., :2]).max(-1, keepdims=True)
    assert (np.abs(after.boxes - before.boxes) / sides).max() < 0.02


def test_the_file_is_one_model_with_one_card(exported):
    card, model = exported
    assert model.card == card
    assert (card.identifier, card.kind) == ("detector-7", "detector")
    assert "judge" in card.training.recipe
    assert model.judges
    assert np.shape(card.golden.outputs) == (3, 9)
    assert detection.open(model.path).network.judge is not None


def test_a_judge_is_replaced_and_not_added(judged, exported, tmp_path):
    card, model = exported
    bare = to_bare(load_judge(judged), judged.recipe().weight, judged.facts()["threshold"])
    bake_judge(model.path, bare, CONVENTIONS["arcface"], card, tmp_path / "again.onnx")
    names = [
        {each.name for each in onnx.load(str(path)).graph.initializer}
        for path in (model.path, tmp_path / "again.onnx")
    ]
    assert names[0] == names[1]
    np.testing.assert_array_equal(
        models.open(tmp_path / "again.onnx").card.golden.outputs, card.golden.outputs
    )


def test_only_a_detector_gets_a_judge(judged, tmp_path):
    bare = to_bare(load_judge(judged), 1.0, 0.5)
    card = models.read_card("detector")
    with pytest.raises(ModelError, match="utility, a utility"):
        bake_judge("utility", bare, CONVENTIONS["arcface"], card, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_large_weights_take_half_the_room(exported):
    """Three in four numbers at least; the graph makes them whole again."""
    weights = onnx.load(str(exported[1].path)).graph.initializer
    halves = [each for each in weights if each.data_type == onnx.TensorProto.FLOAT16]
    assert all(np.prod(each.dims) >= 256 for each in halves)
    share = sum(np.prod(each.dims) for each in halves) / sum(np.prod(e.dims) for e in weights)
    assert share > 0.75
