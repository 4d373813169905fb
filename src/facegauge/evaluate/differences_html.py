"""Differences of pAUC on the page: what is told apart, as dots with whiskers and as tables."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

from facegauge.evaluate import report_html, report_svg
from facegauge.evaluate.differences import (
    Difference,
    by_reference,
    decimals_of,
    interval,
    note,
    percent,
    signed,
)
from facegauge.evaluate.line import Line, ordered
from facegauge.evaluate.report_html import Section
from facegauge.evaluate.report_svg import WIDTH, letters, style, ticks

_LEFT, _RIGHT, _TOP, _BOTTOM = 14, 14, 64, 46
_ROW = 36
_NAME = 40  # letters of a method that fit beside its verdict

Ends = tuple[float, float]
"""The lowest and the highest difference that a plot shows."""


def differences(found: Sequence[Difference], lines: Sequence[Line]) -> Section:
    """A plot and a table for each recogniser and set; all plots of a reference have one scale.

    Args:
        found: the differences; none makes a section without a body.
        lines: the curves of the page, for the styles of their methods and their rule.
    """
    methods = ordered(line.method for line in lines)
    decimals = decimals_of(found)
    parts = []
    for own in by_reference(found):
        ends = _scale(own)
        panels = []
        for key in ordered((row.recogniser, row.set_name) for row in own):
            rows = [row for row in own if (row.recogniser, row.set_name) == key]
            places = [methods.index(row.method) for row in rows]
            drawn = plot(rows, places, lines[0].rule, ends)
            panels.append(f"<figure>{drawn}{_table(rows, places, decimals)}</figure>")
        parts.append(f'<p class="soft">{escape(note(own))}</p>{report_html.side_by_side(panels)}')
    return Section(anchor="differences", heading="Differences", body="".join(parts))


def plot(rows: Sequence[Difference], places: Sequence[int], rule: str, ends: Ends) -> str:
    """Dots at differences to one reference, whiskers over their intervals, and a line at 0."""
    first = rows[0]
    floor = _TOP + _ROW * len(rows)
    reference = textwrap.shorten(first.reference, _NAME, placeholder="…")
    heads = (
        f"{first.set_name} · {first.recogniser}",
        rule,
        f"difference to {reference}, {percent(first.confidence)} interval",
    )
    told = ", ".join(f"{row.method} {row.verdict}" for row in rows)
    parts = [*report_svg.title_lines(heads), *_axis(ends, floor)]
    for number, (row, place) in enumerate(zip(rows, places, strict=True)):
        parts += _whisker(row, place, _TOP + _ROW * number, ends)
    left = f"pAUC minus that of {reference}; left of 0: better"
    parts.append(letters(left, WIDTH / 2, floor + 36, "", "middle"))
    return report_svg.drawing(f"{'. '.join(heads)}: {told}", parts, floor + _BOTTOM)


def _scale(rows: Sequence[Difference]) -> Ends:
    """What holds 0 and every interval, with a margin."""
    values = [0.0, *(end for row in rows for end in (row.value, row.low, row.high))]
    low, high = min(values), max(values)
    margin = (high - low) * 0.06 or 0.01
    return low - margin, high + margin


def _across(value: float, ends: Ends) -> float:
    low, high = ends
    return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)


def _axis(ends: Ends, floor: float) -> list[str]:
    """Lines at round values, that of 0 stronger, and the values below."""
    parts = []
    for value, name in ticks(*ends):
        at = _across(value, ends)
        kind = "grid" if value else "zero"
        parts.append(f'<path class="{kind}" d="M{at:.1f} {_TOP}V{floor}"/>')
        parts.append(letters(name, at, floor + 16, "tick", "middle"))
    parts.append(f'<path class="axis" d="M{_LEFT} {floor}H{WIDTH - _RIGHT}"/>')
    return parts


def _whisker(row: Difference, place: int, top: float, ends: Ends) -> list[str]:
    """A method's name and verdict, and its interval below them."""
    low, middle, high = (_across(value, ends) for value in (row.low, row.value, row.high))
    at = top + 25
    name = textwrap.shorten(row.method, _NAME, placeholder="…")
    line = f"M{low:.1f} {at - 4}v8M{low:.1f} {at}H{high:.1f}M{high:.1f} {at - 4}v8"
    return [
        letters(name, _LEFT, top + 14, "over", "start"),
        letters(row.verdict, WIDTH - _RIGHT, top + 14, "note over", "end"),
        f'<path class="curve {style(place)}" d="{line}"/>',
        f'<path class="dot {style(place).split()[0]}" d="M{middle:.1f} {at}h0"/>',
    ]


def _table(rows: Sequence[Difference], places: Sequence[int], decimals: int) -> str:
    """The numbers of a plot, which are its legend."""
    first = rows[0]
    cells = [
        [
            f'<span class="key">{report_svg.swatch(place)}<span>{escape(row.method)}</span></span>',
            f'{signed(row.value, decimals)}<span class="range">{interval(row, decimals)}</span>',
        ]
        for row, place in zip(rows, places, strict=True)
    ]
    caption = f"{first.set_name}, {first.recogniser}: differences to {first.reference}"
    return report_html.captioned(caption, ["Method", "Difference"], cells, html=True)
