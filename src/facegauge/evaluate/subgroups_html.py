"""Subgroups on the page: what is discarded of each group, and what a recogniser makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from facegauge.evaluate.line import ordered
from facegauge.evaluate.report_html import NONE, Section, captioned, without_empty
from facegauge.evaluate.scored import FEW, GroupErrors, Subgroup

_HEAD = ("Group", "Images", "Without score", "Mean score", "Discarded")
_ERRORS_HEAD = ("FNMR", "pAUC", "FNMR left")
_NOTE = (
    "FNMR and pAUC are those of mated comparisons of two images of one group, before any discard "
    "and at the similarity threshold of the whole set; FNMR left is what remains after the discard "
    "of the table. Comparisons across groups are in no row. "
    f"* from fewer than {FEW} errors, too few to compare groups by; and errors of one person come "
    "together, so that somewhat more may be few, too."
)


def subgroups(rows: Sequence[Subgroup]) -> Section:
    """How groups fare at one threshold, a table for each method, set and recogniser.

    Rows without a recogniser's errors show images and scores alone.
    """
    keys = [_key(row) for row in rows]
    parts = []
    if any(row.errors is not None for row in rows):
        parts.append(f'<p class="soft">{escape(_NOTE)}</p>')
    for key in ordered(keys):
        own = [row for row, its in zip(rows, keys, strict=True) if its == key]
        head, cells = without_empty([*_HEAD, *_ERRORS_HEAD], [_cells(row) for row in own])
        parts.append(captioned(_caption(own[0]), head, cells, html=True))
    return Section(anchor="groups", heading="Subgroups", body="".join(parts))


def _key(row: Subgroup) -> tuple[object, ...]:
    """What the rows of one table share."""
    found = row.errors
    by = None if found is None else (found.recogniser, found.threshold)
    return row.method, row.set_name, row.threshold, by


def _caption(row: Subgroup) -> str:
    found = row.errors
    name = "" if found is None else f", {found.recogniser or 'one recogniser'}"
    at = "" if found is None else f" at similarity threshold {found.threshold:.4f}"
    discarded = f"discarded below score {row.threshold:.4g} or without a score"
    return f"{row.method} on {row.set_name}{name}{at}: {discarded}"


def _cells(row: Subgroup) -> list[str]:
    return [
        escape(row.group),
        f"{row.count:,}",
        f"{row.missing:,}",
        NONE if row.mean is None else f"{row.mean:.4g}",
        f"{row.discarded:.1%}",
        *([NONE] * len(_ERRORS_HEAD) if row.errors is None else _error_cells(row.errors)),
    ]


def _error_cells(found: GroupErrors) -> list[str]:
    star = "*" if found.errors < FEW else ""
    return [
        _rate(found.fnmr, found.errors, found.comparisons),
        NONE if found.pauc is None else f"{found.pauc:#.4g}{star}",
        _rate(found.fnmr_left, found.errors_left, found.comparisons_left),
    ]


def _rate(rate: float | None, errors: int, comparisons: int) -> str:
    """A rate with what it was counted from; with a star where that is little."""
    if rate is None:
        return NONE
    star = "*" if errors < FEW else ""
    return f'{rate:.4f}{star}<span class="range">{errors:,} of {comparisons:,}</span>'
