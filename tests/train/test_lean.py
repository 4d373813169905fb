"""What is exported of an EdgeNeXt answers as timm's own network does, in fewer steps."""

from collections import Counter

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from torch import nn

from facegauge.train.lean import lean
from facegauge.train.onnx_export import to_onnx


@pytest.fixture(scope="module")
def network():
    """Scales are drawn at random: fresh ones are a millionth, and would hide what is wrong."""
    torch.manual_seed(3)
    made = timm.create_model("edgenext_xx_small", num_classes=2)
    for name, weight in made.named_parameters():
        if "gamma" in name or "temperature" in name:
            nn.init.uniform_(weight, 0.3, 0.9)
    return made.train()


@pytest.mark.parametrize("side", [64, 112, 160])
def test_it_answers_as_timm_does(network, side):
    planes = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(side))
    with torch.no_grad():
        expected = network.eval()(planes)
        torch.testing.assert_close(lean(network, planes)(planes), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0.01


def test_the_network_itself_stays_as_it_was(network):
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    lean(network, torch.zeros(2, 3, 64, 64))
    after = network.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_other_networks_are_given_back():
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.GELU())
    assert lean(plain, torch.zeros(1, 3, 8, 8)) is plain
    assert not plain.training


def test_the_exported_file_has_one_node_where_there_were_several(network):
    planes = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    model = to_onnx(network, planes, ("raw",))
    kinds = Counter(node.op_type for node in model.graph.node)
    assert kinds["Gelu"] == 12
    assert kinds["Erf"] == 0
    assert kinds["Gemm"] == 31  # with their biases
    assert kinds["MatMul"] == 6  # of attention
    session = onnxruntime.InferenceSession(model.SerializeToString())
    with torch.no_grad():
        expected = network.eval()(planes).numpy()
    for rows in (1, 2):
        [found] = session.run(None, {"planes": planes[:rows].numpy()})
        np.testing.assert_allclose(found, expected[:rows], rtol=1e-4, atol=1e-5)


def test_positions_are_computed_when_the_file_is_opened(network, tmp_path):
    model = to_onnx(network, torch.zeros(2, 3, 112, 112), ("raw",))
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "opened.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(model.SerializeToString(), options)
    onnx = pytest.importorskip("onnx")
    opened = onnx.load(str(tmp_path / "opened.onnx")).graph
    assert not {node.op_type for node in opened.node} & {"Sin", "Cos", "CumSum"}
    waves = [name for node in model.graph.node for name in node.input if "fg_waves" in name]
    assert len(waves) == 1
    assert waves[0] not in {name for node in opened.node for name in node.input}
