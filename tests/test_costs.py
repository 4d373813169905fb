"""What a model costs: counted by hand on tiny networks, and against torch on a published one."""

import json
import sys

import pytest

from facegauge import costs
from facegauge.costs import CONVENTION, measure
from facegauge.errors import MissingExtra, ModelNotFound
from tiny_models import quality_file

pytest.importorskip("onnx_tool")


@pytest.mark.parametrize("size", [16, 32])
def test_a_tiny_network_is_counted_by_hand(tmp_path, size):
    """Four 3×3 filters on three planes, without padding, and four numbers mixed into one.

    The filters have a bias, as preprocessing becomes part of them.
    """
    found = measure(quality_file(tmp_path / "tiny.onnx", size=size))
    assert found.parameters == 4 * (3 * 3 * 3 + 1) + 4
    assert found.macs == (size - 2) ** 2 * 4 * (27 + 1) + 4
    assert found.side == size


def test_it_is_what_torch_counts(tmp_path):
    """torch.utils.flop_counter counts the same products as FLOPs, two a MAC."""
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    from facegauge.train import imports
    from facegauge.train.networks.regressors import EfficientFiqaStudent

    network = EfficientFiqaStudent().eval()
    for weight in network.parameters():
        torch.nn.init.uniform_(weight, -0.1, 0.1)  # equal tensors would be stored once
    torch.save(network.state_dict(), tmp_path / "s.pth")
    imports.import_model("efficient-fiqa-student", tmp_path / "s.pth", tmp_path / "s.onnx")
    found = measure(tmp_path / "s.onnx")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 352, 352))
    assert found.macs == pytest.approx(counter.get_total_flops() / 2, rel=0.005)
    scales = sum(w.numel() for name, w in network.named_parameters() if "gamma" in name)
    assert found.parameters == pytest.approx(1_179_641 - scales, rel=1e-4)


def test_the_embedded_models_can_be_counted():
    assert 29_000_000 < measure("utility").macs < 31_000_000
    assert 460_000 < measure("utility").parameters < 480_000
    assert measure("detector").macs > 0


def test_models_show_prints_the_costs_and_their_convention(console):
    done = console("models", "show", "utility")
    found = json.loads(done.out)["costs"]
    assert found == measure("utility").to_dict()
    assert found["convention"] == CONVENTION
    assert "1 MAC = " in CONVENTION


def test_without_the_counter_the_card_is_printed_all_the_same(console, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx_tool", None)
    done = console("models", "show", "utility")
    assert done.code == 0
    assert "costs" not in json.loads(done.out)
    assert "counting MACs needs onnx-tool" in done.err


def test_errors(monkeypatch):
    with pytest.raises(ModelNotFound):
        measure("nonesuch")
    monkeypatch.setitem(sys.modules, "onnx_tool", None)
    with pytest.raises(MissingExtra, match=r"facegauge\[train\]"):
        costs.measure("utility")
