"""What every technique is: constants, what it takes from one picture, and labels made of that.

A technique looks at each picture once (``measure``) and makes labels of all that it has seen
(``labels``). The first half is what costs, is kept in a journal and can be resumed; the second is
arithmetic. What is measured of a picture depends on the picture, its name and the seed alone.
"""

from __future__ import annotations

import dataclasses
import math
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.models import Model
from facegauge.pictures import LeftOut
from facegauge.values import Pixels

Rows = npt.NDArray[np.float32]
"""What was measured of N pictures, float32 N×K; a row with nan is a picture without an answer."""

Values = npt.NDArray[np.float64]

ZEROS = "the recogniser answers with zeros"
"""Why a picture whose embedding has no length has no label."""

Chosen = TypeVar("Chosen")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What a technique has measured of N pictures: their names in tables, and float32 N×K.

    Raises:
        InputError: names and values that do not belong together.
    """

    paths: tuple[str, ...]
    values: Rows

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.paths):
            raise InputError(
                f"Expected a row for each of {len(self.paths)} pictures, got {self.values.shape}."
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labels:
    """A finite label (float64) for each of N pictures, and the pictures that have none."""

    paths: tuple[str, ...]
    values: Values
    left_out: tuple[LeftOut, ...]

    @classmethod
    def of(
        cls, paths: Sequence[str], values: Values, reasons: Mapping[int, str] | None = None
    ) -> Labels:
        """Labels N; nan is no label, for the reason given by its place or else ``ZEROS``."""
        known, told = np.isfinite(values), reasons or {}
        missing = np.flatnonzero(~known).tolist()
        return cls(
            paths=tuple(path for path, here in zip(paths, known, strict=True) if here),
            values=values[known],
            left_out=tuple(LeftOut(path=paths[at], reason=told.get(at, ZEROS)) for at in missing),
        )


class Technique(Protocol):
    """A source of labels. ``needs_people``: whether ``labels`` compares pictures of people."""

    @property
    def name(self) -> str:
        """As on the command line."""

    @property
    def needs_people(self) -> bool:
        """Whether identities are needed."""

    @property
    def seed(self) -> int:
        """Seed of everything drawn at random; told even where nothing is."""

    @property
    def constants(self) -> Any:
        """A frozen dataclass: the numbers that its definition leaves open."""

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Look at N crops, uint8 RGB N×S×S×3, of pictures of these names: float32 N×K."""

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """Make labels of what was measured; ``identities`` by path, empty where not needed."""


def embedded(recogniser: Model, crops: Pixels) -> Rows:
    """Unit-length embeddings and their former lengths, N×(D+1); nan for an answer of zeros."""
    answer = recogniser.embed(crops)
    rows = np.column_stack([answer.embedding, answer.norm]).astype(np.float32)
    rows[~answer.embedding.any(axis=1)] = np.nan
    return rows


def width_of(recogniser: Model) -> int:
    """Numbers in an embedding, D, which the recogniser is asked for."""
    size = recogniser.card.crop.size
    blank = np.zeros((1, size, size, 3), dtype=np.uint8)
    return int(recogniser.embed(blank).embedding.shape[1])


def source_of_chance(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one picture: they depend on the seed and its name, not on its place."""
    return np.random.default_rng((seed, zlib.crc32(os.fsencode(name))))


def changed(constants: Chosen, settings: Iterable[str]) -> Chosen:
    """Constants with ``key=value`` changes.

    Raises:
        OptionError: an unknown constant, or a value of the wrong kind.
    """
    return dataclasses.replace(  # type: ignore[type-var]
        constants, **dict(_change(constants, each) for each in settings)
    )


def require(condition: bool, expected: str, constants: object) -> None:
    """Refuse constants that make no sense.

    Raises:
        OptionError: the condition does not hold.
    """
    if not condition:
        raise OptionError(f"Expected {expected}, got {constants}. Correct --set.")


def _change(constants: object, setting: str) -> tuple[str, int | float | tuple[str, ...]]:
    key, mark, text = setting.partition("=")
    known = {each.name: getattr(constants, each.name) for each in dataclasses.fields(constants)}  # type: ignore[arg-type]
    if not mark or key not in known:
        names = ", ".join(known) or "none, this technique has no constants"
        raise OptionError(
            f"Expected key=value with a known constant, got {setting!r}. Constants: {names}."
        )
    if isinstance(known[key], tuple):
        return key, tuple(part for part in text.split(",") if part)
    kind = type(known[key])
    try:
        value: int | float = kind(text)
    except ValueError as error:
        raise OptionError(
            f"{key} needs a number such as {known[key]}, got {text!r}. Correct --set."
        ) from error
    if not math.isfinite(value):
        raise OptionError(f"{key} needs a finite number, got {text}. Correct --set.")
    return key, value
