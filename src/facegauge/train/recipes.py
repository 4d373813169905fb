"""Recipes: everything that changes the result of a training run, typed, explained and printable.

What only changes with the machine (workers, device, folders) is a flag, not a field. A recipe is
written beside every checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

from facegauge.errors import RecipeError


def _require(holds: bool, field: str, expected: str, came: Any) -> None:
    if not holds:
        raise RecipeError(f"{field} must be {expected}, got {came!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """A small utility student: labels from recognisers, embeddings distilled from them.

    The label of a picture is how confident recognisers are in it (length of the embedding) and how
    near it comes to the other pictures of its person (cosine to the centre of the others).
    """

    name: str = "utility"
    """Name of the model that the run exports to."""
    licence: str = "trained on research-use data; for research"
    """What the card of the exported model says of its licence."""
    version: str = "1"
    """Version of the model; it stands behind the name in score tables."""
    tables: tuple[str, ...] = ()
    """Landmark tables NAME.csv in the data folder; empty takes every table that has landmarks."""
    recognisers: tuple[str, ...] = ("recognisers/*.onnx",)
    """Wrapped recogniser files, relative to the data folder; stars are allowed."""
    backbone: str = "edgenext_xx_small"
    """timm's name of the network; it starts from random weights."""
    size: int = 112
    """Side of the aligned crop in pixels."""
    head_width: int = 128
    """Width of the hidden layer between the pooled features and the score."""
    views: int = 4
    """Versions of each face: the clean one, seen half the time, and views - 1 degraded ones."""
    jitter: float = 0.085
    """Landmark noise, half-width as a share of the inter-eye distance (3 px on 112)."""
    loose: float = 0.2
    """Share of visits that see the face from further off, turned and shifted: a loose crop."""
    frame: float = 0.9
    """Share of the short side that the exported model is shown of a loose crop."""
    embedding_weight: float = 1.0
    """Weight of the cosine distance to recognisers' embeddings of the clean aligned crop."""
    label_beta: float = 0.5
    """Where the smooth-L1 loss on labels (in standard deviations) turns from square to linear."""
    batch: int = 64
    """Crops a step."""
    legs: int = 36
    """Checkpoints of the run: it is divided into so many equal legs."""
    steps: int = 250
    """Optimiser steps a leg."""
    learning_rate: float = 2e-3
    """Peak rate of AdamW: linear warm-up, then cosine to zero."""
    weight_decay: float = 0.05
    """Decoupled weight decay of AdamW."""
    warmup: float = 0.05
    """Share of all steps until the peak rate is reached."""
    average: float = 0.999
    """Decay of the moving average of the weights, which is what is validated and kept."""
    clip: float = 1.0
    """Largest gradient norm."""
    precision: str = "bf16-mixed"
    """Lightning's precision: bf16-mixed or 32-true."""
    seed: int = 0
    """Seed of weights, order, jitter and degradations."""

    def __post_init__(self) -> None:
        for field in ("name", "version", "backbone", "recognisers"):
            _require(bool(getattr(self, field)), field, "given", getattr(self, field))
        for field in ("size", "views", "batch", "legs", "steps", "head_width"):
            _require(getattr(self, field) >= 1, field, "1 or more", getattr(self, field))
        for field in ("jitter", "embedding_weight", "weight_decay", "seed"):
            value = getattr(self, field)
            _require(0 <= value < math.inf, field, "0 or more and finite", value)
        for field in ("label_beta", "clip", "frame", "learning_rate"):
            value = getattr(self, field)
            _require(0 < value < math.inf, field, "above 0 and finite", value)
        for field in ("loose", "warmup", "average", "frame"):
            _require(0 <= getattr(self, field) <= 1, field, "in 0..1", getattr(self, field))
        known = ("bf16-mixed", "32-true")
        _require(self.precision in known, "precision", " or ".join(known), self.precision)


RECIPES: dict[str, First] = {"first": First()}


def recipe(name: str, changes: tuple[str, ...] = ()) -> First:
    """A recipe by name, with ``key=value`` changes.

    Example:
        >>> recipe("first", ("batch=8", "tables=a,b")).tables
        ('a', 'b')

    Raises:
        RecipeError: an unknown name or field, or a value of the wrong kind.
    """
    if name not in RECIPES:
        raise RecipeError(f"No recipe {name!r}; one of: {', '.join(RECIPES)}.")
    return changed(RECIPES[name], changes)


def changed(base: First, changes: tuple[str, ...]) -> First:
    """A recipe with ``key=value`` changes.

    Raises:
        RecipeError: an unknown field, or a value of the wrong kind.
    """
    return dataclasses.replace(base, **dict(_change(base, change) for change in changes))


def describe(chosen: First) -> dict[str, Any]:
    """A recipe as plain values, for printing and for the file beside a checkpoint."""
    return dataclasses.asdict(chosen)


def from_json(text: str) -> First:
    """The recipe that was written beside a checkpoint."""
    try:
        values = json.loads(text)
        unknown = set(values) - {field.name for field in dataclasses.fields(First)}
        if unknown:
            raise RecipeError(
                f"The stored recipe has unknown fields: {', '.join(sorted(unknown))}."
            )
        lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
        return First(**{**values, **lists})
    except (ValueError, TypeError, AttributeError) as error:
        raise RecipeError(f"The stored recipe is broken or of another version: {error}.") from error


def _change(base: First, change: str) -> tuple[str, Any]:
    key, mark, text = change.partition("=")
    fields = [field.name for field in dataclasses.fields(base)]
    if not mark or key not in fields:
        raise RecipeError(
            f"Expected key=value with a known field, got {change!r}. Fields: {', '.join(fields)}."
        )
    return key, _parsed(key, text, getattr(base, key))


def _parsed(key: str, text: str, present: Any) -> Any:
    if isinstance(present, tuple):
        return tuple(part for part in text.split(",") if part)
    try:
        return type(present)(text)
    except ValueError as error:
        raise RecipeError(
            f"{key} needs a {type(present).__name__} such as {present}, got {text!r}."
        ) from error
