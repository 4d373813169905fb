"""Edc: one error-versus-discard curve that prints, tabulates, saves and plots itself."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, MissingExtra, OptionError
from facegauge.evaluate.areas import linear_area, normalised, stairs_area
from facegauge.evaluate.presets import Normalisation, Preset, Shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and the ``confidence`` (0..1) interval ``low``..``high`` around it."""

    value: float
    low: float
    high: float
    confidence: float

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """After the share ``discard`` left: ``error`` (0..1), from ``errors`` of ``comparisons``."""

    discard: float
    error: float
    comparisons: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edc:
    """One curve, K points.

    ``discard`` (K, shares 0..1, first 0), ``remaining`` pairs that can be in error and
    ``remaining_errors`` among them, at ``thresholds`` (K, similarity). ``failures`` of ``samples``
    had no score. ``interval`` belongs to the pAUC at the preset's limit.
    """

    method: str
    recogniser: str
    preset: Preset
    discard: Values
    remaining: Counts
    remaining_errors: Counts
    thresholds: Values
    samples: int
    failures: int
    interval: Interval | None = None

    @property
    def error(self) -> Values:
        """The error rate (0..1) at each point; 0 where no pair is left."""
        return np.asarray(self.remaining_errors / np.maximum(self.remaining, 1))

    @property
    def threshold(self) -> float:
        """The similarity threshold at the start."""
        return float(self.thresholds[0])

    @property
    def comparisons(self) -> int:
        """Pairs that can be in error, at the start."""
        return int(self.remaining[0])

    @property
    def errors(self) -> int:
        """Errors at the start."""
        return int(self.remaining_errors[0])

    @property
    def failure_share(self) -> float:
        """Share 0..1 of the samples that had no score and left first."""
        return self.failures / self.samples

    def pauc(self, limit: float | None = None, how: Normalisation | str | None = None) -> float:
        """Partial area under the curve; lower is better.

        Args:
            limit: discard at which it ends; the preset's by default.
            how: normalisation; the preset's by default.

        Raises:
            InputError: a limit outside of the curve, or no error that could be divided by.
        """
        limit = self.preset.limit if limit is None else limit
        how = self.preset.normalisation if how is None else Normalisation(how)
        if not 0.0 < limit <= self._end:
            raise InputError(
                f"A discard limit lies in (0, {self._end:g}], got {limit}. Choose another one."
            )
        if how is Normalisation.E0 and not self.errors:
            raise InputError(
                f"All {self.comparisons} pairs are right at threshold {self.threshold:.4f}, so "
                "there is no error a discard could avoid. Use more pairs or a stricter threshold."
            )
        area = stairs_area if self.preset.shape is Shape.STAIRS else linear_area
        error = self.error
        return float(normalised(area(self.discard, error, limit), error[0], limit, how))

    def at(self, discard: float) -> float:
        """The error after a discard; on a linear curve between points on the straight line.

        Raises:
            InputError: a discard outside of the curve.
        """
        return self.point(discard).error

    def point(self, discard: float) -> CurvePoint:
        """The error after a discard, with the counts at the last point of the curve before it.

        Raises:
            InputError: a discard outside of the curve.
        """
        if not 0.0 <= discard <= self._end:
            raise InputError(
                f"A discard on this curve lies in 0..{self._end:g}, got {discard}. Choose another."
            )
        place = int(np.searchsorted(self.discard, discard, side="right")) - 1
        error = self.error
        stairs = self.preset.shape is Shape.STAIRS
        return CurvePoint(
            discard=discard,
            error=float(error[place] if stairs else np.interp(discard, self.discard, error)),
            comparisons=int(self.remaining[place]),
            errors=int(self.remaining_errors[place]),
        )

    @property
    def points(self) -> tuple[CurvePoint, ...]:
        """The discards the preset reports: for ``nist`` 1 %, 5 % and 20 %."""
        return tuple(self.point(discard) for discard in self.preset.points)

    @property
    def _end(self) -> float:
        return 1.0 if self.preset.shape is Shape.STAIRS else float(self.discard[-1])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values as in results.json; ``pauc`` is None where there is no error."""
        return {
            "method": self.method,
            "recogniser": self.recogniser,
            "preset": self.preset.name,
            "fmr": self.preset.fmr,
            "threshold": self.threshold,
            "discard_limit": self.preset.limit,
            "pauc": self._known_pauc(),
            "pauc_low": None if self.interval is None else self.interval.low,
            "pauc_high": None if self.interval is None else self.interval.high,
            "comparisons": self.comparisons,
            "errors": self.errors,
            "discard": self.discard.tolist(),
            "error": self.error.tolist(),
        }

    def _known_pauc(self) -> float | None:
        undefined = self.preset.normalisation is Normalisation.E0 and not self.errors
        return None if undefined else self.pauc()

    def save(self, path: Path | str) -> None:
        """Write ``to_dict`` as .json, or a line per point as .csv.

        Raises:
            OptionError: another ending.
        """
        path = Path(path)
        if path.suffix.lower() == ".json":
            path.write_text(json.dumps(self.to_dict(), allow_nan=False) + "\n", encoding="utf-8")
        elif path.suffix.lower() == ".csv":
            self._save_csv(path)
        else:
            raise OptionError(f"A curve is saved as .json or .csv, got {path.name}. Rename it.")

    def _save_csv(self, path: Path) -> None:
        names = [self.method, self.recogniser, self.preset.name]
        columns = [self.discard, self.error, self.remaining, self.remaining_errors, self.thresholds]
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(CSV_COLUMNS)
            writer.writerows(
                [*names, *values] for values in zip(*(c.tolist() for c in columns), strict=True)
            )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve, the preset above it and the counts in its label.

        Args:
            ax: matplotlib axes to draw on; a new figure by default.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise MissingExtra("Plotting a curve", "evaluate", "matplotlib") from error
        if ax is None:
            ax = pyplot.subplots()[1]
        stairs = self.preset.shape is Shape.STAIRS
        x, y = (np.append(self.discard, 1.0), np.append(self.error, self.error[-1]))
        style = "steps-post" if stairs else "default"
        ax.plot(
            *((x, y) if stairs else (self.discard, self.error)), drawstyle=style, label=self._label
        )
        ax.axvline(self.preset.limit, color="0.7", linestyle=":", linewidth=1)
        ax.set_title(str(self.preset), fontsize="x-small", wrap=True)
        ax.set_xlabel("discarded share")
        ax.set_ylabel(self.preset.error.upper())
        ax.set_xlim(0.0, 1.0)
        ax.autoscale(axis="y")  # for the curves that are there already, too
        ax.set_ylim(bottom=0.0)
        ax.legend(fontsize="xx-small", framealpha=0.6)
        return ax

    @property
    def _label(self) -> str:
        left = self.point(self.preset.limit)
        return (
            f"{self._name}: {self._area}\n{self.errors}/{self.comparisons} errors, {left.errors}/"
            f"{left.comparisons} left at {left.discard:g}, {self.failures}/{self.samples} samples "
            "without score"
        )

    @property
    def _name(self) -> str:
        return ", ".join(name for name in (self.method, self.recogniser, self.preset.name) if name)

    @property
    def _area(self) -> str:
        pauc = self._known_pauc()
        if pauc is None:
            return "no pAUC without errors"
        return (
            f"pAUC({self.preset.limit:g}) {pauc:.4f}"
            if self.interval is None
            else (f"pAUC({self.preset.limit:g}) {self.interval}")
        )

    @property
    def _counts(self) -> str:
        left = self.point(self.preset.limit)
        return (
            f"{self.errors} errors in {self.comparisons} comparisons, {left.errors} in "
            f"{left.comparisons} left at {left.discard:g}; {self.failures} of {self.samples} "
            f"samples without a score ({self.failure_share:.1%})"
        )

    def __str__(self) -> str:
        start = f"{self.preset.error.upper()} {self.error[0]:.4f} at threshold {self.threshold:.4f}"
        left = "".join(f", {each.error:.4f} left at {each.discard:g}" for each in self.points)
        return f"{self._name}: {self._area}; {start}{left}; {self._counts}"


CSV_COLUMNS = (
    "method",
    "recogniser",
    "preset",
    "discard",
    "error",
    "comparisons",
    "errors",
    "threshold",
)
"""Columns of a saved curve; comparisons and errors are those that remain."""
