"""A picture without landmarks becomes what a model is shown: its centre, at the model's size."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from facegauge.cards import Crop
from facegauge.values import Box, Face, Landmarks, Pixels

LOOSE = 1.9
"""Sides of the loose view of a face, in sides of its box: hair and shoulders, and a little more."""

_BOX_WIDTH, _BOX_HEIGHT, _BOX_LIFT = 2.15, 2.92, 0.20
"""A face's box in distances from the middle of the eyes to that of the mouth: its sides, and how
far its centre is above the middle of the two. Means over 5,076 faces of a SCRFD detector."""
_LONGEST = 8
_BLANK_RANGE = 8.0


def blank(crop: Pixels) -> str:
    """Why a crop shows nothing: 96 % of its pixels lie within 8 grey levels. Mostly empty.

    Example:
        >>> blank(np.full((4, 4, 3), 200, dtype=np.uint8))
        'blank: 96 % of the pixels lie within 0 grey levels'
    """
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    low, high = _percentiles(grey, (0.02, 0.98))
    if high - low >= _BLANK_RANGE:
        return ""
    return f"blank: 96 % of the pixels lie within {high - low:.0f} grey levels"


def _percentiles(grey: Pixels, shares: tuple[float, float]) -> list[float]:
    """As ``numpy.percentile`` of grey levels, but from their counts, which sorts nothing."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256])
    below = np.cumsum(counts.ravel(), dtype=np.float64)
    last = grey.size - 1
    places = [share * last for share in shares]
    around = [[int(place), min(int(place) + 1, last)] for place in places]
    levels = np.searchsorted(below, np.array(around), side="right").tolist()
    return [
        low + (high - low) * (place % 1) for place, (low, high) in zip(places, levels, strict=True)
    ]


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


def loose_box(face: Face) -> Box | None:
    """The loose view of a face: its box, or that of its landmarks, ``LOOSE`` times as large.

    None for a face of which neither is known. The box may reach beyond the picture.
    """
    box = face.box
    if box is None and face.landmarks is not None:
        box = _box_of(face.landmarks)
    if box is None:
        return None
    x, y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    across, down = (box.x1 - box.x0) * LOOSE / 2, (box.y1 - box.y0) * LOOSE / 2
    return Box(x0=x - across, y0=y - down, x1=x + across, y1=y + down)


def cut(pixels: Pixels, box: Box) -> Pixels:
    """The part of a picture inside a box, as far as there is one; may have no pixels."""
    height, width = pixels.shape[:2]
    left, right = (int(np.clip(np.floor(x + 0.5), 0, width)) for x in (box.x0, box.x1))
    top, bottom = (int(np.clip(np.floor(y + 0.5), 0, height)) for y in (box.y0, box.y1))
    return pixels[top:bottom, left:right]


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


def _box_of(points: Landmarks) -> Box:
    """Where a detector would see the face of these landmarks, upright."""
    array = points.array()
    eyes, mouth = array[:2].mean(axis=0), array[3:].mean(axis=0)
    unit = max(float(np.linalg.norm(mouth - eyes)), points.inter_eye_distance * 0.5, 1e-6)
    x, y = (eyes + mouth) / 2 - (0.0, _BOX_LIFT * unit)
    across, down = _BOX_WIDTH * unit / 2, _BOX_HEIGHT * unit / 2
    return Box(x0=x - across, y0=y - down, x1=x + across, y1=y + down)


def _middle(pixels: Pixels) -> Pixels:
    """The middle of a picture more than eight times as long as wide; others as they are."""
    height, width = pixels.shape[:2]
    longest = _LONGEST * min(height, width)
    top, left = max(0, height - longest) // 2, max(0, width - longest) // 2
    return pixels[top : top + longest, left : left + longest]
