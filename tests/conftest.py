"""What several test files share: the command line in this process, and one tiny model."""

import pytest

from console import Console
from tiny_models import quality_file


@pytest.fixture
def console(monkeypatch, capsys):
    return Console(monkeypatch, capsys)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return quality_file(tmp_path_factory.mktemp("models") / "tiny.onnx")
