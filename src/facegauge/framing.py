"""A picture without landmarks becomes what a model is shown: its centre, at the model's size."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from facegauge.cards import Crop
from facegauge.values import Pixels

_LONGEST = 8
_BLANK_RANGE = 8.0


def blank(crop: Pixels) -> str:
    """Why a crop shows nothing: 96 % of its pixels lie within 8 grey levels. Mostly empty.

    Example:
        >>> blank(np.full((4, 4, 3), 200, dtype=np.uint8))
        'blank: 96 % of the pixels lie within 0 grey levels'
    """
    low, high = np.percentile(np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)), [2, 98])
    if high - low >= _BLANK_RANGE:
        return ""
    return f"blank: 96 % of the pixels lie within {high - low:.0f} grey levels"


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize without aliasing: area averaging down, bilinear up."""
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = pixels.shape[0] > height or pixels.shape[1] > width
    kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind), dtype=np.uint8)


def centre_square(pixels: Pixels, share: float, size: int) -> Pixels:
    """The centre square with ``share`` of the short side, resized to size×size."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * share))
    top, left = (height - side) // 2, (width - side) // 2
    return resized(pixels[top : top + side, left : left + side], size, size)


def whole_view(pixels: Pixels, crop: Crop) -> Pixels:
    """Resize the short side, keep the shape, and take the centre size×size."""
    small = reduced(pixels, crop)
    top, left = (small.shape[0] - crop.size) // 2, (small.shape[1] - crop.size) // 2
    return np.ascontiguousarray(small[top : top + crop.size, left : left + crop.size])


def reduced(pixels: Pixels, crop: Crop) -> Pixels:
    """A picture whose short side is resized as a crop says, its shape kept.

    Of a long strip only the middle is resized: the centre needs no more of it.
    """
    pixels = _middle(pixels)
    height, width = pixels.shape[:2]
    factor = crop.short_side / min(height, width)
    size = (max(crop.size, round(width * factor)), max(crop.size, round(height * factor)))
    if crop.resampling == "pillow-bilinear":
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
    return resized(pixels, *size)


def _middle(pixels: Pixels) -> Pixels:
    """The middle of a picture more than eight times as long as wide; others as they are."""
    height, width = pixels.shape[:2]
    longest = _LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]
