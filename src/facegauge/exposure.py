"""How a face is lit: under- and over-exposure, dynamic range, and whether one side is dark.

All are measured on the luma (ITU-R BT.601, 0..255) of the aligned crop of 112 × 112, inside an oval
from the forehead to the chin, as far as it lies in the picture. The light on a side is linear:
luma without the sRGB curve (IEC 61966-2-1).

ISO/IEC 29794-5:2025 calls a face under-exposed by the share of its pixels of linear luminance 25 of
255 and below. Skin that is dark by nature has three times as many of them in well-lit pictures
(docs/decisions.md), so the brightest part of the face is asked instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from facegauge import alignment
from facegauge.grading import FINE, graded, ramp
from facegauge.values import Coordinates, Landmarks, Measure, Pixels

SIZE = alignment.TEMPLATE_SIZE
"""Side in pixels of the crop that light is measured on."""
BRIGHT = 95.0
"""Percentile of a face's luma that says how bright it is."""
DARKEST, BRIGHT_ENOUGH = 10.0, 130.0
"""That percentile where nothing is seen (0), and from where a face is bright enough (100)."""
WHITE = 250
"""Luma from which a pixel is white (linear luminance 247 of 255, as in ISO/IEC 29794-5)."""
FLATTEST, RICH = 3.5, 6.75
"""Bits of dynamic range of a face that is flat (0) and of one that is not (100)."""
UNEVEN, EVEN = 6.0, 1.0
"""Stops between the two cheeks: one lost in the dark (0), and what faces commonly have (100)."""

_OVAL = (56.0, 70.0, 31.0, 40.0)  # centre and half axes in the crop
_CHEEK_ROWS, _LEFT_CHEEK, _RIGHT_CHEEK = slice(56, 90), slice(26, 48), slice(65, 87)
_FEWEST = 100
_FEWEST_OF_A_CHEEK = 0.5

Levels = npt.NDArray[np.uint8]
Inside = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lit:
    """A face as light falls on it: luma 0..255 and which pixels the picture has, 112×112 each."""

    levels: Levels
    inside: Inside

    @property
    def face(self) -> Levels:
        """The luma of the pixels of the face that the picture has, one dimension."""
        return self.levels[self.inside & _oval()]


def lit(pixels: Pixels, landmarks: Landmarks) -> Lit | None:
    """A face's light; None where the picture has next to nothing of the face.

    Raises:
        LandmarkError: the landmarks resemble no face.
    """
    crop = alignment.align(pixels, landmarks, SIZE)
    inside = _inside(landmarks, pixels.shape[1], pixels.shape[0])
    seen = Lit(levels=np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8), inside=inside)
    return seen if seen.face.size >= _FEWEST else None


def under_exposure(seen: Lit) -> Measure:
    """How bright the bright parts of a face are: the 95th percentile of its luma, in grey levels.

    In the place of ISO/IEC 29794-5:2025, under-exposure prevention; see above.
    """
    level = float(np.percentile(seen.face, BRIGHT))
    grade = ramp(level, none=DARKEST, full=BRIGHT_ENOUGH)
    advice = "too dark: let more light fall on the face from the front"
    return graded("under-exposure", grade, value=level, unit="grey levels", advice=advice)


def over_exposure(seen: Lit) -> Measure:
    """How much of a face is white, a share 0..1 (ISO/IEC 29794-5:2025, over-exposure prevention).

    The grade falls straight to 0 at a white face: white parts cost less than ISO's grade says.
    """
    share = float((seen.face >= WHITE).mean())
    advice = "too bright: soften the light, or expose shorter"
    grade = ramp(share, none=1.0, full=0.0)
    return graded("over-exposure", grade, value=share, unit="share of the face", advice=advice)


def dynamic_range(seen: Lit) -> Measure:
    """How many grey levels a face has: the entropy of its luma, 0..8 bits.

    -sum(p log2 p) of the histogram (ISO/IEC 29794-5:2025, dynamic range; there of linear
    luminance).
    """
    counts = np.bincount(seen.face, minlength=256)
    shares = counts[counts > 0] / counts.sum()
    bits = float(abs(np.sum(shares * np.log2(shares))))
    grade = ramp(bits, none=FLATTEST, full=RICH)
    return graded("dynamic range", grade, value=bits, unit="bits", advice=_why_flat(seen))


def _why_flat(seen: Lit) -> str:
    """What takes a face's grey levels: too little light, too much, or what is before the lens."""
    if under_exposure(seen).score < FINE:
        return "few grey levels, as it is dark: add light"
    if over_exposure(seen).score < FINE:
        return "few grey levels, as much of it is white: soften the light"
    return "little contrast: clean the lens, and let no light shine into it"


def uniformity(seen: Lit) -> Measure | None:
    """How evenly a face is lit: the light on its left cheek over that on its right, in stops.

    log2 of the ratio of the mean linear luminances; positive where the left of the picture is
    brighter, None where the picture lacks half of a cheek. In the place of ISO/IEC 29794-5:2025,
    illumination uniformity, which compares histograms of the two cheeks and does not say by how
    much they differ.
    """
    left, right = _light(seen, _LEFT_CHEEK), _light(seen, _RIGHT_CHEEK)
    if left is None or right is None:
        return None
    stops = math.log2(left / right)
    side = "right" if stops > 0 else "left"
    advice = f"too dark on the {side} side: turn towards the light"
    grade = ramp(abs(stops), none=UNEVEN, full=EVEN)
    return graded("illumination uniformity", grade, value=stops, unit="stops", advice=advice)


def _light(seen: Lit, columns: slice) -> float | None:
    """Mean linear luminance of a cheek, at least that of level 1."""
    levels, inside = seen.levels[_CHEEK_ROWS, columns], seen.inside[_CHEEK_ROWS, columns]
    if inside.mean() < _FEWEST_OF_A_CHEEK:
        return None
    light = _linear(levels[inside].astype(np.float64) / 255)
    return max(float(light.mean()), float(_linear(np.array(1 / 255))))


def _linear(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The light behind sRGB values, both 0..1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@cache
def _oval() -> Inside:
    """The pixels of a face in the crop, from the forehead to the chin."""
    x, y, across, down = _OVAL
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.asarray(((columns - x) / across) ** 2 + ((rows - y) / down) ** 2 <= 1)


def _inside(landmarks: Landmarks, width: int, height: int) -> Inside:
    """Which pixels of the crop lie in the picture."""
    similarity = alignment.fit_similarity(landmarks.array(), alignment.template(SIZE))
    points = similarity.undo(_pixels())
    found = (points > -0.5) & (points < np.array([width, height]) - 0.5)
    return np.asarray(found.all(axis=1).reshape(SIZE, SIZE))


@cache
def _pixels() -> Coordinates:
    """Where the pixels of the crop are in it, x and y, 12544×2."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.column_stack([columns.ravel(), rows.ravel()]).astype(np.float64)
