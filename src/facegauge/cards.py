"""The card inside a model file: what it is, how to feed it, what its score means.

A card is JSON in the ONNX metadata property ``facegauge.card``. Values here are frozen and
validated, so that a file with a wrong card is refused when it is opened, not when a score is used.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, ModelError
from facegauge.operating import OperatingTable
from facegauge.values import Pixels

METADATA_KEY = "facegauge.card"
FORMAT = 1
GOLDEN_COUNT = 3
GOLDEN_TOLERANCE = 1e-3
"""Largest difference of a golden score, in score points."""


class Kind(StrEnum):
    """What a model's number means."""

    UTILITY = "utility"
    PERCEPTUAL = "perceptual"
    RECOGNISER = "recogniser"
    DETECTOR = "detector"


class View(StrEnum):
    """What part of a picture a model wants to see."""

    ALIGNED = "aligned"
    WHOLE = "whole"
    PHOTO = "photo"


RESAMPLING = {
    View.ALIGNED: ("smooth", "reference"),
    View.WHOLE: ("area", "pillow-bilinear"),
    View.PHOTO: ("area",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """How a picture becomes the model's input.

    ``aligned``: five landmarks are moved onto the 112-pixel ArcFace template scaled to ``size``;
    resampling is ``smooth`` or ``reference`` (see alignment). ``whole``: the short side is resized
    to ``short_side`` and the centre size×size is taken; resampling is ``area`` or
    ``pillow-bilinear`` (what torchvision does to PIL pictures). ``photo``: the whole photograph at
    any size; ``size`` is the long side it is best at. ``frame`` is the share of the short side that
    an aligned model is shown when a loosely cropped face comes without landmarks.
    """

    view: View
    size: int
    resampling: str = "smooth"
    short_side: int = 0
    frame: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "view", View(self.view))
        known = RESAMPLING[self.view]
        if not all(isinstance(value, int) for value in (self.size, self.short_side)):
            raise ModelError(f"A crop's size and short_side are whole pixels, got {self}.")
        if self.size < 1 or self.resampling not in known:
            raise ModelError(f"A crop needs size >= 1 and resampling in {known}, got {self}.")
        if not 0.0 < self.frame <= 1.0:
            raise ModelError(f"A crop's frame lies in (0, 1], got {self.frame}.")
        if self.view is View.WHOLE and self.short_side < self.size:
            raise ModelError(f"A whole view needs short_side >= size, got {self}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A monotone table from raw to score (0..100), linear in between, constant outside.

    ``population`` says in words whose percentiles these are; ``date`` is when they were taken.
    """

    population: str
    date: str
    raw: tuple[float, ...]
    score: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "raw", tuple(float(value) for value in self.raw))
        object.__setattr__(self, "score", tuple(float(value) for value in self.score))
        if len(self.raw) < 2 or len(self.raw) != len(self.score):
            raise ModelError(
                f"A calibration needs two or more raw values and as many scores, got "
                f"{len(self.raw)} and {len(self.score)}."
            )
        if not np.isfinite(self.raw + self.score).all() or (np.diff(self.raw) <= 0).any():
            raise ModelError("A calibration's raw values must be finite and strictly increasing.")
        if (np.diff(self.score) <= 0).any() or self.score[0] < 0 or self.score[-1] > 100:
            raise ModelError("A calibration's scores must increase strictly within 0..100.")

    def apply(self, raw: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Scores 0..100 of raw values, any shape: what the graph inside the file computes."""
        return np.interp(np.asarray(raw, dtype=np.float64), self.raw, self.score)


def today() -> str:
    """The date of a calibration that is made now, UTC, as in 2026-11-21."""
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()


def calibrate(raw: npt.ArrayLike, *, population: str, date: str, knots: int = 41) -> Calibration:
    """The calibration that maps a reference population's percentiles to scores.

    Score s means: better than about s % of the population. The table runs from 0.5 to 99.5; one
    more knot on either side, as far out as the population is wide, leaves room to rank what is
    better or worse than all of it, so that nothing in reach is tied at 0 or 100.

    Raises:
        ModelError: fewer than 50 values, or values that hardly differ.
    """
    values = np.asarray(raw, dtype=np.float64).ravel()
    if values.size < 50 or not np.isfinite(values).all():
        raise ModelError(f"A calibration needs 50 or more finite raw values, got {values.size}.")
    scores = np.linspace(0.5, 99.5, knots)
    table = np.quantile(values, scores / 100.0)
    width = table[-1] - table[0]
    distinct = np.concatenate([[True], np.diff(table) > 1e-6 * width]) if width > 0 else None
    if distinct is None or distinct.sum() < 2:
        raise ModelError("A calibration needs raw values that differ; these hardly do.")
    table, scores = table[distinct], scores[distinct]
    return Calibration(
        population=population,
        date=date,
        raw=(table[0] - width, *table, table[-1] + width),
        score=(0.0, *scores, 100.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Where a model comes from: data, licence, recipe and git revision, in words."""

    data: str = ""
    licence: str = ""
    recipe: str = ""
    revision: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """Three inputs made from a seed, and what the model answered when it was written.

    ``outputs`` holds, for each input, the score, the first eight numbers of the embedding, or eight
    numbers on a detector's candidates.
    """

    seed: int
    outputs: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        rows = tuple(tuple(float(value) for value in row) for row in self.outputs)
        object.__setattr__(self, "outputs", rows)
        if len(rows) != GOLDEN_COUNT or len({len(row) for row in rows}) != 1 or not rows[0]:
            raise ModelError(
                f"A card needs {GOLDEN_COUNT} golden vectors of equal length, got {rows}."
            )
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**64:
            raise ModelError(f"A golden seed is a whole number in 0..2^64-1, got {self.seed!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Everything a program must know to use a model, and a person to judge it."""

    name: str
    version: str
    kind: Kind
    crop: Crop
    golden: Golden
    calibration: Calibration | None = None
    training: Training = field(default_factory=Training)
    operating: tuple[OperatingTable, ...] = ()
    """What thresholds on the score cost, on data that the model was not trained on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        object.__setattr__(self, "operating", tuple(self.operating))
        if self.operating and self.calibration is None:
            raise ModelError(
                f"Operating tables belong to quality models, got {len(self.operating)} for a "
                f"{self.kind}."
            )
        if not self.name or not self.version:
            raise ModelError("A card needs a name and a version.")
        if (self.kind in (Kind.RECOGNISER, Kind.DETECTOR)) != (self.calibration is None):
            raise ModelError(
                f"A quality model needs a calibration; a recogniser or detector has none. This "
                f"{self.kind} has {'none' if self.calibration is None else 'one'}."
            )
        if (self.kind is Kind.DETECTOR) != (self.crop.view is View.PHOTO):
            raise ModelError(
                f"A detector sees a {View.PHOTO}, other models a crop; this {self.kind} has the "
                f"view {self.crop.view}."
            )

    @property
    def identifier(self) -> str:
        """Name and version in one word, as it stands in score tables: ``utility-1``."""
        return f"{self.name}-{self.version}"

    def to_json(self) -> str:
        """The card as it is stored in the file."""
        tables = [each.to_dict() for each in self.operating]
        content = {"format": FORMAT, **asdict(self), "operating": tables}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a stored card.

        Raises:
            ModelError: not JSON, an unknown format, or missing or wrong fields.
        """
        try:
            data: dict[str, Any] = json.loads(text)
            stored = data.pop("format")
            if stored != FORMAT:
                raise ModelError(
                    f"This facegauge reads card format {FORMAT}, the file has {stored}. "
                    "Update facegauge, or export the model again."
                )
            return cls(**_nested(data))
        except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
            raise ModelError(f"The card inside the model file is broken: {error!r}.") from error


def _nested(data: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {"crop": Crop, "golden": Golden, "training": Training}
    made = {key: make(**data[key]) for key, make in parts.items()}
    table = data.get("calibration")
    calibration = None if table is None else Calibration(**table)
    tables = tuple(OperatingTable(**each) for each in data.get("operating", ()))
    return {**data, **made, "calibration": calibration, "operating": tables}


def golden_inputs(seed: int, size: int) -> Pixels:
    """Three small uint8 RGB pictures, 3×size×size×3, from integer arithmetic alone.

    A ramp, noise and noise on a ramp. No random library is involved, so the same seed gives the
    same pixels on every platform and with every version of numpy.

    Example:
        >>> golden_inputs(7, 2)[1].ravel().tolist()
        [99, 238, 85, 189, 247, 207, 209, 133, 36, 181, 204, 81]
    """
    index = np.arange(size * size * 3, dtype=np.uint64).reshape(size, size, 3)
    mixed = (index + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    noise = (mixed >> np.uint64(56)).astype(np.uint16)
    rows, columns, channels = np.indices((size, size, 3))
    ramp = ((rows + columns + 40 * channels) * 255 // (2 * size + 80)).astype(np.uint16)
    return np.stack([ramp, noise, (noise + ramp) // 2]).astype(np.uint8)
