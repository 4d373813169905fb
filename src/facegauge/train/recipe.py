"""What every training recipe has: a typed, explained, printable set of values.

What only changes with the machine (workers, device, folders) is a flag, not a field. A recipe is
written beside every checkpoint.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from facegauge.errors import RecipeError


def require(holds: bool, field: str, expected: str, came: Any) -> None:
    """Refuse a field's value.

    Raises:
        RecipeError: ``holds`` is false.
    """
    if not holds:
        raise RecipeError(f"{field} must be {expected}, got {came!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The schedule of a run and the name of the model it exports to."""

    OPTIMISERS = ("adamw", "muon")  # no field: what a kind of recipe can be trained with

    name: str = "model"
    """Name of the model that the run exports to."""
    licence: str = "trained on research-use data; for research"
    """What the card of the exported model says of its licence."""
    version: str = "1"
    """Version of the model; it stands behind the name in score tables."""
    tables: tuple[str, ...] = ()
    """Tables NAME.csv in the data folder; empty takes every table that fits."""
    batch: int = 64
    """Pictures a step."""
    legs: int = 36
    """Checkpoints of the run: it is divided into so many equal legs."""
    steps: int = 250
    """Optimiser steps a leg."""
    learning_rate: float = 2e-3
    """Peak rate: linear warm-up, then cosine to zero."""
    optimiser: str = "adamw"
    """adamw, or muon: orthogonal steps for matrices, AdamW for the rest."""
    weight_decay: float = 0.05
    """Decoupled weight decay."""
    warmup: float = 0.05
    """Share of all steps until the peak rate is reached."""
    average: float = 0.999
    """Decay of the moving average of the weights, which is what is validated and kept."""
    clip: float = 1.0
    """Largest gradient norm."""
    precision: str = "bf16-mixed"
    """Lightning's precision: bf16-mixed or 32-true."""
    seed: int = 0
    """Seed of weights, order and everything else that is drawn."""

    def __post_init__(self) -> None:
        for field in ("name", "version"):
            require(bool(getattr(self, field)), field, "given", getattr(self, field))
        self._require_counts("batch", "legs", "steps")
        for field in ("weight_decay", "seed"):
            self._require_amount(field)
        for field in ("clip", "learning_rate"):
            self._require_positive(field)
        self._require_shares("warmup", "average")
        known = self.OPTIMISERS
        require(self.optimiser in known, "optimiser", " or ".join(known), self.optimiser)
        known = ("bf16-mixed", "32-true")
        require(self.precision in known, "precision", " or ".join(known), self.precision)

    def _require_counts(self, *fields: str) -> None:
        for field in fields:
            require(getattr(self, field) >= 1, field, "1 or more", getattr(self, field))

    def _require_amount(self, field: str) -> None:
        value = getattr(self, field)
        require(0 <= value < math.inf, field, "0 or more and finite", value)

    def _require_positive(self, field: str) -> None:
        value = getattr(self, field)
        require(0 < value < math.inf, field, "above 0 and finite", value)

    def _require_shares(self, *fields: str) -> None:
        for field in fields:
            require(0 <= getattr(self, field) <= 1, field, "in 0..1", getattr(self, field))
