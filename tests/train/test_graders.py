"""Networks that grade: made by name, wider or narrower, and weights to begin with."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from facegauge.conventions import CONVENTIONS
from facegauge.errors import RecipeError, TrainingError
from facegauge.train import graders
from facegauge.train.graders import begin_at, begin_with, grader, planes, raw_qualities
from toy_ratings import toy_recipe

CPU = torch.device("cpu")


def count(network) -> int:
    return sum(weight.numel() for weight in network.parameters())


def test_the_published_student_has_the_published_number_of_parameters():
    network = grader(toy_recipe("network=efficient-fiqa-student", "head_width=128"))
    assert count(network) == 1_179_641
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 1)


def test_a_student_of_ones_own_width_is_smaller():
    names = "network=edgenext_xx_small"
    full = grader(toy_recipe(names))
    half = grader(toy_recipe(names, "channels=0.5"))
    assert count(half) < 0.35 * count(full)
    assert half(torch.zeros(2, 3, 64, 64)).shape == (2,)


@pytest.mark.parametrize("name", ["mobilenetv4_conv_small_035", "test_resnet", "test_vit"])
def test_networks_whose_head_widens_the_features_and_others_answer(name):
    network = grader(toy_recipe(f"network={name}")).eval()
    assert network(torch.zeros(2, 3, 160, 160)).shape == (2,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("network=nonesuch",), "timm has no backbone 'nonesuch'"),
        (("network=resnet18", "channels=0.5"), "an edgenext network for channels"),
        (("network=efficient-fiqa-student", "channels=2"), "is the published network"),
    ],
)
def test_networks_that_cannot_be_are_refused(changes, message):
    with pytest.raises(RecipeError, match=message):
        grader(toy_recipe(*changes))


def test_weights_are_drawn_by_the_seed():
    first, same, other = (grader(toy_recipe(f"seed={seed}")) for seed in (0, 0, 1))
    for a, b, c in zip(first.parameters(), same.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b)
        assert a.ndim < 2 or (a != c).any()


@pytest.mark.parametrize("network", ["toy", "efficient-fiqa-student"])
def test_the_first_prediction_is_near_the_mean(network):
    made = grader(toy_recipe(f"network={network}", "head_width=128"))
    begin_at(made, np.array([0.2, 0.9], dtype=np.float32))
    last = made.get_submodule("quality.1")
    assert last.bias.item() == pytest.approx(0.55)


def test_pixels_are_brought_to_imagenets_mean_and_deviation():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    told = CONVENTIONS["imagenet"]
    expected = ((pixels - np.array(told.mean)) / np.array(told.std)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(planes(torch.from_numpy(pixels)), expected, atol=1e-5)


def test_batches_do_not_change_an_answer():
    network = grader(toy_recipe())
    pixels = np.random.default_rng(0).integers(0, 256, (9, 24, 24, 3)).astype(np.uint8)
    one = raw_qualities(network, [pixels], CPU)
    many = raw_qualities(network, [pixels[:4], pixels[4:]], CPU)
    np.testing.assert_allclose(one, many, atol=1e-6)
    assert one.shape == (9,)


@pytest.mark.parametrize("below", ["", "embedder.backbone.", "backbone."])
@pytest.mark.parametrize("network", ["test_resnet", "efficient-fiqa-student"])
def test_a_file_of_timms_names_or_a_run_is_taken_over(tmp_path, network, below):
    name = network if network == "test_resnet" else "edgenext_xx_small"
    torch.manual_seed(5)
    source = timm.create_model(name, pretrained=False)
    stored = {below + key: tensor for key, tensor in source.state_dict().items()}
    save_file(stored, tmp_path / "w.safetensors")
    chosen = toy_recipe(f"network={network}", "head_width=128", "weights=w.safetensors")
    made = grader(chosen)
    begin_with(made, chosen, tmp_path)
    body = getattr(made, "backbone", None) or made.feature_extraction
    own = source.state_dict()
    shared = [key for key in body.state_dict() if key in own]
    assert len(shared) > 10
    for key in shared:
        torch.testing.assert_close(body.state_dict()[key], own[key])


def test_weights_of_another_network_and_no_file_are_refused(tmp_path):
    save_file(timm.create_model("test_vit").state_dict(), tmp_path / "w.safetensors")
    chosen = toy_recipe("network=test_resnet", "weights=w.safetensors")
    with pytest.raises(TrainingError, match=r"w.safetensors, got 0 of \d+ tensors"):
        begin_with(grader(chosen), chosen, tmp_path)
    chosen = toy_recipe("network=test_resnet", "weights=none.pth")
    with pytest.raises(TrainingError, match="found nothing at .*none.pth"):
        begin_with(grader(chosen), chosen, tmp_path)


def test_a_hub_out_of_reach_says_what_to_do(tmp_path, monkeypatch):
    def unreachable(*words, **flags):
        raise OSError("no route to host")

    monkeypatch.setattr(graders.timm, "create_model", unreachable)
    chosen = toy_recipe("weights=imagenet")
    with pytest.raises(TrainingError, match=r"no route to host .*teacher\.weights=FILE"):
        begin_with(grader(chosen), chosen, tmp_path)


def test_without_weights_nothing_is_read(tmp_path):
    network = grader(toy_recipe())
    before = {key: value.clone() for key, value in network.state_dict().items()}
    begin_with(network, toy_recipe(), tmp_path / "none")
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, before[key])
