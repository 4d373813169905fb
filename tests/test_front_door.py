"""Importing facegauge is light and does nothing."""

import json
import subprocess
import sys

import pytest

import facegauge

HEAVY = {
    *("torch", "torchvision", "timm", "lightning", "matplotlib", "fastapi", "ray"),
    *("uvicorn", "starlette", "pydantic", "prometheus_client", "python_multipart"),
    *("onnx", "scipy", "pandas", "pyarrow", "fsspec", "skimage", "safetensors"),
}

PROBE = """
import json, logging, os, sys, threading, warnings

def state():
    return {
        "filters": [str(entry) for entry in warnings.filters],
        "handlers": len(logging.getLogger().handlers),
        "level": logging.getLogger().level,
        "folder": sorted(os.listdir(".")),
        "cwd": os.getcwd(),
        "environment": sorted(os.environ.items()),
        "threads": threading.active_count(),
    }

def third_party():
    return {name.partition(".")[0] for name in sys.modules}

# what we build on may do as it likes
import numpy, onnxruntime, cv2, PIL.Image, typer, rich.console

before = state()
__import__("importlib").import_module(sys.argv[1])
after = state()
changed = [name for name in before if before[name] != after[name]]
print(json.dumps({"changed": changed, "modules": sorted(third_party())}))
"""

LIGHT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps({"modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""


def fresh(program: str, module: str, folder) -> dict:
    """What a new Python says that imports ``module`` in an empty folder."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, module],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "module",
    [
        *("facegauge", "facegauge.cli", "facegauge.scoring", "facegauge.serve.limits"),
        *("facegauge.curation.selection", "facegauge.evaluate.contrast_report"),
    ],
)
def test_importing_loads_nothing_heavy(module, tmp_path):
    loaded = set(fresh(LIGHT, module, tmp_path)["modules"])
    assert "facegauge" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["facegauge", "facegauge.cli"])
def test_importing_does_nothing(module, tmp_path):
    assert fresh(PROBE, module, tmp_path)["changed"] == []
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_a_version():
    assert [part.isdigit() for part in facegauge.__version__.split(".")] == [True] * 3
