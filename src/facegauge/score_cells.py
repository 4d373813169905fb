"""What stands in the cells of a score table: numbers, lines and paths, and further models' part."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facegauge.errors import InputError
from facegauge.values import Measure, worst

DECIMALS = {"score": 4, "raw": 6, "x0": 2, "y0": 2, "x1": 2, "y1": 2, "confidence": 3}
"""Digits after the point: batches of another size move a score by less than 1e-6."""
FURTHER_COLUMNS = ("score", "raw", "model")
"""What a table says of each further model, the model's number (from 2) behind it."""

MEASURE_DECIMALS = 4
"""Digits after the point of a measure's score and value."""

LONGEST_DETAIL = 1000

WORST, NO_MEASURES = "worst: ", "no measures: "
"""What a detail says of measures begins with one of these: the worst three, or why none."""

DISAGREEMENT = 40.0
"""Score points apart from which two models disagree. Scores are percentiles of a reference
population each; two that had nothing to do with one another would be so far apart in 36 % of
faces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """What a further model says of the same face: score 0..100 and raw, or neither."""

    model: str
    score: float | None = None
    raw: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", one_line(self.model))
        for name in ("score", "raw"):
            value = rounded(name, getattr(self, name), DECIMALS[name])
            object.__setattr__(self, name, value)
        if (self.score is None) != (self.raw is None):
            raise InputError(f"A further model gives score and raw or neither, got {self}.")


def further_of(values: Mapping[str, Any]) -> tuple[Further, ...]:
    """What further models say, of the cells of a row by column."""
    found: list[Further] = []
    while (number := len(found) + 2) and f"model_{number}" in values:
        score, raw = (values.get(f"{name}_{number}") for name in ("score", "raw"))
        numbers = [None if each in (None, "") else float(each) for each in (score, raw)]
        model = values[f"model_{number}"]
        found.append(Further(model=model, score=numbers[0], raw=numbers[1]))
    return tuple(found)


def explained(detail: str, measures: Sequence[Measure]) -> str:
    """A detail with the three worst measures behind it; as it is where there are none.

    Example:
        >>> dim = Measure(name="noise", score=12.3, value=30, unit="grey levels", advice="grainy")
        >>> explained("largest of 3 faces", [dim])
        'largest of 3 faces; worst: noise 12 (grainy)'
    """
    items = [f"{each.name} {each.score:.0f} ({each.advice})" for each in worst(measures)]
    return joined(detail, WORST + "; ".join(items)) if items else detail


def joined(*details: str) -> str:
    """Details one behind the other, those that say nothing left out."""
    return "; ".join(each for each in details if each)


def one_line(text: str) -> str:
    r"""Text for a cell: printable, single spaces, at most ``LONGEST_DETAIL`` characters.

    Example:
        >>> one_line("cannot read\n a\tb")
        'cannot read a b'
    """
    if text.isprintable() and "  " not in text and len(text) <= LONGEST_DETAIL:
        return text.strip()
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    return " ".join(words)[:LONGEST_DETAIL].strip()


def rounded(name: str, value: float | None, places: int) -> float | None:
    """A number as a cell has it, or None.

    Raises:
        InputError: it is not finite.
    """
    if value is None:
        return None
    if not math.isfinite(value):
        raise InputError(f"A row needs a finite {name} or none, got {value}.")
    return round(float(value), places) + 0.0  # -0.0 becomes 0.0


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(rb"\\(x[0-9a-f]{2}|.)")


def escaped(path: str) -> str:
    r"""A path without line breaks: ``\\``, ``\n`` and ``\r`` for backslash and line breaks."""
    return path.translate(_ESCAPES)


def unescaped(text: str) -> str:
    r"""The path behind ``escaped``; ``\xff`` stands for a byte that is not UTF-8."""
    if "\\" not in text:
        return text
    raw = _ESCAPED.sub(_unescaped_byte, text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def _unescaped_byte(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes([int(code[1:], 16)])
    return {b"n": b"\n", b"r": b"\r"}.get(code, code)
