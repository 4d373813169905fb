"""FaceQAN: how far small adversarial noise moves an embedding, and how symmetric the face is.

Babnik et al., FaceQAN, ICPR 2022: ``copies`` of the picture with uniform noise climb ``steps``
times against the recogniser; the cosines s to the embedding of the clean picture are collected
before each step; with sf the cosine of the picture to its mirror image,
Q = (((1 + mean s) / 2) · clip(1 - std s, 0, 1) · sf)^power.

Planes are RGB in 0..1 there (authors' code, LSIbabnikz/FaceQAN at 787c26a: ToTensor before, mean
and deviation inside the network), so ``epsilon`` is a quarter of a grey level of 255; and they are
clipped to ``low``..``high``, -1..1 in that code although pictures end at 0.

The noise needs gradients, hence torch: facegauge.train.faceqan_gradients has that half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from facegauge.techniques.technique import (
    Labels,
    Measured,
    Rows,
    Values,
    require,
    source_of_chance,
)
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQan:
    """k copies, l steps, epsilon (planes 0..1), power p, and the range planes are clipped to.

    Raises:
        OptionError: no copies or steps, epsilon or power that is not above 0, an empty range.
    """

    copies: int = 10
    steps: int = 5
    epsilon: float = 0.001
    power: int = 5
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        good = self.copies >= 1 and self.steps >= 1 and self.epsilon > 0 and self.power >= 1
        require(good, "copies, steps and power of 1 or more and epsilon > 0", self)
        require(self.low < self.high, "low < high", self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attacked:
    """What an attack found: cosines to the clean embedding (steps×copies), and to the mirror."""

    similarities: Values
    symmetry: float


class Attack(Protocol):
    """Attacks one crop, uint8 RGB S×S×3; all chance comes from ``rng``."""

    def __call__(self, crop: Pixels, rng: np.random.Generator) -> Attacked:
        """Climb and compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQanLabels:
    """Labels, mostly in 0..1; below 0 where a face and its mirror image point away."""

    name: ClassVar[str] = "faceqan"
    needs_people: ClassVar[bool] = False
    attack: Attack
    seed: int = 0
    constants: FaceQan = FaceQan()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Q of each picture, N×1; each is attacked alone, so batches change nothing."""
        found = [
            quality(self.attack(crop, source_of_chance(self.seed, name)), self.constants.power)
            for name, crop in zip(names, crops, strict=True)
        ]
        return np.array(found, dtype=np.float32)[:, None]

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """Q as it is."""
        return Labels.of(measured.paths, measured.values[:, 0].astype(np.float64))


def quality(attacked: Attacked, power: int) -> float:
    """Q of one picture (population deviation, as in the authors' code).

    Example:
        >>> round(quality(Attacked(similarities=np.full((5, 10), 0.8), symmetry=0.5), 5), 6)
        0.018453
    """
    s = attacked.similarities
    steady = float(np.clip(1.0 - s.std(), 0.0, 1.0))
    return float(((1.0 + s.mean()) / 2.0 * steady * attacked.symmetry) ** power)
