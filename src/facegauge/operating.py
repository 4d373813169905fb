"""Operating tables: what a threshold on the score discards, and what error it leaves."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegauge.errors import InputError, TableError


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Images scored below ``score`` are discarded: the share ``discarded`` (0..1) of them.

    ``comparisons`` mated pairs remain with ``errors`` false non-matches; ``fnmr`` (0..1) is None
    where no pair remains, for then nothing is known.
    """

    score: float
    discarded: float
    comparisons: int
    errors: int

    def __post_init__(self) -> None:
        numbers = (self.score, self.discarded)
        counts = 0 <= self.errors <= self.comparisons
        if not all(map(math.isfinite, numbers)) or not 0 <= self.discarded <= 1 or not counts:
            raise InputError(
                f"An operating point needs a finite score, a share 0..1 and 0 <= errors <= "
                f"comparisons, got {self}. Make it with facegauge evaluate edc."
            )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> OperatingPoint:
        """From ``to_dict``; the FNMR follows from the counts."""
        return cls(**{key: value for key, value in record.items() if key != "fnmr"})

    @property
    def fnmr(self) -> float | None:
        """The false non-match rate that remains."""
        return self.errors / self.comparisons if self.comparisons else None

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values."""
        return {
            "score": self.score,
            "discarded": self.discarded,
            "fnmr": self.fnmr,
            "comparisons": self.comparisons,
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingTable:
    """One point per score, ascending, for one recogniser at one similarity ``threshold``.

    ``failures`` of ``samples`` images had no score; they are discarded by every score.
    """

    recogniser: str
    threshold: float
    samples: int
    failures: int
    points: tuple[OperatingPoint, ...]
    data: str = ""
    """What the images are, in words."""

    def __post_init__(self) -> None:
        points = tuple(
            each if isinstance(each, OperatingPoint) else OperatingPoint.from_dict(each)
            for each in self.points
        )
        object.__setattr__(self, "points", points)
        scores = [point.score for point in points]
        if not scores or scores != sorted(set(scores)) or not math.isfinite(self.threshold):
            raise InputError(
                f"An operating table needs a finite threshold and points at rising scores, got "
                f"{self.threshold} and {scores}. Make it with facegauge evaluate edc."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for a model card."""
        return {
            "data": self.data,
            "recogniser": self.recogniser,
            "threshold": self.threshold,
            "samples": self.samples,
            "failures": self.failures,
            "points": [point.to_dict() for point in self.points],
        }

    def __str__(self) -> str:
        lines = [
            "| score | discarded | FNMR | errors | comparisons |",
            "|---:|---:|---:|---:|---:|",
        ]
        for point in self.points:
            fnmr = "-" if point.fnmr is None else f"{point.fnmr:.4f}"
            lines.append(
                f"| {point.score:g} | {point.discarded:.1%} | {fnmr} | {point.errors} | "
                f"{point.comparisons} |"
            )
        return "\n".join(lines)


def read_operating(path: Path | str) -> dict[str, tuple[OperatingTable, ...]]:
    """The operating tables of each method in an ``operating.json``.

    Raises:
        TableError: no such file, or not what ``facegauge evaluate edc`` writes.
    """
    found: dict[str, list[OperatingTable]] = {}
    try:
        for record in json.loads(Path(path).read_text(encoding="utf-8")):
            method = str(record.pop("method"))
            found.setdefault(method, []).append(OperatingTable(**record))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError) as error:
        raise TableError(
            f"Expected an operating.json of facegauge evaluate edc in {path}, got: {error}. "
            "Run the evaluation again."
        ) from error
    return {method: tuple(tables) for method, tables in found.items()}
