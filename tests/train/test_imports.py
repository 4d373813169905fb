"""Published checkpoints become model files that compute what torch computes."""

import dataclasses
import hashlib

import cv2
import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from facegauge import models
from facegauge.errors import ModelError, OptionError
from facegauge.scoring import Scorer
from facegauge.train import imports, kinds
from facegauge.train.imports import import_model
from facegauge.train.kinds import KINDS, find
from facegauge.train.networks import NETWORKS, ir50, iresnet, regressors
from random_weights import portraits, random_weights

SMALLER_TEACHER = 224
# What the pixels of each kind become, written out from the publishers' code.
PREPARED = {
    "imagenet": lambda x: (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "arcface": lambda x: (x / 255 - 0.5) / 0.5,
    "bgr-unit": lambda x: x[..., ::-1] / 255,
    "bgr-raw": lambda x: x[..., ::-1],
}
WRAPPED = {  # every way in which trainers save, spread over the kinds
    "plain": lambda weights: weights,
    "parallel": lambda weights: {f"module.{name}": one for name, one in weights.items()},
    "trainer": lambda weights: {"epoch": 3, "state_dict": weights, "optimizer": {"state": {}}},
    "best": lambda weights: {
        "model_state_dict": {f"module.{name}": one for name, one in weights.items()},
        "best_score": np.float64(0.97),
    },
}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """A folder of 60 crops, one of them blank."""
    folder = tmp_path_factory.mktemp("import") / "sixty"
    folder.mkdir()
    for number, crop in enumerate(portraits(60, 64)):
        darker = cv2.GaussianBlur(crop, (0, 0), 0.1 + number / 20)
        Image.fromarray(darker if number else np.full_like(crop, 90)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def small(monkeypatch):
    """Every network narrow and with a block a stage, the teacher for smaller crops: seconds saved.

    Names and layers are those of the full networks, whose sizes test_networks holds.
    """
    monkeypatch.setattr(iresnet, "WIDTHS", (8, 8, 16, 16))
    for depth in iresnet.BLOCKS:
        monkeypatch.setitem(iresnet.BLOCKS, depth, (1, 1, 1, 1))
    monkeypatch.setattr(ir50, "UNITS", ((64, 2), (16, 1), (16, 1), (32, 1)))
    monkeypatch.setattr(regressors, "RESNET50", [1, 1, 1, 1])
    monkeypatch.setattr(regressors, "TEACHER_FEATURES", 256)
    monkeypatch.setattr(torchvision.models, "swin_b", small_swin)
    teacher = find("efficient-fiqa-teacher")
    crop = dataclasses.replace(teacher.crop, size=SMALLER_TEACHER, short_side=SMALLER_TEACHER)
    monkeypatch.setitem(KINDS, teacher.name, dataclasses.replace(teacher, crop=crop))


def small_swin(weights=None):
    return torchvision.models.SwinTransformer(
        patch_size=[4, 4], embed_dim=32, depths=[2, 1, 1, 1], num_heads=[2, 2, 2, 2],
        window_size=[7, 7],
    )  # fmt: skip


def by_torch(network, weights, convention, crops):
    """Raw numbers of crops, uint8 RGB, from the published network alone."""
    made = NETWORKS[network]().eval()
    made.load_state_dict(weights)
    pixels = PREPARED[convention](crops.astype(np.float64)).astype(np.float32)
    planes = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    with torch.no_grad():
        return made(planes).numpy().ravel()


def compared(name, network, tmp_path, wrap, faces=None, count=4):
    """Import random weights; torch and ONNX Runtime must agree on crops. Gives the card."""
    kind = find(name)
    weights = random_weights(network, kind.crop.size, 1, kind.convention)
    torch.save(wrap(weights), tmp_path / "published.pth")
    card = import_model(name, tmp_path / "published.pth", tmp_path / "model.onnx", faces=faces)
    crops = portraits(count, kind.crop.size)
    found = models.open(tmp_path / "model.onnx").predict(crops)
    wanted = by_torch(network, weights, kind.convention, crops)
    np.testing.assert_allclose(found.raw, wanted, atol=1e-4, rtol=0)
    assert wanted.std() > 0.01
    np.testing.assert_allclose(found.score, card.calibration.apply(wanted), atol=0.05)
    return card


CASES = [
    ("efficient-fiqa-student", "efficient-fiqa-student", "best"),
    ("efficient-fiqa-teacher", "efficient-fiqa-teacher", "plain"),
    ("ai-kd", "ai-kd", "parallel"),
    ("cr-fiqa-l", "cr-fiqa-100", "plain"),
    ("cr-fiqa-s", "cr-fiqa-50", "parallel"),
    ("magface", "magface-50", "trainer"),
    ("magface", "magface-100", "parallel"),
    ("sdd-fiqa", "sdd-fiqa", "parallel"),
    ("difiqa-r", "difiqa-r", "plain"),
    ("ediffiqa-t", "ediffiqa-mobile", "plain"),
    ("ediffiqa-s", "ediffiqa-18", "trainer"),
    ("ediffiqa-m", "ediffiqa-50", "plain"),
    ("ediffiqa-l", "ediffiqa-100", "parallel"),
    ("faceqnet", "faceqnet", "trainer"),
]


def test_every_layout_of_every_kind_is_imported_here():
    layouts = {(kind.name, each.network) for kind in KINDS.values() for each in kind.layouts}
    assert {(name, network) for name, network, _ in CASES} == layouts
    assert {wrapping for _, _, wrapping in CASES} == set(WRAPPED)


@pytest.mark.parametrize(("name", "network", "wrapping"), CASES)
def test_torch_and_onnx_agree(tmp_path, small, faces, name, network, wrapping):
    kind = find(name)
    [layout] = [each for each in kind.layouts if each.network == network]
    given = None if layout.calibration else faces
    card = compared(name, network, tmp_path, WRAPPED[wrapping], given)
    assert (card.name, card.kind, card.crop) == (name, kind.judges, kind.crop)
    assert card.training.licence == kind.licence
    assert kind.source in card.training.recipe
    digest = hashlib.sha256((tmp_path / "published.pth").read_bytes()).hexdigest()
    assert card.training.notes == f"imported from published.pth, sha256 {digest}"
    if given is None:
        assert card.calibration == layout.calibration
    else:
        assert_percentiles(tmp_path / "model.onnx", faces)
    assert [path.name for path in sorted(tmp_path.glob("*.onnx"))] == ["model.onnx"]


def assert_percentiles(model, faces):
    scorer = Scorer(model, input="aligned")
    assert scorer.model.card.calibration.population == "59 crops in the folder sixty"
    found = [each for path in sorted(faces.iterdir()) for each in scorer.assess(path)]
    scores = [each.score for each in found if each.score is not None]
    assert len(scores) == 59
    assert np.median(scores) == pytest.approx(50, abs=1.5)
    assert (min(scores) < 3, max(scores) > 97) == (True, True)


def test_a_full_iresnet_100_is_imported(tmp_path):
    card = compared("difiqa-r", "difiqa-r", tmp_path, WRAPPED["plain"], count=2)
    assert card.name == "difiqa-r"


def test_too_few_faces_are_refused(tmp_path, small, faces):
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(faces.iterdir())[:3]:
        (few / path.name).write_bytes(path.read_bytes())
    path = published(tmp_path, "cr-fiqa-50")
    with pytest.raises(ModelError, match="Expected 50 or more crops with a face in .*few, got 2"):
        import_model("cr-fiqa-s", path, tmp_path / "m.onnx", faces=few)
    assert not list(tmp_path.glob("*.onnx"))


def published(folder, network, size=112):
    path = folder / f"{network}.pth"
    torch.save(random_weights(network, size), path)
    return path


def test_a_kind_without_a_scale_needs_faces(tmp_path, small):
    path = published(tmp_path, "cr-fiqa-50")
    with pytest.raises(OptionError, match=r"no scale of its own.*--calibrate FOLDER"):
        import_model("cr-fiqa-s", path, tmp_path / "m.onnx")
    with pytest.raises(OptionError, match=r"a folder of crops.*none at .*nowhere"):
        import_model("cr-fiqa-s", path, tmp_path / "m.onnx", faces=tmp_path / "nowhere")
    assert not list(tmp_path.glob("*.onnx"))


def test_commercial_use_is_refused_where_the_licence_does(tmp_path):
    nothing = tmp_path / "nothing.pt"
    for name, kind in KINDS.items():
        error = ModelError if kind.commercial else OptionError
        with pytest.raises(error) as caught:
            import_model(name, nothing, tmp_path / "m.onnx", commercial_only=True)
        assert (kind.licence in str(caught.value)) == (not kind.commercial)
        assert ("magface, sdd-fiqa" in str(caught.value)) == (not kind.commercial)


class Reached(Exception):
    """Raised in the place of the export."""


def test_another_version_than_the_published_one_is_refused(tmp_path, monkeypatch):
    def reached(*_, **__):
        raise Reached

    monkeypatch.setattr(imports, "_exported", reached)
    path, out = tmp_path / "w.pth", tmp_path / "m.onnx"
    path.write_bytes(b"weights")
    digest, kind = hashlib.sha256(b"weights").hexdigest(), find("ediffiqa-t")
    monkeypatch.setitem(KINDS, kind.name, dataclasses.replace(kind, sha256="0" * 64))
    with pytest.raises(ModelError, match=f"with sha256 {'0' * 64}, got .* {digest}.*--any-version"):
        import_model("ediffiqa-t", path, out)
    with pytest.raises(Reached):
        import_model("ediffiqa-t", path, out, any_version=True)
    monkeypatch.setitem(KINDS, kind.name, dataclasses.replace(kind, sha256=digest))
    with pytest.raises(Reached):
        import_model("ediffiqa-t", path, out)


def test_the_command_imports(console, tmp_path, faces):
    path, out = published(tmp_path, "ediffiqa-mobile"), tmp_path / "deep" / "m.onnx"
    command = ("models", "import", "ediffiqa-t", path, "--out", out)
    done = console(*command, "--calibrate", faces)
    assert done.code == 0
    assert done.out.startswith(f"ediffiqa-t-1: {out} (6.")
    card = models.open(out).card
    assert card.calibration.population == "59 crops in the folder sixty"
    assert str(tmp_path).encode() not in out.read_bytes()
    wrong = console("models", "import", "ediffiqa-s", path, "--out", tmp_path / "x.onnx")
    assert wrong.code == 2
    assert "nearest kind is ediffiqa-t" in " ".join(wrong.err.split())
    never = console(*command, "--commercial-only")
    assert (never.code, "Kinds that do: " in " ".join(never.err.split())) == (2, True)
    unknown = console("models", "import", "serfiq", path, "--out", out)
    assert (unknown.code, "one of efficient-fiqa-s" in " ".join(unknown.err.split())) == (2, True)


def test_entries_are_put_back_after_each_test():
    assert kinds.find("efficient-fiqa-teacher").crop.size == 448
