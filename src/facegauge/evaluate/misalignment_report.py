"""The report of misaligned scores: their spread, and the curves of clean and jittered ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError, OptionError
from facegauge.evaluate import differences_html, report_html
from facegauge.evaluate.edc_journey import evaluate_edc
from facegauge.evaluate.line import Line
from facegauge.evaluate.misalignment import Jitter, Misaligned, Values, score_misaligned
from facegauge.evaluate.presets import PRESETS, Preset
from facegauge.evaluate.report import Report
from facegauge.evaluate.report_parts import csv_text, markdown, numbers, write_files
from facegauge.scoring import Scorer
from facegauge.tables import LandmarkTable

TITLE = "Face image quality: misaligned landmarks"
_HEAD = ("Score points", "Median", "95 %")
_DRAWS_HEAD = ("pAUC of every jitter", "Mean", "Lowest", "Highest")
_NOTE = (
    "Spread: standard deviation of a picture's jittered scores. Shift: their mean distance from "
    "its clean score."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MisalignmentReport:
    """Spread and shift of scores under jitter; ``curves`` where embeddings were given.

    ``repeated`` are the curves of every single jitter: what one draw of the noise does to a pAUC is
    as large as what many papers report.

    Raises:
        InputError: no picture has a score from all its jitters.
    """

    found: Misaligned
    curves: Report | None = None
    repeated: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        if not self._count:
            raise InputError(
                f"Expected pictures with a score from clean landmarks and from all jitters, got "
                f"none of {len(self.found.paths)}. Use less jitter, or larger faces."
            )

    @property
    def _complete(self) -> Values:
        return np.asarray(np.isfinite(self.found.shift))

    @property
    def _count(self) -> int:
        return int(self._complete.sum())

    def to_dict(self) -> dict[str, Any]:
        """The object of ``results.json``; lengths in score points, ``edc`` a list of curves.

        ``differences`` are those of the jittered pAUC to the clean one.
        """
        jitter = self.found.jitter
        return {
            "model": self.found.model,
            "jitter": jitter.pixels,
            "relative": jitter.relative,
            "repeats": jitter.repeats,
            "seed": jitter.seed,
            "images": len(self.found.paths),
            "complete": self._count,
            **{
                f"{name}_{end}": value
                for name, values in self._measures.items()
                for end, value in zip(("median", "95"), values, strict=True)
            },
            "jittered_pauc": self._draws(),
            "differences": []
            if self.curves is None
            else [each.to_dict() for each in self.curves.differences],
            "edc": [] if self.curves is None else self.curves.to_dict(),
        }

    def html(self) -> str:
        """One page that asks for nothing outside of itself."""
        sections = [numbers("spread", "Spread", _HEAD, self._rows())]
        if self.curves is not None:
            sections += [
                numbers("draws", "pAUC of every jitter", _DRAWS_HEAD, self._draw_rows()),
                report_html.tables(self.curves.tables),
                differences_html.differences(self.curves.differences, self.curves.lines),
                report_html.curves(self.curves.lines),
                report_html.histograms(self.curves.scored),
            ]
        return report_html.page(TITLE, f"{self._facts()} {_NOTE}", sections)

    def write(self, out: Path | str) -> None:
        """Write ``table.md``, ``table.csv`` (a row per picture), ``results.json``, ``report.html``.

        Raises:
            OptionError: the folder cannot be written.
        """
        found = self.found
        columns = (found.clean, found.jittered.mean(axis=1), found.spread, found.shift)
        rows = [
            [path, *("" if np.isnan(value) else f"{value:.4f}" for value in values)]
            for path, values in zip(found.paths, np.stack(columns, axis=1), strict=True)
        ]
        files = {
            "table.md": f"{self}\n",
            "table.csv": csv_text(("path", "clean", "jittered_mean", "spread", "shift"), rows),
            "results.json": json.dumps(self.to_dict(), allow_nan=False) + "\n",
            "report.html": self.html(),
        }
        write_files(out, files)

    def __str__(self) -> str:
        parts = ["# Misaligned landmarks", f"{self._facts()} {_NOTE}"]
        parts.append(markdown(_HEAD, self._rows()))
        if self.curves is not None:
            parts += [markdown(_DRAWS_HEAD, self._draw_rows()), str(self.curves).rstrip()]
        return "\n\n".join(parts)

    @property
    def _measures(self) -> dict[str, tuple[float, float]]:
        """Median and 95 % quantile over the pictures that have every score."""
        kept = self._complete
        return {"spread": _two(self.found.spread[kept]), "shift": _two(self.found.shift[kept])}

    def _rows(self) -> list[list[str]]:
        return [
            [name.capitalize(), *(f"{value:.2f}" for value in values)]
            for name, values in self._measures.items()
        ]

    def _draws(self) -> dict[str, list[float]]:
        """By recogniser, the pAUC of each jitter; where it is not defined none."""
        found: dict[str, list[float]] = {line.recogniser: [] for line in self.repeated}
        for line in self.repeated:
            if line.pauc is not None:
                found[line.recogniser].append(line.pauc)
        return found

    def _draw_rows(self) -> list[list[str]]:
        return [
            [name, *(f"{value:.3f}" for value in (sum(own) / len(own), min(own), max(own)))]
            for name, own in self._draws().items()
            if own
        ]

    def _facts(self) -> str:
        found = self.found
        return (
            f"{found.model}, {found.jitter} (seed {found.jitter.seed}); {self._count} of "
            f"{len(found.paths)} pictures have every score."
        )


def evaluate_misalignment(
    paths: Sequence[Path | str],
    landmarks: LandmarkTable,
    scorer: Scorer,
    jitter: Jitter,
    *,
    identities: Mapping[str, str] | None = None,
    embeddings: Mapping[str, Embeddings] | None = None,
    preset: Preset = PRESETS["difiqa"],
    set_name: str = "set",
    resamples: int = 1000,
    progress: Callable[[int], None] = lambda count: None,
) -> MisalignmentReport:
    """Score pictures from clean and from jittered landmarks, and say how much that changes.

    Args:
        paths: see ``score_misaligned``, as are landmarks, scorer, jitter and progress.
        landmarks: clean ones.
        scorer: with input ``crop``.
        jitter: the noise; its seed is that of the resamples, too.
        identities: by path, for the curves; with ``embeddings`` or not at all.
        embeddings: by the name of the recogniser, from the clean landmarks.
        preset: of the curves.
        set_name: name of the set in the curves.
        resamples: of people, for the intervals; 0 for none.
        progress: is told how many more pictures are finished.

    Raises:
        OptionError: one of identities and embeddings without the other.
        InputError: what ``score_misaligned`` and ``evaluate_edc`` refuse.
    """
    if (identities is None) != (not embeddings):
        raise OptionError(
            "Curves need identities and embeddings, got one of them. Give both, or none for the "
            "spread of the scores alone."
        )
    found = score_misaligned(paths, landmarks, scorer, jitter, progress=progress)
    if identities is None or not embeddings:
        return MisalignmentReport(found=found)
    curves = evaluate_edc(
        found.score_files(),
        embeddings,
        identities,
        preset=preset,
        set_name=set_name,
        resamples=resamples,
        seed=jitter.seed,
    )
    repeated = evaluate_edc(
        found.repeat_files(), embeddings, identities, preset=preset, resamples=0, seed=jitter.seed
    )
    return MisalignmentReport(found=found, curves=curves, repeated=repeated.lines)


def _two(values: Values) -> tuple[float, float]:
    middle, high = np.quantile(values, (0.5, 0.95))
    return float(middle), float(high)
