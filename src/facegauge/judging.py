"""The judge: a second network in a detector's file that is asked about doubtful candidates.

The first look searches a whole picture quickly. What it nearly takes for a face the judge sees
alone, with what surrounds it, at one size, all such candidates in one run. Its evidence is added to
the first look's on the scale of logits; where the face lies stays what the first look said. Of a
candidate so small that its square would have to be enlarged the judge sees no more than the first
look did, and is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facegauge import models
from facegauge.candidates import Candidates, logits
from facegauge.squares import Square, around, shown
from facegauge.values import Pixels

Numbers = npt.NDArray[np.float32]
Judge = Callable[[Pixels], Numbers]
"""What looks at squares, uint8 RGB N×SIDE×SIDE×3, and says N confidences 0..1."""

SIDE = models.SQUARE
"""Side in pixels of the square that a judge is shown."""
FILLED = 0.65
"""Long side of the candidate's box, as a share of the square's."""
LEAST, SURE = 0.08, 0.5
"""Confidences of the first look between which the judge is asked: below it is no face, from there
on it is one."""
AT_ONCE = 64
"""Squares in one run."""


def judged(pixels: Pixels, found: Candidates, judge: Judge) -> Candidates:
    """Candidates with the confidence that both looks give them.

    Args:
        pixels: the picture, uint8 RGB H×W×3.
        found: N candidates in pixels of the picture.
        judge: the second network.
    """
    squares = [square(box) for box in found.boxes]
    large = np.array([each.side >= SIDE for each in squares], dtype=np.bool_)
    doubtful = np.flatnonzero((found.confidence < SURE) & large)
    confidence = found.confidence.copy()
    for start in range(0, len(doubtful), AT_ONCE):
        some = doubtful[start : start + AT_ONCE]
        said = judge(np.stack([shown(pixels, squares[place], SIDE) for place in some]))
        evidence = logits(confidence[some]) + logits(said)
        confidence[some] = 1.0 / (1.0 + np.exp(-evidence))
    return replace(found, confidence=confidence)


def square(box: Numbers, filled: float = FILLED) -> Square:
    """What is shown around a candidate's box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box.tolist()
    return around(x0, y0, x1, y1, filled)
