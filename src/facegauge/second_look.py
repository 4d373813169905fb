"""A second look at each candidate: cut out with what surrounds it, all in one run, and judged.

The first look searches a whole picture quickly, and may be generous. The judge, a second network in
the detector's file, sees each candidate alone and at one size. Its evidence is added to the first
look's confidence on the scale of logits, and its box and landmarks are averaged with the first's
(docs/log.md has what each of these is worth).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge import framing, models
from facegauge.candidates import Candidates, joined, logits
from facegauge.values import Pixels

Numbers = npt.NDArray[np.float32]
Judge = Callable[[Pixels], Candidates]
"""What looks at squares, uint8 RGB N×SIDE×SIDE×3: one candidate each, in pixels of the square."""

SIDE = models.SQUARE
"""Side in pixels of the square that a judge is shown."""
FILLED = 0.65
"""Long side of the candidate's box, as a share of the square's."""
LEAST = 0.05
"""Confidence of the first look from which a candidate is looked at again."""
AT_ONCE = 64
"""Squares in one run."""
SHARE = 0.7
"""Weight of the judge's box and landmarks beside the first look's."""


def judged(pixels: Pixels, found: Candidates, judge: Judge) -> Candidates:
    """Candidates after both looks: evidence added, boxes and landmarks averaged.

    Args:
        pixels: the picture, uint8 RGB H×W×3.
        found: N candidates in pixels of the picture.
        judge: the second network.
    """
    parts = [
        _judged(pixels, found[at : at + AT_ONCE], judge) for at in range(0, len(found), AT_ONCE)
    ]
    return joined(parts) if parts else found


def _judged(pixels: Pixels, found: Candidates, judge: Judge) -> Candidates:
    squares = [around(box) for box in found.boxes]
    said = judge(np.stack([shown(pixels, square) for square in squares]))
    factors = np.array([[square.side / SIDE] for square in squares])
    corners = np.array([[square.left, square.top] for square in squares]) + 0.5 * factors - 0.5
    boxes = said.boxes * factors + np.tile(corners, 2)
    landmarks = said.landmarks * factors + np.tile(corners, 5)
    evidence = logits(found.confidence) + logits(said.confidence)
    return Candidates(
        boxes=(SHARE * boxes + (1 - SHARE) * found.boxes).astype(np.float32),
        landmarks=(SHARE * landmarks + (1 - SHARE) * found.landmarks).astype(np.float32),
        confidence=(1.0 / (1.0 + np.exp(-evidence))).astype(np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A part of a picture in whole pixels; it may reach beyond the picture."""

    left: int
    top: int
    side: int


def around(box: Numbers, filled: float = FILLED) -> Square:
    """The square in whose middle a box (x0, y0, x1, y1) lies and fills its share."""
    x0, y0, x1, y1 = box.tolist()
    side = max(2, round(max(x1 - x0, y1 - y0) / filled))
    left, top = ((low + high) / 2 - (side - 1) / 2 for low, high in ((x0, x1), (y0, y1)))
    return Square(left=round(left), top=round(top), side=side)


def shown(pixels: Pixels, square: Square, side: int = SIDE) -> Pixels:
    """The square's pixels at this side, black beyond the picture."""
    cut = np.zeros((square.side, square.side, 3), dtype=np.uint8)
    top, left = max(0, square.top), max(0, square.left)
    bottom, right = max(0, square.top + square.side), max(0, square.left + square.side)
    part = pixels[top:bottom, left:right]
    down, across = top - square.top, left - square.left
    cut[down : down + part.shape[0], across : across + part.shape[1]] = part
    return framing.resized(cut, side, side)
