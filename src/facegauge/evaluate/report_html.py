"""The report as one HTML page that asks for nothing outside of itself and runs no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from facegauge.evaluate import report_svg
from facegauge.evaluate.line import Line, ordered
from facegauge.evaluate.operated import Operated
from facegauge.evaluate.scored import Scored
from facegauge.evaluate.table import NOTE, OVERALL, Cell, Table
from facegauge.evaluate.thumbnails import Thumbnails
from facegauge.operating import OperatingPoint

NONE = "–"
"""What stands where there is nothing to say."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the page: the name in its address, its heading and its HTML."""

    anchor: str
    heading: str
    body: str


def page(title: str, rule: str, sections: Sequence[Section]) -> str:
    """The whole page, UTF-8; sections without a body are left out."""
    shown = [section for section in sections if section.body]
    links = "".join(f'<li><a href="#{each.anchor}">{each.heading}</a></li>' for each in shown)
    parts = "".join(
        f'<section aria-labelledby="{each.anchor}"><h2 id="{each.anchor}">{each.heading}</h2>'
        f"{each.body}</section>\n"
        for each in shown
    )
    style = resources.files("facegauge.evaluate").joinpath("report.css").read_text("utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head>\n<body>"
        f"<header><h1>{escape(title)}</h1><p>{escape(rule)}</p>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header>\n<main>\n{parts}</main>\n'
        "</body></html>\n"
    )


def tables(found: Sequence[Table]) -> Section:
    """Methods by sets, a table per recogniser."""
    body = f'<p class="soft">{escape(NOTE)}</p>' + "".join(map(_area_table, found))
    return Section(anchor="areas", heading="Area under the curve", body=body)


def curves(lines: Sequence[Line]) -> Section:
    """A plot per recogniser and set; the legend of each is a table of its numbers."""
    methods = ordered([line.method for line in lines])
    parts = []
    for recogniser in ordered([line.recogniser for line in lines]):
        own = [line for line in lines if line.recogniser == recogniser]
        panels = [
            _panel([line for line in own if line.set_name == name], methods)
            for name in ordered([line.set_name for line in own])
        ]
        parts.append(f"<h3>{escape(recogniser)}</h3>{side_by_side(panels)}")
    note = "The curve of a good score falls at once; dotted is the error without any discard."
    intro = f'<p class="soft">{note}</p>'
    return Section(anchor="curves", heading="Error versus discard", body=intro + "".join(parts))


def histograms(scored: Sequence[Scored]) -> Section:
    """How each method's scores are spread."""
    panels = [f"<figure>{report_svg.histogram(each)}</figure>" for each in scored]
    return Section(anchor="scores", heading="Scores", body=side_by_side(panels))


def faces(scored: Sequence[Scored], thumbnails: Thumbnails, count: int) -> Section:
    """The ``count`` lowest- and highest-scored faces of each method on each set."""
    parts = []
    for each in scored if count else ():
        name = f"{escape(each.method)} on {escape(each.set_name)}"
        for word, found in (("Lowest", each.lowest(count)), ("Highest", each.highest(count))):
            items = [
                _face(thumbnails, path, score, f"{word} score {place} of {len(found)}")
                for place, (path, score) in enumerate(found, 1)
            ]
            if items:
                parts.append(f'<h3>{word}: {name}</h3><ol class="faces">{"".join(items)}</ol>')
    return Section(anchor="faces", heading="Lowest and highest faces", body="".join(parts))


def operating(found: Sequence[Operated]) -> Section:
    """What thresholds on the score do."""
    head = ["Discard below", "Discarded", "FNMR left", "Errors left", "Comparisons left"]
    parts = [captioned(each.caption, head, map(_operating, each.table.points)) for each in found]
    return Section(anchor="operating", heading="Operating table", body="".join(parts))


def _area_table(table: Table) -> str:
    what = "mean per recogniser" if table.heading == OVERALL else "pAUC per set"
    rows = [
        [escape(row.method), *(_area(table, cell) for cell in (*row.cells, row.mean))]
        for row in table.rows
    ]
    return captioned(
        f"{table.heading}: {what}", ["Method", *table.columns, "Mean"], rows, html=True
    )


def _area(table: Table, cell: Cell | None) -> str:
    if cell is None:
        return NONE
    number, interval = table.number(cell.value), table.interval(cell)
    shown = f"<strong>{number}</strong>" if cell.best else number
    return f'{shown}<span class="range">{interval}</span>' if interval else shown


def _panel(lines: Sequence[Line], methods: Sequence[str]) -> str:
    """A plot, and its legend as a table, the best first."""
    places = [methods.index(line.method) for line in lines]
    plot = report_svg.curves(lines, places)
    best_first = sorted(
        zip(lines, places, strict=True),
        key=lambda pair: math.inf if pair[0].pauc is None else pair[0].pauc,
    )
    same = len({(line.comparisons, line.errors) for line in lines}) == 1  # said on the plot
    head = ["Method", "pAUC", "Errors", "No score"]
    rows = [_legend(line, place, same) for line, place in best_first]
    caption = f"{lines[0].set_name}, {lines[0].recogniser}: legend and numbers of the plot"
    return f"<figure>{plot}{captioned(caption, *without_empty(head, rows), html=True)}</figure>"


def _legend(line: Line, place: int, same: bool) -> list[str]:
    interval = "" if line.pauc_low is None else f"[{line.pauc_low:.4f}, {line.pauc_high:.4f}]"
    area = NONE if line.pauc is None else f"{line.pauc:.4f}"
    return [
        f'<span class="key">{report_svg.swatch(place)}<span>{escape(line.method)}</span></span>',
        f'{area}<span class="range">{interval}</span>',
        NONE if same else f"{line.errors:,} of {line.comparisons:,}",
        f"{line.failures:,}" if line.failures else NONE,
    ]


def _face(thumbnails: Thumbnails, path: str, score: float, what: str) -> str:
    uri = thumbnails.uri(path)
    picture = (
        f'<div class="none">{escape(what)}: picture not readable</div>'
        if uri is None
        else f'<img src="{uri}" alt="{escape(what)}: {escape(path)}">'
    )
    return f"<li>{picture}<b>{score:.4g}</b><span>{escape(path)}</span></li>"


def _operating(at: OperatingPoint) -> list[str]:
    fnmr = NONE if at.fnmr is None else f"{at.fnmr:.4f}"
    return [f"{at.score:g}", f"{at.discarded:.1%}", fnmr, f"{at.errors:,}", f"{at.comparisons:,}"]


def captioned(
    caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], *, html: bool = False
) -> str:
    """A table that scrolls, by keyboard too, where the page is narrow; ``html``: cells are HTML."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = ""
    for first, *others in ([cell if html else escape(cell) for cell in row] for row in rows):
        cells = "".join(f"<td>{cell}</td>" for cell in others)
        body += f'<tr><th scope="row">{first}</th>{cells}</tr>'
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{names}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def without_empty(
    head: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[list[str], list[list[str]]]:
    """The columns in which any row says something."""
    used = [place for place in range(len(head)) if any(row[place] != NONE for row in rows)]
    return [head[place] for place in used], [[row[place] for place in used] for row in rows]


def side_by_side(panels: Sequence[str]) -> str:
    """Panels in as many columns as the page has room for."""
    return f'<div class="panels">{"".join(panels)}</div>' if panels else ""
