"""The weights that a network begins with: those of a run, or a published checkpoint.

Foreign files are read without running code (see ``checkpoints``). The network is looked for inside
of the file under any prefix, so the weights of a run (``embedder.``), of a recogniser alone and of
a quality model around one (``base_model.``, ``feature_extractor.``) all serve.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from facegauge.errors import ModelError, TrainingError
from facegauge.train.checkpoints import Weights, read_checkpoint

_STEPS = "num_batches_tracked"
"""Batch normalisation's counter of training steps: old checkpoints lack it."""


def read_start(path: Path, field: str = "start") -> Weights:
    """The weights in the file that a field of a recipe names.

    Raises:
        TrainingError: no such file, or none with weights alone.
    """
    try:
        return read_checkpoint(path)
    except ModelError as error:
        raise TrainingError(f"{error} Correct {field}.") from error


def begin_with(network: nn.Module, path: Path, described: str) -> None:
    """Take all weights of a network over from a file.

    Args:
        network: what is filled.
        path: model.safetensors of a run, or a published checkpoint, that holds the same network.
        described: the network in words, for the message.

    Raises:
        TrainingError: no such file, or weights of another network.
    """
    stored, own = read_start(path), network.state_dict()
    needed = [name for name in own if not name.endswith(_STEPS)]
    for prefix in _prefixes(needed[0], stored):
        if not _lacking(needed, own, stored, prefix):
            found = {name: stored.get(prefix + name, old) for name, old in own.items()}
            network.load_state_dict(found)
            return
    nearest = min(_prefixes(needed[0], stored), key=lambda p: len(_lacking(needed, own, stored, p)))
    lacking = _lacking(needed, own, stored, nearest)
    raise TrainingError(
        f"Expected the weights of {described} in {path}, got none or another shape for "
        f"{len(lacking)} of {len(needed)}, such as {lacking[0]}. Correct start, network or width."
    )


def _prefixes(name: str, stored: Weights) -> list[str]:
    """What stands before a name in the file, wherever it ends a stored one."""
    found = [key.removesuffix(name) for key in stored if key.endswith(name)]
    return [each for each in found if each == "" or each.endswith(".")] or [""]


def _lacking(needed: list[str], own: Weights, stored: Weights, prefix: str) -> list[str]:
    """Names that the file lacks below a prefix, or has in another shape."""
    shapes = {name: stored[prefix + name].shape for name in needed if prefix + name in stored}
    return [name for name in needed if shapes.get(name) != own[name].shape]
