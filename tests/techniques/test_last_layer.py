"""Where a recogniser is cut, and recognisers that cannot be."""

import sys

import onnx
import pytest

from facegauge.errors import MissingExtra, ModelError
from facegauge.techniques.last_layer import halves
from tiny_models import edited
from toy_recognisers import CHANNELS, FEATURES, SIZE, crops, gemm_recogniser


def test_features_are_what_the_last_layer_is_given(gemm, conv):
    assert halves(gemm.path).features(crops(2)).shape == (2, FEATURES)
    assert halves(conv.path).features(crops(2)).shape == (2, CHANNELS, 1, 1)
    assert halves(gemm.path).rate == 0.0


def test_a_dropout_at_the_cut_is_found(tmp_path):
    cut = halves(gemm_recogniser(tmp_path / "own.onnx", dropout=0.4))
    assert cut.rate == pytest.approx(0.4)
    assert cut.features(crops(1)).shape == (1, FEATURES)


def test_affine_nodes_behind_the_last_layer_are_passed(gemm, tmp_path):
    def scale(model):
        [last] = [each for each in model.graph.node if each.op_type == "BatchNormalization"]
        last.op_type = "Mul"
        del last.attribute[:], last.input[2:]

    out = edited(gemm.path, tmp_path / "scaled.onnx", scale)
    assert halves(out).features(crops(1)).shape == (1, FEATURES)


def test_a_crooked_end_is_refused(gemm, tmp_path):
    def bend(model):
        [last] = [each for each in model.graph.node if each.op_type == "BatchNormalization"]
        last.op_type = "Relu"
        del last.attribute[:], last.input[1:]

    with pytest.raises(ModelError, match="got Relu before one. Label with faceqan"):
        halves(edited(gemm.path, tmp_path / "bent.onnx", bend))


def test_a_file_without_an_embedding_is_refused(tmp_path):
    helper = onnx.helper
    image = helper.make_tensor_value_info("image", 1, ["n", SIZE])
    answer = helper.make_tensor_value_info("y", 1, ["n", SIZE])
    nodes = [helper.make_node("Relu", ["image"], ["y"])]
    model = helper.make_model(helper.make_graph(nodes, "none", [image], [answer]))
    onnx.save(model, str(tmp_path / "none.onnx"))
    with pytest.raises(ModelError, match="got the picture itself"):
        halves(tmp_path / "none.onnx")


def test_without_onnx_it_says_what_to_install(gemm, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "onnx.numpy_helper", None)
    with pytest.raises(MissingExtra, match=r"cutting a recogniser.*facegauge\[train\]"):
        halves(gemm.path)
