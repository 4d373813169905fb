"""How much a picture may be reduced before it is decoded: a model's crops keep their pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence

from facegauge import alignment, framing
from facegauge.cards import Crop, View
from facegauge.values import Face

FEWEST_EYE_PIXELS = 12.0
"""Pixels between the eyes (of a frontal face), in the full picture, for a crop of 112 pixels.

That is a third of what the crop has (35): with less, two pixels of three are interpolated, and the
score would be that of the interpolation. A crop of another size needs in proportion.
"""


def fewest_eye_pixels(crop: Crop) -> float:
    """Pixels between the eyes that a face needs for a score, for a crop of this size."""
    return FEWEST_EYE_PIXELS * crop.size / alignment.TEMPLATE_SIZE


def every_pixel(crop: Crop) -> bool:
    """Whether the crop's resampling is one that reduced decoding would change."""
    return crop.resampling in ("reference", "pillow-bilinear")


def largest_reduction(crop: Crop, faces: Sequence[Face]) -> float:
    """The most a picture may be reduced: these faces keep twice the pixels that crops hold."""
    if every_pixel(crop):
        return 1.0
    if crop.view is View.WHOLE:
        return _loose(crop, faces)
    need = fewest_eye_pixels(crop)
    distances = [alignment.frontal_eye_distance(each.landmarks) for each in faces]
    smallest = min((each for each in distances if each >= need), default=math.inf)
    held = alignment.TEMPLATE_EYE_DISTANCE * crop.size / alignment.TEMPLATE_SIZE
    return max(1.0, smallest / (2 * held))


def _loose(crop: Crop, faces: Sequence[Face]) -> float:
    """The same for a loose view: its short side keeps twice the pixels that are resized to."""
    boxes = [box for face in faces if (box := framing.loose_box(face))]
    sides = [min(box.x1 - box.x0, box.y1 - box.y0) for box in boxes]
    return max(1.0, min(sides, default=1.0) / (2 * crop.short_side))
