"""Networks with published key layouts: names, shapes, sizes, and what they compute."""

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn import functional as f

from facegauge.train.layouts import shapes_of
from facegauge.train.networks import NETWORKS, ir50, iresnet
from facegauge.train.networks.heads import CrFiqa, EDifFiqa, MagFace
from facegauge.train.networks.ir50 import SddFiqa
from facegauge.train.networks.iresnet import IResNet
from facegauge.train.networks.mobilefacenet import FoamliuMobileFaceNet, MobileFaceNet
from published_files import DATA, needs
from random_weights import portraits, random_weights

STATE = DATA / "recognisers" / "mobilefacenet_foamliu_state_dict.pt"
FOAMLIU = DATA / "recognisers" / "mobilefacenet_foamliu.onnx"

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
# Names, parameters in all, and the first and last name: published layouts do not change.
SIZES = {
    "iresnet18": (187, 24_025_600, "conv1.weight"),
    "iresnet50": (475, 43_590_848, "conv1.weight"),
    "iresnet100": (925, 65_156_160, "conv1.weight"),
    "mobilefacenet": (333, 1_200_512, "conv1.conv.weight"),
    "mobilefacenet-foamliu": (307, 999_936, "conv1.0.weight"),
    "efficient-fiqa-student": (160, 1_179_641, "feature_extraction.stem.0.weight"),
    "efficient-fiqa-teacher": (
        355,
        86_874_553,
        "feature_extraction.feature_extraction.features.0.0.weight",
    ),
    "ai-kd": (929, 65_682_497, "feature_extractor.conv1.weight"),
    "cr-fiqa-50": (477, 43_591_361, "conv1.weight"),
    "cr-fiqa-100": (927, 65_156_673, "conv1.weight"),
    "magface-50": (475, 43_590_848, "features.conv1.weight"),
    "magface-100": (925, 65_156_160, "features.conv1.weight"),
    "sdd-fiqa": (340, 30_777_537, "input_layer.0.weight"),
    "difiqa-r": (927, 65_156_673, "base.conv1.weight"),
    "ediffiqa-mobile": (337, 1_726_849, "base_model.conv1.conv.weight"),
    "ediffiqa-18": (191, 24_551_937, "base_model.conv1.weight"),
    "ediffiqa-50": (479, 44_117_185, "base_model.conv1.weight"),
    "ediffiqa-100": (929, 65_682_497, "base_model.conv1.weight"),
    "faceqnet": (320, 23_510_081, "conv1.weight"),
}
HEADS = {
    "ai-kd": {"quality_head.l1.weight": (1024, 512), "quality_head.l2.weight": (1, 1024)},
    "cr-fiqa-50": {"qs.weight": (1, 512), "qs.bias": (1,)},
    "cr-fiqa-100": {"qs.weight": (1, 512), "qs.bias": (1,)},
    "magface-50": {"features.fc.weight": (512, 25088), "features.features.weight": (512,)},
    "sdd-fiqa": {"quality.1.weight": (25088,), "quality.3.weight": (1, 25088)},
    "difiqa-r": {"linear.weight": (1, 512), "linear.bias": (1,)},
    "ediffiqa-mobile": {"mlp.l1.weight": (1024, 512), "base_model.linear.weight": (512, 512)},
    "ediffiqa-18": {"mlp.l2.weight": (1, 1024), "base_model.fc.weight": (512, 25088)},
    "faceqnet": {"fc.weight": (1, 2048), "layer4.2.conv3.weight": (2048, 512, 1, 1)},
    "efficient-fiqa-student": {"quality.0.weight": (128, 168), "quality.1.weight": (1, 128)},
    "efficient-fiqa-teacher": {
        "quality.0.weight": (128, 1024),
        "feature_extraction.feature_extraction.features.1.0.attn.qkv.weight": (384, 128),
    },
}


def norm(name):
    return [f"{name}.{part}" for part in NORM]


def iresnet_names(blocks):
    """Insightface's names, from the order of its layers."""
    names = ["conv1.weight", *norm("bn1"), "prelu.weight"]
    for stage, count in enumerate(blocks, 1):
        for number in range(count):
            at = f"layer{stage}.{number}"
            names += [*norm(f"{at}.bn1"), f"{at}.conv1.weight", *norm(f"{at}.bn2")]
            names += [f"{at}.prelu.weight", f"{at}.conv2.weight", *norm(f"{at}.bn3")]
            if number == 0:
                names += [f"{at}.downsample.0.weight", *norm(f"{at}.downsample.1")]
    return [*names, *norm("bn2"), "fc.weight", "fc.bias", *norm("features")]


def tface_names():
    """TFace's names, from the order of its layers; wider blocks begin at 3, 7 and 21."""
    names = ["input_layer.0.weight", *norm("input_layer.1"), "input_layer.2.weight"]
    names += ["quality.1.weight", "quality.3.weight", "quality.3.bias"]
    for number in range(24):
        at = f"body.{number}"
        if number in (3, 7, 21):
            names += [f"{at}.shortcut_layer.0.weight", *norm(f"{at}.shortcut_layer.1")]
        names += [*norm(f"{at}.res_layer.0"), f"{at}.res_layer.1.weight"]
        names += [f"{at}.res_layer.2.weight", f"{at}.res_layer.3.weight"]
        names += norm(f"{at}.res_layer.4")
    return names


