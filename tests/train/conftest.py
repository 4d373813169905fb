"""Fixtures of the training tests; without the extra ``train`` none of them is collected."""

import importlib.util
import shutil
from pathlib import Path

import pytest

_NEEDED = ("torch", "timm", "lightning", "onnx")
_ABSENT = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
collect_ignore_glob = ["test_*.py"] if _ABSENT else []


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """The networks are so small that more threads only wait for one another."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder of drawn faces, shared: tests do not write into it."""
    from toy_faces import make_data

    return make_data(tmp_path_factory.mktemp("toy") / "data")


@pytest.fixture
def own(data, tmp_path):
    """A copy of the drawn faces that a test may change."""
    return Path(shutil.copytree(data, tmp_path / "data"))


@pytest.fixture(scope="session")
def finished(data, tmp_path_factory):
    """A run that nothing interrupted, shared: tests do not write into it."""
    from facegauge.train import first
    from toy_faces import toy_recipe

    return first.train(toy_recipe(), data, tmp_path_factory.mktemp("toy") / "run", workers=0)


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder of drawn photographs, shared: tests do not write into it."""
    from toy_photographs import make_photographs

    return make_photographs(tmp_path_factory.mktemp("toy") / "photos")


@pytest.fixture
def own_photos(photos, tmp_path):
    """A copy of the drawn photographs that a test may change."""
    return Path(shutil.copytree(photos, tmp_path / "photos"))


@pytest.fixture(scope="session")
def trained(photos, tmp_path_factory):
    """A run of the detector that nothing interrupted, shared: tests do not write into it."""
    from facegauge.train import detector
    from toy_photographs import toy_recipe

    return detector.train(toy_recipe(), photos, tmp_path_factory.mktemp("toy") / "run", workers=0)


@pytest.fixture(scope="session")
def judged(photos, tmp_path_factory):
    """A run of the judge that nothing interrupted, shared: tests do not write into it."""
    from facegauge.train import judge
    from toy_photographs import toy_judge

    return judge.train(toy_judge(), photos, tmp_path_factory.mktemp("toy") / "run", workers=0)


@pytest.fixture(scope="session")
def labelled(data, tmp_path_factory):
    """The folder of drawn faces with a table of labels, shared: tests do not write into it."""
    from toy_techniques import make_labelled

    return make_labelled(data, tmp_path_factory.mktemp("toy") / "labelled")


@pytest.fixture(scope="session")
def technique_runs(labelled, tmp_path_factory):
    """Runs of the published techniques by name, made when asked for; tests do not write there."""
    from functools import cache

    from facegauge.train import journeys
    from toy_techniques import toy_technique

    @cache
    def made(name):
        out = tmp_path_factory.mktemp("toy") / name
        return journeys.train(toy_technique(name), labelled, out, workers=0)

    return made
