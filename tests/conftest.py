"""What several test files share: the command line in this process, and tiny models."""

import pytest

from console import Console
from facegauge import detection, models
from tiny_models import detector_file, quality_file


@pytest.fixture
def console(monkeypatch, capsys):
    return Console(monkeypatch, capsys)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return quality_file(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture
def cells(tmp_path, monkeypatch):
    """A detector of bright 8×8 cells in the place of the embedded one; its file."""
    folder = tmp_path / "embedded"
    folder.mkdir()
    monkeypatch.setattr(models, "_embedded_folder", lambda: folder)
    return detector_file(folder / f"{detection.DEFAULT}.onnx")
