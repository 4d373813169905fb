"""The scores of data sets side by side as a report: what ``facegauge compare`` runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from facegauge.errors import InputError, OptionError
from facegauge.evaluate import contrast_html
from facegauge.evaluate.contrast import Contrast, contrast
from facegauge.evaluate.contrast_rows import (
    NOTE,
    contrast_head,
    contrast_rows,
    outcome_head,
    outcome_rows,
    spread_head,
    spread_rows,
    threshold_head,
    threshold_rows,
)
from facegauge.evaluate.operating import SCORES
from facegauge.evaluate.report_parts import csv_text, markdown, write_files
from facegauge.evaluate.spread import SHARES, Spread
from facegauge.evaluate.table import plain as in_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastReport:
    """Two data sets or more, and how each further one differs from the first.

    ``thresholds`` are the scores at which it is asked how much of each set would be discarded.
    """

    spreads: tuple[Spread, ...]
    contrasts: tuple[Contrast, ...]
    thresholds: tuple[float, ...]

    @property
    def warning(self) -> str:
        """That the scores are not comparable, where different models made them; else empty."""
        models = _models(self.spreads)
        if len(models) < 2:
            return ""
        return (
            f"The scores are by different models ({', '.join(models)}): a difference may be one of "
            "the models, not of the pictures."
        )

    @property
    def facts(self) -> str:
        """What was compared, and a warning where there is one."""
        models = _models(self.spreads)
        made = f"Scores by {models[0]}. " if len(models) == 1 and models[0] else ""
        sets = ", ".join(f"{each.name} ({each.scores.size:,} scores)" for each in self.spreads)
        return f"{made}Sets: {sets}. {self.warning}".strip()

    def to_dict(self) -> dict[str, Any]:
        """The object of ``results.json``."""
        return {
            "reference": self.spreads[0].name,
            "warning": self.warning,
            "resamples": self.contrasts[0].resamples,
            "seed": self.contrasts[0].seed,
            "sets": [each.to_dict(self.thresholds) for each in self.spreads],
            "differences": [each.to_dict() for each in self.contrasts],
        }

    def html(self) -> str:
        """One page that asks for nothing outside of itself."""
        return contrast_html.page(self.spreads, self.contrasts, self.thresholds, self.facts)

    def write(self, out: Path | str) -> None:
        """Write ``table.md``, ``table.csv``, ``differences.csv``, results.json and report.html.

        ``table.csv`` has a row per set, ``differences.csv`` one for each set after the first.

        Raises:
            OptionError: the folder cannot be written.
        """
        differences = [each.to_dict() for each in self.contrasts]
        rows = [
            ["" if value is None else value for value in record.values()] for record in differences
        ]
        files = {
            "table.md": f"{self}\n",
            "table.csv": self._csv(),
            "differences.csv": csv_text(list(differences[0]), rows),
            "results.json": json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n",
            "report.html": self.html(),
        }
        write_files(out, files)

    def __str__(self) -> str:
        head, rows = outcome_head(self.spreads), outcome_rows(self.spreads)
        parts = ["# Scores of data sets", in_markdown(self.facts)]
        parts += [f"## Difference to {in_markdown(self.spreads[0].name)}", NOTE]
        parts += [_marked(contrast_head(), contrast_rows(self.contrasts))]
        parts += ["## Scores", _marked(spread_head(), spread_rows(self.spreads))]
        parts += ["## Discarded below a score"]
        parts += [
            _marked(threshold_head(self.spreads), threshold_rows(self.spreads, self.thresholds))
        ]
        return "\n\n".join([*parts, "## Outcomes", _marked(head, rows)])

    def _csv(self) -> str:
        below = [f"discarded_below_{at:g}" for at in self.thresholds]
        outcomes = outcome_head(self.spreads)[2:]
        quantiles = [f"q{share * 100:g}" for share in SHARES]
        head = ["set", "models", "rows", *outcomes, "mean", *quantiles, *below]
        rows = [
            [
                each.name,
                " ".join(each.models),
                each.rows,
                *(each.outcomes.get(name, 0) for name in outcomes),
                float(each.scores.mean()),
                *each.quantiles.values(),
                *(each.discarded(at) for at in self.thresholds),
            ]
            for each in self.spreads
        ]
        return csv_text(head, rows)


def compare_sets(
    spreads: Sequence[Spread],
    *,
    different_models: bool = False,
    resamples: int = 10_000,
    seed: int = 0,
) -> ContrastReport:
    """Compare the scores of data sets, each further one with the first.

    Args:
        spreads: see ``read_spreads``.
        different_models: compare scores of different models, with a warning.
        resamples: for the interval of the median's difference; 0 for none.
        seed: of the resamples.

    Raises:
        InputError: scores of different models, without ``different_models``.
        OptionError: fewer than two sets, or a negative number of resamples.

    Example:
        >>> from facegauge.score_columns import ScoreColumns
        >>> gate, desk = (
        ...     Spread.of(name, ScoreColumns.of([f"{at}.jpg" for at in range(4)], scores))
        ...     for name, scores in (("gate", [20, 30, 40, None]), ("desk", [50, 60, 70, 80]))
        ... )
        >>> report = compare_sets([gate, desk])
        >>> print(report.contrasts[0].higher, report.contrasts[0].verdict)
        1.0000 [0.4385, 1.0000] not told apart
    """
    if len(spreads) < 2:
        raise OptionError(f"A comparison needs two sets or more, got {len(spreads)}. Add one.")
    models = _models(spreads)
    if len(models) > 1 and not different_models:
        raise InputError(
            f"Scores of different models are not comparable, got {', '.join(models)}. Score all "
            "sets with one model, or pass --different-models."
        )
    reference, *others = spreads
    found = [contrast(each, reference, resamples=resamples, seed=seed) for each in others]
    return ContrastReport(
        spreads=tuple(spreads), contrasts=tuple(found), thresholds=_thresholds(spreads)
    )


def _models(spreads: Sequence[Spread]) -> list[str]:
    """The models of all sets; an unknown one where plain scores name none."""
    own = [each.models or ("an unnamed one",) for each in spreads]
    names = sorted({model for models in own for model in models})
    return [""] if names == ["an unnamed one"] else names


def _thresholds(spreads: Sequence[Spread]) -> tuple[float, ...]:
    """10, 20, ... 90, or the tenths of all scores where they are on a scale of their own."""
    if not any(each.plain for each in spreads):
        return SCORES[1:]
    known = np.concatenate([each.scores for each in spreads])
    return tuple(np.unique(np.quantile(known, np.arange(1, 10) / 10, method="higher")).tolist())


def _marked(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return markdown([*map(in_markdown, head)], [[*map(in_markdown, row)] for row in rows])
