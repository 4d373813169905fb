"""What several test files share: the command line in this process, and tiny models."""

import pytest

from console import Console
from facegauge import detection, models
from facegauge.baking import bake_quality
from facegauge.conventions import CONVENTIONS
from tiny_models import detector_file, quality_card, quality_file, textures


@pytest.fixture
def console(monkeypatch, capsys):
    return Console(monkeypatch, capsys)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return quality_file(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """A second model, for what takes several."""
    path = tmp_path_factory.mktemp("other") / "other.onnx"
    bake_quality(textures(32, seed=6), CONVENTIONS["arcface"], quality_card(name="other"), path)
    return path


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """A detector of bright 8×8 cells in the place of the embedded one; its file."""
    folder = tmp_path / "embedded"
    folder.mkdir()
    monkeypatch.setattr(models, "_embedded_folder", lambda: folder)
    return detector_file(folder / f"{detection.DEFAULT}.onnx")
