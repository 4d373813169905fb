"""A score table and labels become a report: what ``facegauge evaluate correlation`` runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from facegauge.errors import MissingExtra
from facegauge.evaluate import report_html
from facegauge.evaluate.correlation import MEASURES, Correlation, correlate
from facegauge.evaluate.joined import Joined, join
from facegauge.evaluate.report_parts import csv_text, markdown, numbers, picture, write_files
from facegauge.evaluate.score_files import ScoreFile

HEAD = ("measure", "value", "low", "high")
TITLE = "Face image quality: agreement with labels"
_NOTE = "PLCC and RMSE (in label units) after the four-parameter logistic."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CorrelationReport:
    """How well the scores of ``method`` agree with labels, and which images had both."""

    method: str
    joined: Joined
    correlation: Correlation

    def html(self) -> str:
        """One page that asks for nothing outside of itself.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            what = "The report of facegauge evaluate correlation"
            raise MissingExtra(what, "evaluate", "matplotlib") from error
        figure = Figure(layout="constrained")
        self.correlation.plot(figure.subplots())
        sections = [
            numbers("agreement", "Agreement", HEAD, self._rows()),
            picture("plot", "Labels over scores", figure, f"Labels over scores of {self.method}"),
        ]
        return report_html.page(TITLE, f"{self.method}: {self.joined}. {_NOTE}", sections)

    def write(self, out: Path | str) -> None:
        """Write ``table.md``, ``table.csv``, ``results.json`` and ``report.html`` into a folder.

        Raises:
            OptionError: the folder cannot be written.
            MissingExtra: matplotlib is not installed; nothing is written then.
        """
        record = self.correlation.to_dict()
        values = [[name, *(record[f"{name}{end}"] for end in _ENDS)] for name in MEASURES]
        files = {
            "report.html": self.html(),
            "table.md": f"{self}\n",
            "table.csv": csv_text(HEAD, values),
            "results.json": json.dumps({"method": self.method} | record, indent=2, allow_nan=False)
            + "\n",
        }
        write_files(out, files)

    def __str__(self) -> str:
        facts = f"{self.method}: {self.joined}. {_NOTE}"
        return "\n\n".join(["# Agreement with labels", facts, markdown(HEAD, self._rows())])

    def _rows(self) -> list[list[str]]:
        record = self.correlation.to_dict()
        return [
            [name.upper(), *(_shown(record[f"{name}{end}"]) for end in _ENDS)] for name in MEASURES
        ]


_ENDS = ("", "_low", "_high")


def evaluate_correlation(
    scores: ScoreFile, labels: Mapping[str, float], *, resamples: int = 1000, seed: int = 0
) -> CorrelationReport:
    """Compare the scores of one method with labels of the same images, by path.

    Args:
        scores: see ``read_score_files``; images without a score are left out and counted.
        labels: by path, in any unit.
        resamples: of the images, for the intervals; 0 for none.
        seed: of the resamples.

    Raises:
        InputError: no image in common, or what ``correlate`` refuses.
        OptionError: a negative number of resamples.
        MissingExtra: scipy is not installed.
    """
    joined = join(scores.known, labels)
    found = correlate(joined.scores, joined.labels, resamples=resamples, seed=seed)
    return CorrelationReport(method=scores.method, joined=joined, correlation=found)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
