"""A measured value becomes 0..100 and, where it is low, a sentence of advice.

Every grade is meant alike, so that grades of different measures may be compared: 100 where there is
nothing to gain, and 50 about where the default model's score of an otherwise good portrait falls
to half (``benchmarks/measures.py`` prints the ladders). Where a fault hardly moves a score, the
ramp ends where a person would not take the picture.
"""

from __future__ import annotations

import math

import numpy as np

from facegauge.values import Measure

FINE = 75.0
"""Grade from which there is nothing to advise."""
NOTHING_TO_DO = "fine"
"""The advice from there on."""


def graded(name: str, grade: float, *, value: float, unit: str, advice: str) -> Measure:
    """A measure whose ``advice`` stands only where the grade, 0..100, is below ``FINE``."""
    said = advice if grade < FINE else NOTHING_TO_DO
    return Measure(name=name, score=float(grade), value=float(value), unit=unit, advice=said)


def ramp(value: float, *, none: float, full: float) -> float:
    """0..100: 0 at ``none`` and beyond, 100 at ``full`` and beyond, straight in between.

    Example:
        >>> ramp(20, none=6, full=30), ramp(0.2, none=1, full=0), ramp(50, none=6, full=30)
        (58.333333333333336, 80.0, 100.0)
    """
    return float(100 * np.clip((value - none) / (full - none), 0, 1))


def upright(degrees: float) -> float:
    """0..100: 100 cos² of an angle, 0 from 90 degrees on (ISO/IEC 29794-5:2025, head pose).

    Example:
        >>> round(upright(-45))
        50
    """
    return 100 * max(0.0, math.cos(math.radians(degrees))) ** 2
