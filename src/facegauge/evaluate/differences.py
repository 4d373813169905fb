"""Differences of pAUC: is a method better than the reference, seen on the same resamples?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from facegauge.errors import InputError
from facegauge.evaluate.bootstrap import MethodComparison
from facegauge.evaluate.line import ordered
from facegauge.evaluate.report_parts import csv_text, markdown
from facegauge.evaluate.table import decimals_for, plain

COLUMNS = (
    "recogniser",
    "set_name",
    "method",
    "reference",
    "difference",
    "low",
    "high",
    "confidence",
    "method_is",
)
"""Columns of ``differences.csv``."""

HEAD = ("Method", "Recogniser", "Set", "Difference", "Interval", "Method is")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """PAUC of ``method`` minus that of ``reference``: below 0 where the method is better.

    ``low``..``high`` is the interval of ``confidence`` (0..1) from resamples that both share. A
    percentile interval need not contain ``value``.

    Raises:
        InputError: an empty name, numbers that are not finite, low above high, or a confidence
            outside (0, 1).
    """

    method: str
    reference: str
    set_name: str
    recogniser: str
    value: float
    low: float
    high: float
    confidence: float

    def __post_init__(self) -> None:
        names = (self.method, self.reference, self.set_name, self.recogniser)
        numbers = (self.value, self.low, self.high, self.confidence)
        finite = all(math.isfinite(number) for number in numbers)
        if not all(names) or not finite or self.low > self.high or not 0 < self.confidence < 1:
            raise InputError(
                "A difference needs four names, a finite value, low <= high and a confidence in "
                f"(0, 1), got {names} and {numbers}. Take it from MethodComparison.difference."
            )

    @property
    def verdict(self) -> str:
        """What the method is: ``better``, ``worse``, or ``not told apart`` where 0 is inside."""
        if self.low <= 0.0 <= self.high:
            return "not told apart"
        return "better" if self.high < 0.0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return asdict(self) | {"method_is": self.verdict}


def to_reference(found: MethodComparison, set_name: str) -> tuple[Difference, ...]:
    """Each further method against the first one, for one recogniser on one set; none for one.

    Raises:
        InputError: the curves name no recogniser, or the set has no name.
    """
    reference, *others = found.curves
    return tuple(
        _difference(found, other.method, reference.method, set_name, other.recogniser)
        for other in others
    )


def _difference(
    found: MethodComparison, method: str, reference: str, set_name: str, recogniser: str
) -> Difference:
    interval = found.difference(method, reference)
    return Difference(
        method=method,
        reference=reference,
        set_name=set_name,
        recogniser=recogniser,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        confidence=interval.confidence,
    )


def note(own: Sequence[Difference]) -> str:
    """How to read differences to one reference."""
    levels = " or ".join(map(percent, ordered(row.confidence for row in own)))
    return (
        f"pAUC of a method minus that of {own[0].reference}: below 0 the method is better. The "
        f"{levels} interval is from resamples of people that all methods share, and tells two "
        "apart where it excludes 0. Each interval stands alone: of many differences that are "
        "none, some will be told apart by chance."
    )


def by_reference(found: Sequence[Difference]) -> tuple[tuple[Difference, ...], ...]:
    """The differences to each reference, in order of first appearance."""
    return tuple(
        tuple(row for row in found if row.reference == name)
        for name in ordered(row.reference for row in found)
    )


def decimals_of(found: Sequence[Difference]) -> int:
    """Digits behind the point: as for a table of pAUC, and two digits of the narrowest interval.

    At most six for the latter, as an interval may be as narrow as rounding.
    """
    widths = [row.high - row.low for row in found if row.high > row.low]
    narrow = 1 - math.floor(math.log10(min(widths))) if widths else 0
    usual = decimals_for([end for row in found for end in (row.value, row.low, row.high)])
    return max(usual, min(narrow, 6))


def percent(share: float) -> str:
    """A share 0..1 in percent.

    Example:
        >>> percent(0.95)
        '95 %'
    """
    return f"{share * 100:g} %"


def signed(value: float, decimals: int) -> str:
    """A number with its sign, and 0 without one.

    Example:
        >>> signed(0.0123, 3), signed(-0.0001, 3)
        ('+0.012', '0.000')
    """
    shown = f"{value:+.{decimals}f}"
    return shown if float(shown) else shown[1:]


def interval(row: Difference, decimals: int) -> str:
    """``[low, high]`` with signs."""
    return f"[{signed(row.low, decimals)}, {signed(row.high, decimals)}]"


def to_markdown(found: Sequence[Difference]) -> str:
    """A heading, a note and a table for each reference; nothing without differences."""
    decimals = decimals_of(found)
    parts = []
    for own in by_reference(found):
        rows = [
            [
                *map(plain, (row.method, row.recogniser, row.set_name)),
                signed(row.value, decimals),
                interval(row, decimals),
                row.verdict,
            ]
            for row in own
        ]
        heading = f"## Difference to {plain(own[0].reference)}"
        parts.append(f"{heading}\n\n{plain(note(own))}\n\n{markdown(HEAD, rows)}\n")
    return "\n".join(parts)


def to_csv(found: Sequence[Difference]) -> str:
    """All differences as csv, numbers in full; only the first line without differences."""
    rows = []
    for row in found:
        numbers = (row.value, row.low, row.high, row.confidence)
        names = (row.recogniser, row.set_name, row.method, row.reference)
        rows.append([*names, *map(repr, numbers), row.verdict])
    return csv_text(COLUMNS, rows)
