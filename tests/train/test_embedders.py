"""Embedding networks by name."""

import pytest
import torch
from torch import nn

from facegauge.errors import RecipeError
from facegauge.train import embedders
from facegauge.train.embedders import embedder, require_embedder


@pytest.mark.parametrize("name", ["toy", "test_resnet"])
@pytest.mark.parametrize("width", [4, 9])
def test_an_embedding_has_the_width_asked_for(name, width):
    network = embedder(name, width)
    found = network(torch.randn(3, 3, 64, 64))
    assert found.shape == (3, width)
    assert isinstance(list(network.modules())[-1], nn.BatchNorm1d)


@pytest.mark.parametrize("name", ["iresnet18", "mobilefacenet", "slim"])
def test_published_networks_have_the_width_asked_for_and_free_lengths(name):
    torch.manual_seed(0)
    with torch.no_grad():
        found = embedder(name, 6)(torch.randn(3, 3, 112, 112))
    assert found.shape == (3, 6)
    assert found.norm(dim=1).std() > 0.01


def test_lengths_are_free_and_about_the_root_of_the_width():
    torch.manual_seed(0)
    lengths = embedder("toy", 64)(torch.randn(32, 3, 64, 64)).norm(dim=1).detach()
    assert lengths.std() > 0.1
    assert float(lengths.mean()) == pytest.approx(8, rel=0.2)


def test_a_network_of_ours_is_one_more_line(monkeypatch):
    monkeypatch.setitem(embedders.EMBEDDERS, "ours", lambda width: nn.Linear(2, width))
    assert embedder("ours", 5).out_features == 5


def test_an_unknown_name_is_told_the_nearest_ones():
    with pytest.raises(RecipeError, match=r"got 'edgenext_small2'.*edgenext_small"):
        require_embedder("edgenext_small2")
    with pytest.raises(RecipeError, match="we or timm know"):
        embedder("", 4)


def test_weights_follow_from_torchs_seed():
    found = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        found.append(embedder("toy", 4).state_dict()["body.0.weight"])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_slim_costs_about_thirty_million_multiplications():
    network, counted = embedder("slim", 168).eval(), []

    def count(layer: nn.Conv2d, inside, outside) -> None:
        counted.append(outside.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    network(torch.zeros(1, 3, 112, 112))
    assert 25e6 < sum(counted) < 32e6
    assert sum(weight.numel() for weight in network.parameters()) < 400_000
