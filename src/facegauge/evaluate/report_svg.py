"""Plots of the report as inline SVG: curves and histograms, coloured by the page's style.

Every plot carries in its own letters what it was computed with: preset, FMR, limit and counts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from facegauge.evaluate.line import Line
from facegauge.evaluate.scored import Scored

Values = npt.NDArray[np.float64]

WIDTH, HEIGHT = 380, 320
"""Units of the drawing, about pixels."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 72, 44
_COLOURS, _DASHES = 8, 4
_BINS = 25
_HEAD, _NOTE = 48, 64  # letters that fit into one line


def curves(lines: Sequence[Line], places: Sequence[int]) -> str:
    """The curves of one recogniser on one set, each in the style of its method's place."""
    limit = lines[0].discard_limit
    paths = [_path(line) for line in lines]
    highest = max(float(y.max()) for _, y in paths)
    frame = Frame(x=(0.0, limit), y=(0.0, highest * 1.05 or 1.0))
    first = lines[0]
    heads = (f"{first.set_name} · {first.recogniser}", first.rule, counts(lines))
    drawn = [
        f'<path class="curve {style(place)}" d="{frame.points(x, y, line.shape)}">'
        f"<title>{escape(line.method)}</title></path>"
        for line, place, (x, y) in zip(lines, places, paths, strict=True)
    ]
    starts = {line.error[0] for line in lines}
    if len(starts) == 1:
        level = frame.down(starts.pop())
        drawn.insert(0, f'<path class="flat" d="M{_LEFT} {level:.1f}H{WIDTH - _RIGHT}"/>')
    names = ", ".join(line.method for line in lines)
    return drawing(
        f"Error versus discard of {names}: {'. '.join(heads)}",
        [
            *title_lines(heads),
            *frame.axes("discarded share", f"{first.kind} of what is left"),
            *drawn,
        ],
    )


def histogram(scored: Scored) -> str:
    """How many images have which score; 0..100 where all scores lie in there."""
    values = scored.known
    inside = not values.size or (values.min() >= 0 and values.max() <= 100 and values.max() > 1)
    ends = (0.0, 100.0) if inside else (float(values.min()), float(values.max()))
    if ends[0] == ends[1]:
        ends = (ends[0] - 0.5, ends[1] + 0.5)
    amounts, edges = np.histogram(values, bins=_BINS, range=ends)
    frame = Frame(x=ends, y=(0.0, float(max(int(amounts.max()), 1)) * 1.05))
    bars = [
        f'<rect class="bar" x="{frame.across(left) + 0.5:.1f}" y="{frame.down(amount):.1f}" '
        f'width="{frame.across(right) - frame.across(left) - 1:.1f}" '
        f'height="{frame.down(0) - frame.down(amount):.1f}"/>'
        for amount, left, right in zip(amounts, edges[:-1], edges[1:], strict=True)
        if amount
    ]
    heads = (f"{scored.method} · {scored.set_name}", *_spread(scored))
    label = f"Histogram of scores: {'. '.join(heads)}"
    return drawing(label, [*title_lines(heads), *frame.axes("score", "images"), *bars])


def swatch(place: int) -> str:
    """A short piece of a method's line, for legends."""
    return (
        '<svg class="swatch" viewBox="0 0 28 10" aria-hidden="true">'
        f'<path class="curve {style(place)}" d="M0 5H28"/></svg>'
    )


def style(place: int) -> str:
    """The classes of the method at ``place``: eight colours, then the same with dashes.

    Example:
        >>> style(1), style(9)
        ('m1', 'm1 d1')
    """
    dash = place // _COLOURS % _DASHES
    return f"m{place % _COLOURS}" + (f" d{dash}" if dash else "")


def counts(lines: Sequence[Line]) -> str:
    """Comparisons, errors and threshold before any discard, as ranges where methods differ."""
    thresholds = [line.threshold for line in lines if line.threshold is not None]
    at = f" at threshold {_range(thresholds, '.4f')}" if thresholds else ""
    pairs = _range([line.comparisons for line in lines], ",d")
    return f"{pairs} comparisons, {_range([line.errors for line in lines], ',d')} errors{at}"


