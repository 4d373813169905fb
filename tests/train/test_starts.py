"""Weights to begin with, from runs and from published checkpoints."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from facegauge.errors import RecipeError, TrainingError
from facegauge.train.embedders import embedder
from facegauge.train.networks.mobilefacenet import FoamliuMobileFaceNet, MobileFaceNet
from facegauge.train.starts import begin_with


def same(network, weights) -> bool:
    return all(torch.equal(each, weights[name]) for name, each in network.state_dict().items())


@pytest.mark.parametrize("prefix", ["", "embedder.", "base_model.", "a.b."])
def test_a_network_is_found_under_any_prefix(tmp_path, prefix):
    torch.manual_seed(1)
    weights = embedder("toy", 8).state_dict()
    others = {"centres": torch.zeros(3, 8), "head.body.0.weight": torch.zeros(2)}
    save_file({**others, **{prefix + k: v for k, v in weights.items()}}, tmp_path / "w.safetensors")
    torch.manual_seed(2)
    network = embedder("toy", 8)
    assert not same(network, weights)
    begin_with(network, tmp_path / "w.safetensors", "toy")
    assert same(network, weights)


@pytest.mark.parametrize(
    ("name", "width", "published"),
    [("mobilefacenet-foamliu", 128, FoamliuMobileFaceNet), ("mobilefacenet", 512, MobileFaceNet)],
)
def test_published_recognisers_begin_a_network(tmp_path, name, width, published):
    torch.manual_seed(1)
    source = published().eval()
    without_steps = {
        f"module.{key}": value
        for key, value in source.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save({"state_dict": without_steps, "epoch": 3}, tmp_path / "w.pt")
    network = embedder(name, width).eval()
    begin_with(network, tmp_path / "w.pt", name)
    image = torch.randn(2, 3, 112, 112)
    ours, theirs = network(image), source(image)
    if name == "mobilefacenet":
        ours = torch.nn.functional.normalize(ours)
    torch.testing.assert_close(ours, theirs)


def test_a_missing_and_a_misshapen_weight_are_counted(tmp_path):
    weights = embedder("toy", 8).state_dict()
    del weights["features.bias"]
    weights["features.weight"] = torch.zeros(9)
    save_file(weights, tmp_path / "w.safetensors")
    with pytest.raises(TrainingError, match=r"for 2 of \d+, such as features\.weight\. Correct"):
        begin_with(embedder("toy", 8), tmp_path / "w.safetensors", "toy")


def test_a_fixed_width_is_told():
    with pytest.raises(RecipeError, match="Expected width=128 for mobilefacenet-foamliu.*got 256"):
        embedder("mobilefacenet-foamliu", 256)
