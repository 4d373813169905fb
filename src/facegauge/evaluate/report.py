"""The report of an evaluation: a table as markdown and csv, all numbers as JSON, one HTML page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facegauge.errors import OptionError
from facegauge.evaluate import differences, differences_html, report_html, subgroups_html
from facegauge.evaluate.differences import Difference
from facegauge.evaluate.line import Line, ordered
from facegauge.evaluate.operated import Operated
from facegauge.evaluate.report_parts import write_files
from facegauge.evaluate.scored import Scored, Subgroup
from facegauge.evaluate.table import Table, tables, to_csv, to_markdown
from facegauge.evaluate.thumbnails import Pictures, Thumbnails

FACES = 8
"""Lowest- and highest-scored faces shown for each method on each set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Curves of methods on sets by recognisers, all computed by one rule, and what goes with them.

    ``differences`` compares pAUCs, ``scored`` gives histograms and faces, ``subgroups`` and
    ``operating`` their tables; each may be empty.

    Raises:
        InputError: no curves, two for one place, or curves computed by different rules.
    """

    lines: tuple[Line, ...]
    differences: tuple[Difference, ...] = ()
    scored: tuple[Scored, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    operating: tuple[Operated, ...] = ()
    title: str = "Face image quality: error versus discard"

    def __post_init__(self) -> None:
        tables(self.lines)

    @property
    def tables(self) -> tuple[Table, ...]:
        """A table per recogniser, and with several recognisers one over all of them."""
        return tables(self.lines)

    @property
    def rule(self) -> str:
        """What all curves share: preset, FMR and discard limit."""
        return self.lines[0].rule

    @property
    def protocol(self) -> str:
        """The rule, and the preset in words where the curves say it."""
        words = ordered(line.protocol for line in self.lines if line.protocol)
        return ". ".join([self.rule, *words])

    def to_dict(self) -> list[dict[str, Any]]:
        """The objects of ``results.json``, one per curve."""
        return [line.to_dict() for line in self.lines]

    def html(self, pictures: Pictures | None = None, faces: int = FACES) -> str:
        """The page; without ``pictures`` it shows no faces.

        Raises:
            InputError: a picture that is not RGB pixels.
        """
        shown = () if pictures is None else self.scored
        thumbnails = None if pictures is None else Thumbnails(pictures)
        sections = [
            report_html.tables(self.tables),
            differences_html.differences(self.differences, self.lines),
            report_html.curves(self.lines),
            report_html.operating(self.operating),
            report_html.histograms(self.scored),
            subgroups_html.subgroups(self.subgroups),
        ]
        if thumbnails is not None:
            sections.append(report_html.faces(shown, thumbnails, faces))
        return report_html.page(self.title, f"Preset {self.protocol}.", sections)

    def write(self, out: Path | str, pictures: Pictures | None = None, faces: int = FACES) -> None:
        """Write ``table.md``, four files of numbers and ``report.html`` into a folder.

        Numbers stand in ``table.csv`` (pAUC by method and set), ``differences.csv`` (to the first
        method, only its first line where none were computed), ``results.json`` (curves) and
        ``operating.json`` (what thresholds on the score cost, see ``facegauge models annotate``).

        Args:
            out: the folder; it is made, files of an earlier report are replaced.
            pictures: gives the pixels of a path, for the faces; no faces without.
            faces: how many of the lowest and of the highest are shown per method and set.

        Raises:
            OptionError: the folder cannot be written, or a negative number of faces.
            InputError: a picture that is not RGB pixels.
        """
        if faces < 0:
            raise OptionError(f"Expected 0 faces or more, got {faces}. Pass 0 for none.")
        files = {
            "table.md": str(self),
            "table.csv": to_csv(self.tables),
            "differences.csv": differences.to_csv(self.differences),
            "results.json": _objects(self.to_dict()),
            "operating.json": _objects([each.to_dict() for each in self.operating]),
            "report.html": self.html(pictures, faces),
        }
        write_files(out, files)

    def __str__(self) -> str:
        parts = [to_markdown(self.tables, self.protocol)]
        if self.differences:
            parts.append(differences.to_markdown(self.differences))
        return "\n".join(parts)


def _objects(records: list[dict[str, Any]]) -> str:
    """A JSON list with one object a line."""
    return "[\n" + ",\n".join(json.dumps(each, allow_nan=False) for each in records) + "\n]\n"
