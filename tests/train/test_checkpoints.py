"""Foreign checkpoints: what is read, and what is refused."""

import argparse
import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from facegauge.errors import ModelError
from facegauge.train.checkpoints import read_checkpoint

WEIGHTS = {"conv1.weight": torch.arange(6.0).view(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


class Runs:
    """A pickle that runs a program when it is opened."""

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)

    def __init__(self, path):
        self.path = path


def prefixed(prefix):
    return {prefix + name: tensor for name, tensor in WEIGHTS.items()}


def saved(folder, content, **how):
    path = folder / "checkpoint.pt"
    torch.save(content, path, **how)
    return path


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        WEIGHTS,
        prefixed("module."),
        {**prefixed("module."), "n_averaged": torch.tensor(5)},
        prefixed("_orig_mod.module."),
        {"epoch": 3, "state_dict": WEIGHTS, "optimizer": {"state": {0: {"x": torch.ones(2)}}}},
        {"model_state_dict": prefixed("module."), "best_score": np.float64(0.9)},
        {"best": np.float32(0.5), "epoch": np.int64(3), "model": {"state_dict": WEIGHTS}},
        {"net": WEIGHTS, "acc": 99.5},
        {"state_dict_backbone": WEIGHTS, "state_dict_softmax_fc": {"a.b": torch.ones(1)}},
    ],
)
def test_weights_are_found_in_every_wrapping(tmp_path, content, zipped):
    path = saved(tmp_path, content, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path)
    assert list(found) == list(WEIGHTS)
    for name, tensor in WEIGHTS.items():
        torch.testing.assert_close(found[name], tensor)


def test_parallel_parts_are_taken_out_in_the_middle_of_names(tmp_path):
    path = saved(tmp_path, {"state_dict": {"features.module.conv1.weight": torch.ones(1)}})
    assert list(read_checkpoint(path)) == ["features.conv1.weight"]


def test_safetensors_are_read(tmp_path):
    save_file(prefixed("module."), tmp_path / "a.safetensors")
    assert set(read_checkpoint(tmp_path / "a.safetensors")) == set(WEIGHTS)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("wrap", [lambda evil: evil, lambda evil: {"net": WEIGHTS, "e": evil}])
def test_no_code_of_a_file_is_run(tmp_path, wrap, zipped):
    trap = tmp_path / "trap"
    path = saved(tmp_path, wrap(Runs(trap)), _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match=r"run code .*\(\w+\.system\), which facegauge never does"):
        read_checkpoint(path)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (torch.nn.Linear(2, 1), "torch.nn.modules.linear.Linear"),
        ({"state_dict": WEIGHTS, "args": argparse.Namespace(a=1)}, "argparse.Namespace"),
    ],
)
def test_whole_modules_and_options_are_refused(tmp_path, content, named):
    with pytest.raises(ModelError, match="save the network's state_dict") as caught:
        read_checkpoint(saved(tmp_path, content))
    assert named in str(caught.value)
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [([1, 2], "got a list"), ({}, "with nothing"), ({"a": 1, "b": "x"}, "dictionary with a, b")],
)
def test_what_holds_no_weights_is_refused(tmp_path, content, told):
    with pytest.raises(ModelError, match=told):
        read_checkpoint(saved(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is damaged"),
        (b"<html>not found</html>", "it is damaged"),
        (b"\x89HDF\r\n\x1a\n and so on", "HDF5 file as Keras writes them"),
        (b"\x10\0\0\0\0\0\0\0{broken", "broken safetensors"),
    ],
)
def test_other_files_are_refused(tmp_path, content, told):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(ModelError, match=told):
        read_checkpoint(tmp_path / "a.pt")


def test_a_file_cut_short_is_refused(tmp_path):
    path = saved(tmp_path, WEIGHTS)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="it is damaged"):
        read_checkpoint(path)


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"found nothing at .*none\.pt"):
        read_checkpoint(tmp_path / "none.pt")
