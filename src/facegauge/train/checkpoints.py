"""Foreign checkpoints, read without running anything in them.

A file of torch is opened with ``weights_only`` alone: tensors, numbers and texts come out, and a
file that holds anything else is refused. safetensors files hold nothing but tensors.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

from facegauge.errors import ModelError

Weights = dict[str, Tensor]

WRAPPERS = (
    *("state_dict", "model_state_dict", "model", "net", "network", "state_dict_backbone"),
    *("backbone", "weights", "params", "module"),
)
"""Keys under which trainers keep the weights, in the order in which they are tried."""
WRAPPING_PARTS = ("module", "_orig_mod")
"""Parts of names that DataParallel, DistributedDataParallel and torch.compile put in."""
_COUNTERS = ("n_averaged",)
"""What averaging adds beside the weights."""
_HDF5 = b"\x89HDF\r\n\x1a\n"
_CODE = re.compile(r"(?:GLOBAL|class|function) `?([\w.]*\w)")
"""Where torch's refusal names what it would have had to run."""


def read_checkpoint(path: Path) -> Weights:
    """The weights in a file, by their published names, on the CPU.

    Trainers' dictionaries are opened at any depth, and the parts of names that parallel training
    puts in are taken out. Numbers of numpy are allowed: trainers keep their best metric beside the
    weights.

    Raises:
        ModelError: no such file, no checkpoint, one without weights, or one that holds more than
            weights and would have to run code to be read.
    """
    require_file(path)
    loaded = _load(path)
    found = _weights(loaded)
    if found is None:
        raise ModelError(
            f"Expected weights (names and tensors) in {path}, got {_described(loaded)}. Save the "
            "network's state_dict() alone."
        )
    return {_plain(name): tensor for name, tensor in found.items() if name not in _COUNTERS}


def require_file(path: Path) -> None:
    """Refuse what is not there.

    Raises:
        ModelError: no such file.
    """
    if not path.is_file():
        raise ModelError(f"Expected a checkpoint, found nothing at {path}. Check the path.")


def _load(path: Path) -> Any:
    with path.open("rb") as stream:
        head = stream.read(9)
    if head.startswith(_HDF5):
        raise ModelError(
            f"Expected a checkpoint of torch or a safetensors file, got {path}, an HDF5 file as "
            "Keras writes them. Convert it to torch first (see docs/learn/models.md)."
        )
    if head[8:] == b"{":
        return _load_safetensors(path)
    return _load_torch(path)


def _load_safetensors(path: Path) -> Weights:
    try:
        return load_file(path)
    except (safetensors.SafetensorError, ValueError, OSError) as error:
        raise ModelError(f"{path} is a broken safetensors file: {error}") from error


def _load_torch(path: Path) -> Any:
    """What a file of torch holds; torch's own messages, which advise to run code, are not shown."""
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_numbers_of_numpy()):
            warnings.simplefilter("ignore")
            mapped = zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # a broken archive shows as almost any exception
        code = _CODE.search(str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if code is None:
            raise ModelError(
                f"Expected a checkpoint of torch or a safetensors file, got {path}: it is damaged, "
                "or something else, such as a TorchScript or ONNX file or a web page. Download it "
                "again, or save the network's state_dict()."
            ) from error
        raise ModelError(
            f"Expected nothing but weights in {path}, but to read it torch would have to run code "
            f"that the file names ({code[1]}), which facegauge never does. Where you trust the "
            "file, open it with torch yourself and save the network's state_dict() alone."
        ) from error


def _numbers_of_numpy() -> list[Any]:
    """What a pickled numpy number is made of, under the names of numpy 1 and 2; no code runs."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = {type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64, np.bool_)}
    names = [f"numpy.{room}.multiarray.scalar" for room in ("core", "_core")]
    return [np.dtype, *kinds, *((scalar, name) for name in names)]


def _weights(loaded: Any) -> Mapping[str, Tensor] | None:
    """The first mapping of names to tensors, from the outside inwards."""
    if not isinstance(loaded, Mapping):
        return None
    tensors = {
        name: value
        for name, value in loaded.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if any("." in name for name in tensors):
        return tensors
    inner = (_weights(loaded[name]) for name in WRAPPERS if name in loaded)
    return next((found for found in inner if found), None)


def _plain(name: str) -> str:
    """A name without what parallel training put in, at any level."""
    return ".".join(part for part in name.split(".") if part not in WRAPPING_PARTS)


def _described(loaded: Any) -> str:
    if not isinstance(loaded, Mapping):
        return f"a {type(loaded).__name__}"
    return f"a dictionary with {', '.join(map(str, list(loaded)[:8])) or 'nothing'}"