class Frame:
    """The area of a plot: from values to places in the drawing, and its axes."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self._x, self._y = x, y

    def across(self, value: float) -> float:
        """Where a value of x is drawn."""
        low, high = self._x
        return _LEFT + (value - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        """Where a value of y is drawn."""
        low, high = self._y
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    def points(self, x: Values, y: Values, shape: str) -> str:
        """The d of a path: stairs as steps to the right and down, or straight lines."""
        across = [f"{self.across(value):.1f}" for value in x.tolist()]
        down = [f"{self.down(value):.1f}" for value in y.tolist()]
        start, right = f"M{across[0]} {down[0]}", f"{WIDTH - _RIGHT}"
        if shape == "linear":
            return start + "".join(f"L{a} {b}" for a, b in zip(across[1:], down[1:], strict=True))
        steps = zip(across[1:], down[1:], down, strict=False)
        return start + "".join(f"H{a}V{b}" for a, b, before in steps if b != before) + f"H{right}"

    def axes(self, x_label: str, y_label: str) -> list[str]:
        """Grid, ticks and what the axes show."""
        right, floor = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        middle = (_TOP + floor) / 2
        parts = []
        for value, name in ticks(*self._y):
            at = self.down(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{right}"/>')
            parts.append(letters(name, _LEFT - 6, at + 4, "tick", "end"))
        for value, name in ticks(*self._x):
            at = self.across(value)
            parts.append(f'<path class="axis" d="M{at:.1f} {floor}v4"/>')
            parts.append(letters(name, at, floor + 16, "tick", "middle"))
        parts.append(f'<path class="axis" d="M{_LEFT} {floor}H{right}"/>')
        parts.append(letters(x_label, (_LEFT + right) / 2, HEIGHT - 8, "", "middle"))
        turned = f'transform="rotate(-90 12 {middle:.1f})"'
        parts.append(letters(y_label, 12, middle, "", "middle", turned))
        return parts


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Three to seven round values from ``low`` to ``high``, with their letters.

    Example:
        >>> [name for _, name in ticks(0.0, 0.3)]
        ['0', '0.05', '0.10', '0.15', '0.20', '0.25', '0.30']
    """
    rough = (high - low) / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = float(power * next(each for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9)))
    decimals = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    first, last = int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9))
    values = [number * step for number in range(first, last + 1)]
    return [(value, "0" if value == 0 else f"{value:,.{decimals}f}") for value in values]


def _path(line: Line) -> tuple[Values, Values]:
    """Points of a curve up to its limit: x and y, M each, no more than the drawing can show."""
    x, y = np.array(line.discard, dtype=np.float64), np.array(line.error, dtype=np.float64)
    limit = line.discard_limit
    inside = x <= limit
    if line.shape == "linear":
        end = float(np.interp(limit, x, y))
        return np.append(x[inside], limit), np.append(y[inside], end)
    return _thinned(x[inside], y[inside], limit)


def _thinned(x: Values, y: Values, limit: float) -> tuple[Values, Values]:
    """The last point in each half unit of the drawing: the others would hide beneath."""
    column = np.floor(x / limit * WIDTH * 2)
    last = np.append(column[1:] != column[:-1], True)
    last[0] = True
    return x[last], y[last]


def _spread(scored: Scored) -> tuple[str, str]:
    missing = f", {scored.missing:,} without a score" if scored.missing else ""
    known = scored.known
    first = f"{len(scored.paths):,} images{missing}"
    if not known.size:
        return first, "no scores"
    low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
    return (
        first,
        f"mean {known.mean():.4g}, median {middle:.4g}, 5 to 95 %: {low:.4g} to {high:.4g}",
    )


def _range(values: Sequence[float], form: str) -> str:
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def title_lines(heads: Sequence[str]) -> list[str]:
    """The first in bold, the others below it in at most three lines."""
    lines = [line for head in heads[1:] for line in textwrap.wrap(head, _NOTE)][:3]
    title = textwrap.shorten(heads[0], _HEAD, placeholder="…")
    below = [letters(line, 0, 30 + 15 * place, "note", "start") for place, line in enumerate(lines)]
    return [letters(title, 0, 13, "head", "start"), *below]


def letters(text: str, x: float, y: float, kind: str, anchor: str, more: str = "") -> str:
    """Text that stands at x and y: its ``anchor`` is start, middle or end."""
    style_of = f' class="{kind}"' if kind else ""
    return (
        f'<text{style_of} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>'
        f"{escape(text)}</text>"
    )


def drawing(label: str, parts: Sequence[str], height: float = HEIGHT) -> str:
    """The whole drawing, ``WIDTH`` units wide; ``label`` is read out in its place."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )
