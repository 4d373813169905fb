"""How the scores of one data set are spread: outcomes, quantiles, and what thresholds discard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.score_columns import OUTCOMES, ScoreColumns, read_score_columns

Values = npt.NDArray[np.float64]

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are told."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spread:
    """The scores of the data set ``name``, ascending, and how many rows had which outcome.

    ``models`` are those that made the scores; ``plain`` scores are on a scale of their own.

    Raises:
        InputError: no score, or one that is not finite.
    """

    name: str
    scores: Values
    outcomes: dict[str, int]
    models: tuple[str, ...] = ()
    plain: bool = False

    def __post_init__(self) -> None:
        if not self.scores.size or not np.isfinite(self.scores).all():
            raise InputError(
                f"A comparison needs finite scores of each set, got {self.scores.size} of "
                f"{self.name!r} that are not all so. Score pictures with faces first."
            )

    @classmethod
    def of(cls, name: str, columns: ScoreColumns) -> Spread:
        """The spread of a score table.

        Raises:
            InputError: no row has a score.

        Example:
            >>> spread = Spread.of("gate", ScoreColumns.of(["a", "b", "c"], [20, 60, None]))
            >>> spread.outcomes, spread.discarded(50.0)
            ({'scored': 2, 'no_face': 1}, 0.6666666666666666)
        """
        counts = np.bincount(columns.outcomes, minlength=len(OUTCOMES)).tolist()
        return cls(
            name=name,
            scores=np.sort(columns.scores[columns.scored]),
            outcomes={str(each): n for each, n in zip(OUTCOMES, counts, strict=True) if n},
            models=columns.models,
            plain=columns.plain,
        )

    @property
    def rows(self) -> int:
        """Faces, and pictures without a score."""
        return sum(self.outcomes.values())

    @property
    def missing(self) -> int:
        """Rows without a score."""
        return self.rows - self.scores.size

    @property
    def quantiles(self) -> dict[float, float]:
        """The scores below which the shares ``SHARES`` lie, between two scores interpolated."""
        found = np.quantile(self.scores, SHARES).tolist()
        return dict(zip(SHARES, found, strict=True))

    def below(self, threshold: float) -> int:
        """How many scores are below."""
        return int(np.searchsorted(self.scores, threshold))

    def discarded(self, threshold: float) -> float:
        """The share 0..1 of the rows that leaves there: scores below, and rows without a score."""
        return (self.below(threshold) + self.missing) / self.rows

    def shares_up_to(self, values: Values) -> Values:
        """The share 0..1 of the scores that is not above each value: the ECDF."""
        return np.searchsorted(self.scores, values, side="right") / self.scores.size

    def to_dict(self, thresholds: Sequence[float]) -> dict[str, Any]:
        """Plain Python values."""
        return {
            "name": self.name,
            "models": list(self.models),
            "rows": self.rows,
            "scored": int(self.scores.size),
            "outcomes": self.outcomes,
            "mean": float(self.scores.mean()),
            "quantiles": {f"{share:g}": value for share, value in self.quantiles.items()},
            "below": [
                {"score": at, "scores_below": self.below(at), "discarded": self.discarded(at)}
                for at in thresholds
            ],
        }


def read_spreads(files: Sequence[Path | str], names: Sequence[str] = ()) -> tuple[Spread, ...]:
    """Read two score tables or more; without ``names`` sets are called after their files.

    Raises:
        TableError: not a score table.
        InputError: no scores in one.
        OptionError: fewer than two tables, or names that are not one each and different.
    """
    called = [name.strip() for name in names] or [Path(file).stem for file in files]
    if len(files) < 2:
        raise OptionError(
            f"A comparison needs two score tables or more, got {len(files)}. Name another one."
        )
    if len(called) != len(files) or len(set(called)) < len(called) or not all(called):
        raise OptionError(
            f"Expected a name of its own for each of {len(files)} tables, got "
            f"{', '.join(called)}. Pass --names with commas between."
        )
    pairs = zip(called, files, strict=True)
    return tuple(Spread.of(name, read_score_columns(file)) for name, file in pairs)