def mobile_names():
    """Names of eDifFIQA(T)'s MobileFaceNet, from the order of its layers."""

    def convolution(at, prelu=True):
        return [f"{at}.conv.weight", *norm(f"{at}.bn"), *([f"{at}.prelu.weight"] * prelu)]

    def separable(at):
        parts = (("conv", True), ("conv_dw", True), ("project", False))
        return [name for part, prelu in parts for name in convolution(f"{at}.{part}", prelu)]

    names = convolution("conv1") + convolution("conv2_dw")
    for one, many, count in (("23", "3", 4), ("34", "4", 6), ("45", "5", 2)):
        names += separable(f"conv_{one}")
        names += [n for i in range(count) for n in separable(f"conv_{many}.model.{i}")]
    names += convolution("conv_6_sep") + convolution("conv_6_dw", prelu=False)
    return [*names, "linear.weight", *norm("bn")]


@pytest.mark.parametrize("name", SIZES)
def test_names_and_sizes_are_those_published(name):
    count, parameters, first = SIZES[name]
    with torch.device("meta"):
        made = NETWORKS[name]()
    shapes = shapes_of(name)
    assert (len(shapes), next(iter(shapes))) == (count, first)
    assert sum(each.numel() for each in made.parameters()) == parameters
    for key, shape in HEADS.get(name, {}).items():
        assert shapes[key] == shape


def test_every_network_has_its_size():
    assert set(NETWORKS) == set(SIZES)


@pytest.mark.parametrize(
    ("network", "names"),
    [
        ("iresnet18", iresnet_names((2, 2, 2, 2))),
        ("iresnet50", iresnet_names((3, 4, 14, 3))),
        ("iresnet100", iresnet_names((3, 13, 30, 3))),
        ("cr-fiqa-100", [*iresnet_names((3, 13, 30, 3)), "qs.weight", "qs.bias"]),
        ("magface-50", [f"features.{name}" for name in iresnet_names((3, 4, 14, 3))]),
        ("sdd-fiqa", tface_names()),
        ("mobilefacenet", mobile_names()),
    ],
)
def test_names_stand_in_the_published_order(network, names):
    assert list(shapes_of(network)) == names


