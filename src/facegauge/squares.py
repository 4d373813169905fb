"""Square parts of a picture, cut out at one size: what a second network is shown of a face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegauge import framing
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A part of a picture in whole pixels; it may reach beyond the picture."""

    left: int
    top: int
    side: int


def around(x0: float, y0: float, x1: float, y1: float, filled: float) -> Square:
    """The square in whose middle a box lies; its long side fills this share of the square's.

    Example:
        >>> around(10, 10, 30, 20, 0.5)
        Square(left=0, top=-4, side=40)
    """
    side = max(2, round(max(x1 - x0, y1 - y0) / filled))
    across, down = (x0 + x1) / 2, (y0 + y1) / 2
    return Square(left=round(across - (side - 1) / 2), top=round(down - (side - 1) / 2), side=side)


def shown(pixels: Pixels, square: Square, side: int) -> Pixels:
    """The square's pixels at this side, side×side×3, black beyond the picture."""
    cut = np.zeros((square.side, square.side, 3), dtype=np.uint8)
    top, left = max(0, square.top), max(0, square.left)
    bottom, right = max(0, square.top + square.side), max(0, square.left + square.side)
    part = pixels[top:bottom, left:right]
    down, across = top - square.top, left - square.left
    cut[down : down + part.shape[0], across : across + part.shape[1]] = part
    return framing.resized(cut, side, side)
