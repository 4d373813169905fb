"""Do weights fit a published layout? Names and shapes compared, and the nearest kind named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from facegauge.errors import ModelError
from facegauge.train.checkpoints import Weights
from facegauge.train.kinds import KINDS, ImportKind, Layout
from facegauge.train.networks import NETWORKS

SHOWN = 4
"""How many names of each sort an error lists."""
_STEPS = "num_batches_tracked"
"""Batch normalisation's counter of training steps: old checkpoints lack it, nothing uses it."""

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How weights differ from a layout, in names."""

    layout: Layout
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[str, ...]
    """Names in both whose shapes differ, with the two shapes."""
    common: int

    @property
    def exact(self) -> bool:
        """Whether the weights can be loaded."""
        return not (self.missing or self.unexpected or self.shapes)

    @property
    def overlap(self) -> float:
        """Share of all names that are in both with the same shape, 0..1."""
        others = len(self.missing) + len(self.unexpected) + len(self.shapes)
        return self.common / max(1, self.common + others)


def loaded(kind: ImportKind, weights: Weights, path: Path) -> tuple[nn.Module, Layout]:
    """The kind's network with these weights, in evaluation mode, and its layout.

    Raises:
        ModelError: the weights are not those of the kind; the message says what differs and what
            kind is nearest. ``path`` is for the message.
    """
    fit = closest(kind, weights)
    if not fit.exact:
        raise ModelError(_misfit(kind, fit, weights, path))
    with torch.device("meta"):  # no memory and no time for weights that are replaced
        network = NETWORKS[fit.layout.network]()
    network.load_state_dict(_complete(network, _needed(kind, weights)), assign=True)
    return network.eval().requires_grad_(False), fit.layout


def closest(kind: ImportKind, weights: Weights) -> Fit:
    """The layout of a kind that fits best."""
    needed = _needed(kind, weights)
    shapes = {name: tuple(tensor.shape) for name, tensor in needed.items() if _counts(name)}
    return max((_fit(layout, shapes) for layout in kind.layouts), key=lambda fit: fit.overlap)


def shapes_of(network: str) -> Shapes:
    """Names and shapes of all weights of a network, in their published order."""
    with torch.device("meta"):
        made = NETWORKS[network]()
    return {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}


def nearest(weights: Weights) -> tuple[ImportKind, Fit]:
    """The kind whose names and shapes overlap most with these."""
    fits = [(kind, closest(kind, weights)) for kind in KINDS.values()]
    return max(fits, key=lambda pair: pair[1].overlap)


def _counts(name: str) -> bool:
    return not name.endswith(_STEPS)


def _needed(kind: ImportKind, weights: Weights) -> Weights:
    """The weights without those that only training needs."""
    return {name: one for name, one in weights.items() if not name.startswith(kind.ignored)}


def _fit(layout: Layout, found: Shapes) -> Fit:
    wanted = {name: shape for name, shape in shapes_of(layout.network).items() if _counts(name)}
    both = [name for name in wanted if name in found]
    other = [name for name in both if wanted[name] != found[name]]
    return Fit(
        layout=layout,
        missing=tuple(name for name in wanted if name not in found),
        unexpected=tuple(name for name in found if name not in wanted),
        shapes=tuple(f"{n} {_sides(found[n])} instead of {_sides(wanted[n])}" for n in other),
        common=len(both) - len(other),
    )


def _complete(network: nn.Module, weights: Weights) -> Weights:
    """The weights as float32, with a counter of steps where an old file has none."""
    steps = torch.zeros((), dtype=torch.int64)
    names = network.state_dict()
    return {
        name: _single(weights[name]) if _counts(name) else weights.get(name, steps)
        for name in names
    }


def _single(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _misfit(kind: ImportKind, fit: Fit, weights: Weights, path: Path) -> str:
    parts: Mapping[str, tuple[str, ...]] = {
        "missing": fit.missing,
        "unexpected": fit.unexpected,
        "of another shape": fit.shapes,
    }
    told = "; ".join(f"{len(names)} {word}{_some(names)}" for word, names in parts.items())
    advice = _advice(kind, weights)
    return f"Expected the weights of {kind.name} in {path}, got others: {told}. {advice}"


def _advice(kind: ImportKind, weights: Weights) -> str:
    near, fit = nearest(weights)
    if not fit.common:
        return "No kind has names like these; see: facegauge models kinds."
    share = f"{near.name} ({fit.common} of {fit.common + len(fit.missing) + len(fit.shapes)} fit)"
    if near.name == kind.name:
        return f"The nearest kind is {share} itself: the file is of another version, or incomplete."
    return f"The nearest kind is {share}; try that, or see: facegauge models kinds."


def _some(names: tuple[str, ...]) -> str:
    """The first few names, in brackets."""
    if not names:
        return ""
    more = ", ..." if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"


def _sides(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
