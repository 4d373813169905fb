"""The table of AI-KD: methods by sets, one table per recogniser, best in bold, a mean column.

Lower is better. A mean is printed only for a method that has every set, as means over different
sets do not compare; it has no interval, as sets share no images to resample together.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

from facegauge.errors import InputError
from facegauge.evaluate.line import Line, ordered

NOTE = (
    "pAUC, lower is better; the lowest of a column in bold; bootstrap interval in brackets; mean "
    "only where a method has every column."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A pAUC with its interval (None: not computed); ``best`` when the lowest of its column."""

    value: float
    low: float | None = None
    high: float | None = None
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method: a cell per column (None: no pAUC there) and their mean (None: one missing)."""

    method: str
    cells: tuple[Cell | None, ...]
    mean: Cell | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Methods by columns; ``heading`` is the recogniser, columns are sets.

    In the table over all recognisers, columns are recognisers. Values are shown with ``decimals``
    digits, and best is decided on what is shown.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    decimals: int

    def markdown(self) -> str:
        """A heading and a table in GitHub's markdown."""
        head = ["Method", *map(plain, self.columns), "Mean"]
        lines = [f"## {plain(self.heading)}", "", _piped(head)]
        lines.append(_piped(["---", *["---:"] * (len(head) - 1)]))
        for row in self.rows:
            cells = [self._marked(cell) for cell in (*row.cells, row.mean)]
            lines.append(_piped([plain(row.method), *cells]))
        return "\n".join(lines) + "\n"

    def number(self, value: float) -> str:
        """A pAUC as it is shown."""
        return f"{value:.{self.decimals}f}"

    def interval(self, cell: Cell) -> str:
        """``[low, high]`` as it is shown, empty without one."""
        if cell.low is None or cell.high is None:
            return ""
        return f"[{self.number(cell.low)}, {self.number(cell.high)}]"

    def _marked(self, cell: Cell | None) -> str:
        if cell is None:
            return "–"
        shown = f"**{self.number(cell.value)}**" if cell.best else self.number(cell.value)
        return f"{shown} {self.interval(cell)}".rstrip()


def tables(lines: Sequence[Line]) -> tuple[Table, ...]:
    """One table per recogniser; with several recognisers, last the table over all of them.

    Raises:
        InputError: no curves, two for one place, or curves computed by different rules.
    """
    _check(lines)
    decimals = decimals_for([line.pauc for line in lines if line.pauc is not None])
    each = [
        _table([line for line in lines if line.recogniser == recogniser], recogniser, decimals)
        for recogniser in ordered([line.recogniser for line in lines])
    ]
    return tuple(each if len(each) < 2 else [*each, _overall(each, decimals)])


def to_csv(found: Sequence[Table]) -> str:
    """All tables in one csv: recogniser, method, each set with low and high, mean.

    What was not evaluated, a pAUC or a mean that is not defined are empty. The
    table over all recognisers is left out: its columns are recognisers.
    """
    own = [table for table in found if table.heading != OVERALL]
    sets = ordered([name for table in own for name in table.columns])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = [f"{name}{end}" for name in sets for end in ("", " low", " high")]
    writer.writerow(["recogniser", "method", *ends, "mean"])
    for table in own:
        for row in table.rows:
            known = dict(zip(table.columns, row.cells, strict=True))
            cells = [value for name in sets for value in _values(known.get(name))]
            mean = "" if row.mean is None else repr(row.mean.value)
            writer.writerow([table.heading, row.method, *cells, mean])
    return text.getvalue()


def to_markdown(found: Sequence[Table], rule: str) -> str:
    """All tables under one title, with the rule they were computed by."""
    parts = ["# Error versus discard", f"Preset {plain(rule)}. {NOTE}"]
    return "\n\n".join([*parts, *(table.markdown().rstrip() for table in found)]) + "\n"


OVERALL = "All recognisers"
"""Heading of the table of means, one column per recogniser."""


