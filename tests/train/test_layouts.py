"""Weights fitted to layouts: what differs is named, and so is the nearest kind."""

from functools import cache

import pytest
import torch

from facegauge.errors import ModelError
from facegauge.train import layouts
from facegauge.train.kinds import KINDS, find
from facegauge.train.layouts import closest, loaded, nearest

shapes_of = cache(layouts.shapes_of)


@pytest.fixture(autouse=True)
def remembered(monkeypatch):
    """Every network is laid out once, not for every comparison."""
    monkeypatch.setattr(layouts, "shapes_of", shapes_of)


def zeros(network):
    """Weights of a layout without memory behind them: one number seen many times."""
    return {name: torch.zeros(()).expand(shape) for name, shape in shapes_of(network).items()}


@pytest.mark.parametrize("name", KINDS)
def test_every_layout_is_nearest_to_its_own_kind(name):
    for layout in find(name).layouts:
        kind, fit = nearest(zeros(layout.network))
        assert (kind.name, fit.layout.network, fit.exact) == (name, layout.network, True)
        assert fit.overlap == 1.0


@pytest.mark.parametrize(
    ("name", "network", "told"),
    [
        ("cr-fiqa-l", "iresnet100", ["2 missing (qs.weight, qs.bias)", "0 unexpected", "itself"]),
        ("cr-fiqa-l", "cr-fiqa-50", ["missing (layer2.4.bn1.weight,", "is cr-fiqa-s (398 of 398"]),
        ("difiqa-r", "ai-kd", ["base.conv1.weight", "feature_extractor.conv1.weight", "is ai-kd"]),
        ("ediffiqa-l", "ediffiqa-mobile", ["is ediffiqa-t"]),
        ("magface", "sdd-fiqa", ["features.conv1.weight", "is sdd-fiqa"]),
        ("efficient-fiqa-teacher", "efficient-fiqa-student", ["is efficient-fiqa-student"]),
        ("magface", "mobilefacenet-foamliu", ["No kind has names like these"]),
    ],
)
def test_other_weights_are_told_with_the_nearest_kind(tmp_path, name, network, told):
    with pytest.raises(ModelError) as caught:
        loaded(find(name), zeros(network), tmp_path / "x.pt")
    for words in [f"Expected the weights of {name} in", "x.pt", *told]:
        assert words in str(caught.value)
    assert len(str(caught.value)) < 900


def test_shapes_that_differ_are_told(tmp_path):
    weights = zeros("ediffiqa-mobile")
    weights["mlp.l2.weight"] = torch.zeros(5, 1024)
    with pytest.raises(ModelError, match=r"1 of another shape \(mlp\.l2\.weight 5×1024 inst"):
        loaded(find("ediffiqa-t"), weights, tmp_path / "x.pt")


def test_what_only_training_needs_is_passed_over():
    more = {"fc.weight": torch.zeros(1), "parallel_fc.weight": torch.ones(1)}
    weights = {**zeros("magface-50"), **more}
    fit = closest(find("magface"), weights)
    assert fit.exact
    assert fit.layout.network == "magface-50"
    assert not closest(find("cr-fiqa-s"), {**zeros("cr-fiqa-50"), "x.weight": torch.ones(1)}).exact


def test_half_precision_and_old_files_are_loaded(tmp_path):
    weights = {
        name: torch.full(shape, 0.25, dtype=torch.float16)
        for name, shape in shapes_of("ediffiqa-mobile").items()
        if not name.endswith("num_batches_tracked")
    }
    network, layout = loaded(find("ediffiqa-t"), weights, tmp_path / "x.pt")
    assert layout.network == "ediffiqa-mobile"
    assert not network.training
    tensors = network.state_dict().values()
    assert {one.dtype for one in tensors} == {torch.float32, torch.int64}
    assert not any(one.is_meta or one.requires_grad for one in [*network.parameters(), *tensors])
    assert network.mlp.l2.weight[0, 0] == 0.25
