"""The page of a comparison of data sets: histograms and shares in one picture, and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from facegauge.evaluate import report_html
from facegauge.evaluate.contrast import Contrast
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
from facegauge.evaluate.report_html import Section
from facegauge.evaluate.report_svg import WIDTH, Frame, drawing, style, swatch, title_lines
from facegauge.evaluate.spread import Spread

TITLE = "Face image quality: scores of data sets"
LEAVE = "Scores below leave, and with them the rows without a score."
_BINS = 25

Values = npt.NDArray[np.float64]
Ends = tuple[float, float]


def page(
    spreads: Sequence[Spread],
    contrasts: Sequence[Contrast],
    thresholds: Sequence[float],
    facts: str,
) -> str:
    """The whole page; the first set is the reference."""
    legend = report_html.captioned(
        "Scores: legend and numbers of the plots", spread_head(), _keyed(spreads), html=True
    )
    reference = spreads[0].name
    difference = _table(f"Each set against {reference}", contrast_head(), contrast_rows(contrasts))
    discarded = _table(
        "Share of each set that leaves",
        threshold_head(spreads),
        threshold_rows(spreads, thresholds),
    )
    outcomes = _table("Rows by outcome", outcome_head(spreads), outcome_rows(spreads))
    figures = "".join(f"<figure>{draw(spreads)}</figure>" for draw in (histogram, shares_below))
    sections = [
        _section("scores", "Scores", f'<div class="panels pair">{figures}</div>{legend}'),
        _section("differences", f"Difference to {reference}", _soft(NOTE) + difference),
        _section("discarded", "Discarded below a score", _soft(LEAVE) + discarded),
        _section("outcomes", "Outcomes", outcomes),
    ]
    return report_html.page(TITLE, facts, sections)


def histogram(spreads: Sequence[Spread]) -> str:
    """The shares of each set's scores in 25 bins, laid over one another."""
    ends = _ends(spreads)
    edges = np.linspace(*ends, _BINS + 1)
    shares = [np.histogram(each.scores, edges)[0] / each.scores.size for each in spreads]
    frame = Frame(x=ends, y=(0.0, max(float(each.max()) for each in shares) * 1.05))
    drawn = [_outline(frame, edges, each, place) for place, each in enumerate(shares)]
    heads = ("How the scores are spread", _names(spreads), f"shares in {_BINS} bins")
    label = f"Histograms of {_names(spreads)}, laid over one another"
    parts = [*title_lines(heads), *frame.axes("score", "share of the set's scores"), *drawn]
    return drawing(label, parts)


def shares_below(spreads: Sequence[Spread]) -> str:
    """The share of each set's scores up to each score (ECDF): what a threshold would discard."""
    ends = _ends(spreads)
    frame = Frame(x=ends, y=(0.0, 1.0))
    at = np.linspace(*ends, 2 * WIDTH + 1)
    drawn = [
        f'<path class="curve {style(place)}" '
        f'd="{frame.points(at, each.shares_up_to(at), "linear")}">'
        f"<title>{escape(each.name)}</title></path>"
        for place, each in enumerate(spreads)
    ]
    note = "share of the scores up to each score (ECDF)"
    heads = ("What a threshold would discard", _names(spreads), note)
    label = f"Shares of the scores of {_names(spreads)} up to each score"
    parts = [*title_lines(heads), *frame.axes("score", "share of the set's scores"), *drawn]
    return drawing(label, parts)


def _outline(frame: Frame, edges: Values, shares: Values, place: int) -> str:
    """The outline of a histogram along the tops of its bins, the area below it tinted."""
    floor = frame.down(0.0)
    steps = "".join(
        f"V{frame.down(share):.1f}H{frame.across(right):.1f}"
        for share, right in zip(shares.tolist(), edges[1:].tolist(), strict=True)
    )
    way = f"M{frame.across(float(edges[0])):.1f} {floor:.1f}{steps}"
    return (
        f'<path class="area {style(place).split()[0]}" d="{way}V{floor:.1f}Z"/>'
        f'<path class="curve {style(place)}" d="{way}"/>'
    )


def _ends(spreads: Sequence[Spread]) -> Ends:
    """0..100, or what holds all scores where they are on another scale."""
    low = min(float(each.scores[0]) for each in spreads)
    high = max(float(each.scores[-1]) for each in spreads)
    if low >= 0.0 and 1.0 < high <= 100.0:
        return 0.0, 100.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _keyed(spreads: Sequence[Spread]) -> list[list[str]]:
    """The rows of the legend, as HTML: a piece of each set's line beside its name."""
    rows = []
    for place, (name, *cells) in enumerate(spread_rows(spreads)):
        key = f'<span class="key">{swatch(place)}<span>{escape(name)}</span></span>'
        rows.append([key, *map(escape, cells)])
    return rows


def _soft(text: str) -> str:
    return f'<p class="soft">{escape(text)}</p>'


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return report_html.captioned(caption, head, rows)


def _section(anchor: str, heading: str, body: str) -> Section:
    return Section(anchor=anchor, heading=escape(heading), body=body)


def _names(spreads: Sequence[Spread]) -> str:
    return ", ".join(each.name for each in spreads)