@needs(STATE, FOAMLIU)
def test_foamliu_weights_give_what_the_published_file_gives():
    made = FoamliuMobileFaceNet().eval()
    state = torch.load(STATE, map_location="cpu", weights_only=True)
    made.load_state_dict(state, strict=True)
    planes = (portraits(3, 112).transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 127.5
    session = onnxruntime.InferenceSession(str(FOAMLIU), providers=["CPUExecutionProvider"])
    [wanted] = session.run(None, {"input": planes})
    with torch.no_grad():
        found = made(torch.from_numpy(planes)).numpy()
    assert np.abs(wanted).max() > 0.5
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.fixture
def shallow(monkeypatch):
    """iResNets of one or two blocks a stage."""
    monkeypatch.setitem(iresnet.BLOCKS, 18, (1, 2, 1, 1))


def planes(count=2):
    crops = portraits(count, 112).transpose(0, 3, 1, 2).astype(np.float32)
    return torch.from_numpy((crops - 127.5) / 127.5)


class Reader:
    """Layers from weights by name, in plain functions: what the networks are compared with."""

    def __init__(self, weights, eps=1e-5):
        self.weights, self.eps = weights, eps

    def norm(self, x, at):
        weight, bias, mean, var = (self.weights[f"{at}.{part}"] for part in NORM[:4])
        side = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
        scaled = (x - mean.view(side)) / torch.sqrt(var.view(side) + self.eps)
        return scaled * weight.view(side) + bias.view(side)

    def convolve(self, x, at, stride=1, padding=1):
        weight = self.weights[f"{at}.weight"]
        groups = x.shape[1] // weight.shape[1]
        return f.conv2d(x, weight, None, stride, padding, groups=groups)

    def prelu(self, x, at):
        side = (1, -1, 1, 1) if x.ndim == 4 else (1, -1)
        return torch.where(x > 0, x, x * self.weights[f"{at}.weight"].view(side))


def by_hand(weights, x, prefix="", eps=1e-5):
    """An iResNet's embeddings, from the formulas."""
    read = Reader({n.removeprefix(prefix): w for n, w in weights.items()}, eps)
    x = read.prelu(read.norm(read.convolve(x, "conv1"), "bn1"), "prelu")
    for stage, count in enumerate(iresnet.BLOCKS[18], 1):
        for number in range(count):
            at, stride, kept = f"layer{stage}.{number}", 2 if number == 0 else 1, x
            if number == 0:
                kept = read.norm(read.convolve(x, f"{at}.downsample.0", 2, 0), f"{at}.downsample.1")
            x = read.norm(read.convolve(read.norm(x, f"{at}.bn1"), f"{at}.conv1"), f"{at}.bn2")
            x = read.convolve(read.prelu(x, f"{at}.prelu"), f"{at}.conv2", stride)
            x = read.norm(x, f"{at}.bn3") + kept
    x = read.norm(x, "bn2").flatten(1) @ read.weights["fc.weight"].T + read.weights["fc.bias"]
    return read.norm(x, "features")


def test_an_iresnet_computes_its_formulas(shallow):
    weights = random_weights("iresnet18", 112)
    made = IResNet(18).eval()
    made.load_state_dict(weights)
    with torch.no_grad():
        torch.testing.assert_close(made(planes()), by_hand(weights, planes()), atol=1e-4, rtol=1e-4)


def test_the_norm_of_magface_is_its_quality(shallow, monkeypatch):
    monkeypatch.setitem(NETWORKS, "shallow", lambda: MagFace(18))
    weights = random_weights("shallow", 112)
    made = MagFace(18).eval()
    made.load_state_dict(weights)
    wanted = by_hand(weights, planes(), "features.", eps=2e-5).norm(dim=1, keepdim=True)
    with torch.no_grad():
        torch.testing.assert_close(made(planes()), wanted, atol=1e-3, rtol=1e-4)
    norms = [m for m in made.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    assert {each.eps for each in norms} == {2e-5}
    assert isinstance(made.features.dropout, torch.nn.Dropout2d)


def test_cr_fiqa_is_one_layer_on_the_embedding(shallow, monkeypatch):
    monkeypatch.setitem(NETWORKS, "shallow", lambda: CrFiqa(18))
    weights = random_weights("shallow", 112)
    made = CrFiqa(18).eval()
    made.load_state_dict(weights)
    wanted = by_hand(weights, planes()) @ weights["qs.weight"].T + weights["qs.bias"]
    with torch.no_grad():
        torch.testing.assert_close(made(planes()), wanted, atol=1e-4, rtol=1e-4)


def test_an_mlp_has_a_gelu_in_between(shallow):
    made = EDifFiqa(IResNet(18)).eval()
    embedding = torch.linspace(-2, 2, 1024).view(2, 512)
    one, two = made.mlp.l1, made.mlp.l2
    x = embedding @ one.weight.T + one.bias
    x = 0.5 * x * (1 + torch.erf(x / 2**0.5))
    torch.testing.assert_close(made.mlp(embedding), x @ two.weight.T + two.bias)


def test_an_ir50_computes_its_formulas(monkeypatch):
    monkeypatch.setattr(ir50, "UNITS", ((64, 2), (128, 1), (256, 2), (512, 1)))
    weights = random_weights("sdd-fiqa", 112)
    made = SddFiqa().eval()
    made.load_state_dict(weights)
    read = Reader(weights)
    x = read.norm(read.convolve(planes(), "input_layer.0"), "input_layer.1")
    x = read.prelu(x, "input_layer.2")
    for number in range(6):
        at, stride = f"body.{number}", 2 if number in (0, 2, 3, 5) else 1
        kept = x[:, :, ::stride, ::stride]
        if number in (2, 3, 5):
            kept = read.convolve(x, f"{at}.shortcut_layer.0", stride, 0)
            kept = read.norm(kept, f"{at}.shortcut_layer.1")
        x = read.convolve(read.norm(x, f"{at}.res_layer.0"), f"{at}.res_layer.1")
        x = read.convolve(read.prelu(x, f"{at}.res_layer.2"), f"{at}.res_layer.3", stride)
        x = read.norm(x, f"{at}.res_layer.4") + kept
    x = read.prelu(x.flatten(1), "quality.1")
    wanted = x @ weights["quality.3.weight"].T + weights["quality.3.bias"]
    with torch.no_grad():
        torch.testing.assert_close(made(planes()), wanted, atol=1e-4, rtol=1e-4)


def test_a_mobilefacenet_computes_its_formulas():
    weights = random_weights("mobilefacenet", 112)
    made = MobileFaceNet().eval()
    made.load_state_dict(weights)
    read = Reader(weights)

    def linear(x, at, stride=1, padding=0):
        return read.norm(read.convolve(x, f"{at}.conv", stride, padding), f"{at}.bn")

    def convolution(x, at, stride=1, padding=0):
        return read.prelu(linear(x, at, stride, padding), f"{at}.prelu")

    def separable(x, at, stride=1):
        x = convolution(convolution(x, f"{at}.conv"), f"{at}.conv_dw", stride, 1)
        return linear(x, f"{at}.project")

    x = convolution(convolution(planes(), "conv1", 2, 1), "conv2_dw", 1, 1)
    for one, many, count in (("23", "3", 4), ("34", "4", 6), ("45", "5", 2)):
        x = separable(x, f"conv_{one}", 2)
        for number in range(count):
            x = x + separable(x, f"conv_{many}.model.{number}")
    x = linear(convolution(x, "conv_6_sep"), "conv_6_dw").flatten(1) @ weights["linear.weight"].T
    x = read.norm(x, "bn")
    wanted = x / x.norm(dim=1, keepdim=True)
    with torch.no_grad():
        torch.testing.assert_close(made(planes()), wanted, atol=1e-5, rtol=1e-4)