def _check(lines: Sequence[Line]) -> None:
    if not lines:
        raise InputError(
            "A table needs at least one curve, got none. Evaluate a method on a set first."
        )
    rules = ordered([line.rule for line in lines])
    if len(rules) > 1:
        raise InputError(
            f"A table compares curves of one rule, got {' and '.join(map(repr, rules))}. Evaluate "
            "all methods with one preset, or write one report for each."
        )
    seen = set()
    for line in lines:
        place = (line.method, line.set_name, line.recogniser)
        if place in seen:
            raise InputError(
                f"Expected one curve of {line.method!r} on {line.set_name!r} with "
                f"{line.recogniser!r}, got two. Give methods different names, or leave one out."
            )
        seen.add(place)


def _table(lines: Sequence[Line], heading: str, decimals: int) -> Table:
    places = {(line.method, line.set_name): line for line in lines}
    sets = ordered([line.set_name for line in lines])
    rows = []
    for method in ordered([line.method for line in lines]):
        found = [places.get((method, name)) for name in sets]
        rows.append(_row(method, [_cell(line) for line in found]))
    return _with_best(Table(heading=heading, columns=sets, rows=tuple(rows), decimals=decimals))


def _overall(each: Sequence[Table], decimals: int) -> Table:
    """Each method's mean per recogniser, and the mean of those means."""
    means = {(table.heading, row.method): row.mean for table in each for row in table.rows}
    methods = ordered([row.method for table in each for row in table.rows])
    columns = tuple(table.heading for table in each)
    rows = tuple(
        _row(method, [means.get((name, method)) for name in columns]) for method in methods
    )
    return _with_best(Table(heading=OVERALL, columns=columns, rows=rows, decimals=decimals))


def _cell(line: Line | None) -> Cell | None:
    if line is None or line.pauc is None:
        return None
    return Cell(value=line.pauc, low=line.pauc_low, high=line.pauc_high)


def _row(method: str, cells: Sequence[Cell | None]) -> Row:
    known = [cell.value for cell in cells if cell is not None]
    complete = len(known) == len(cells)
    mean = Cell(value=math.fsum(known) / len(known)) if complete else None
    return Row(method=method, cells=tuple(cells), mean=mean)


def _with_best(table: Table) -> Table:
    """The same table with the lowest of each column marked, where at least two are compared."""
    grid = [(*row.cells, row.mean) for row in table.rows]
    lowest = [_lowest(table, column) for column in zip(*grid, strict=True)]
    rows = []
    for row, cells in zip(table.rows, grid, strict=True):
        *own, mean = [_as_best(table, *pair) for pair in zip(cells, lowest, strict=True)]
        rows.append(Row(method=row.method, cells=tuple(own), mean=mean))
    return Table(
        heading=table.heading, columns=table.columns, rows=tuple(rows), decimals=table.decimals
    )


def _lowest(table: Table, column: Sequence[Cell | None]) -> str | None:
    values = [cell.value for cell in column if cell is not None]
    return table.number(min(values)) if len(values) > 1 else None


def _as_best(table: Table, cell: Cell | None, lowest: str | None) -> Cell | None:
    if cell is None:
        return None
    best = table.number(cell.value) == lowest
    return Cell(value=cell.value, low=cell.low, high=cell.high, best=best)


def decimals_for(values: Sequence[float]) -> int:
    """Three digits, more where even the largest value begins further behind the point."""
    largest = max((abs(value) for value in values), default=0.0)
    return 3 if largest == 0 else min(max(3, 2 - math.floor(math.log10(largest))), 12)


def _values(cell: Cell | None) -> list[str]:
    numbers = [None] * 3 if cell is None else [cell.value, cell.low, cell.high]
    return ["" if number is None else repr(number) for number in numbers]


def _piped(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def plain(name: str) -> str:
    """A name as markdown shows it, on one line."""
    text = " ".join(name.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{each}" if each in "\\`*_[]|~" else each for each in text)
