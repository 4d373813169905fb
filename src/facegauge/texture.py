"""What a face's own pixels are like: sharpness, noise, and the blocks that compression leaves.

Cut straight out of the full picture, without resampling: the square around the face's oval. Noise
and blocks are measured in those pixels (at most the middle 512 × 512); sharpness where the eyes
are 44 pixels apart or less, since finer blur costs no score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from facegauge import alignment
from facegauge.grading import graded, ramp
from facegauge.values import Landmarks, Measure, Pixels

MIDDLE = 512
"""Side in pixels of the middle of a face that noise and blocks are measured in."""
EYES = 44.0
"""Pixels between the eyes to which a larger face is reduced to measure its sharpness."""
FEWEST = 24
"""Pixels on a side below which a face has no texture to measure."""
BLUR_WIDTH = 11
"""Pixels over which a face is blurred again (Crété and others, 2007, and scikit-image)."""
BLURRED, SHARP = 0.88, 0.46
"""Blur of a face whose lines are gone (0), and of a sharp one (100)."""
NOISIEST, CLEAN = 40.0, 3.0
"""Noise in grey levels that covers a face (0), and that costs it nothing (100)."""
BLOCKIEST, SMOOTH = 20.0, 1.0
"""Strength of the blocks of a JPEG of quality 2 or so (0), and of quality 75 (100)."""

_NOISE_BLOCK, _NOISE_QUANTILE = 16, 0.25
_BLOCK = 8
_LARGEST_JUMP = 30.0
_SOFTENING = 0.25
_REACH = 36.0  # half side of the square around the oval's centre, in pixels of the crop of 112
_CENTRE = np.array([[56.0, 70.0]])

Levels = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texture:
    """The luma of a face's own pixels, float32 0..255, H×W, and the pixels between its eyes."""

    levels: Levels
    eyes: float

    @property
    def middle(self) -> Levels:
        """At most 512 × 512 of it."""
        top, left = (max(0, (side - MIDDLE) // 2) for side in self.levels.shape)
        return self.levels[top : top + MIDDLE, left : left + MIDDLE]


def texture_of(pixels: Pixels, landmarks: Landmarks) -> Texture | None:
    """A face's pixels; None where the picture has fewer than 24 × 24 of it.

    Raises:
        LandmarkError: the landmarks resemble no face.
    """
    similarity = alignment.fit_similarity(
        landmarks.array(), alignment.template(alignment.TEMPLATE_SIZE)
    )
    x, y = similarity.undo(_CENTRE)[0]
    reach = _REACH / similarity.scale
    height, width = pixels.shape[:2]
    left, right = (round(float(np.clip(end, 0, width))) for end in (x - reach, x + reach))
    top, bottom = (round(float(np.clip(end, 0, height))) for end in (y - reach, y + reach))
    if min(right - left, bottom - top) < FEWEST:
        return None
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    levels = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return Texture(levels=levels, eyes=alignment.TEMPLATE_EYE_DISTANCE / similarity.scale)


def sharpness(texture: Texture) -> Measure | None:
    """How blurred a face is, 0..1: what is left of its differences when it is blurred once more.

    The blur effect of Crété, Dolmiere, Ladret and Nicolas (SPIE 6492, 2007), the worse of the two
    directions: the differences of neighbouring pixels of a sharp picture vanish when it is blurred,
    those of a blurred one stay. It asks for no contrast, but takes noise for detail. In the place
    of ISO/IEC 29794-5:2025, sharpness, which learns from such filters. None for what little is seen
    of a large face that the picture cuts off.
    """
    levels = _at_most(texture.levels, EYES / texture.eyes)
    if min(levels.shape) < FEWEST:
        return None
    blur = max(_kept(levels, (BLUR_WIDTH, 1), (1, 0)), _kept(levels, (1, BLUR_WIDTH), (0, 1)))
    advice = "blurred: hold still, focus on the eyes, or clean the lens"
    grade = ramp(blur, none=BLURRED, full=SHARP)
    return graded("sharpness", grade, value=blur, unit="blur 0..1", advice=advice)


def _at_most(levels: Levels, factor: float) -> Levels:
    """Levels reduced by a factor below 1, else as they are."""
    if factor >= 1:
        return levels
    size = [max(1, round(side * factor)) for side in levels.shape[::-1]]
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _kept(levels: Levels, width: tuple[int, int], along: tuple[int, int]) -> float:
    """The share of the differences along one direction that one more blur leaves; 1 for none."""
    again = cv2.blur(levels, width, borderType=cv2.BORDER_REFLECT)
    own, left = (np.abs(cv2.Sobel(each, cv2.CV_32F, *along)) for each in (levels, again))
    own, left = own[2:-1, 2:-1], left[2:-1, 2:-1]
    total = float(own.sum(dtype=np.float64))
    return float(np.minimum(own, left).sum(dtype=np.float64)) / total if total > 0 else 1.0


def noise(texture: Texture) -> Measure:
    """The standard deviation of the noise, in grey levels of 255, where the face is smoothest.

    Immerkær's estimate (Computer Vision and Image Understanding 64(2), 1996): the mean absolute
    answer to a filter that is blind to planes, times sqrt(pi / 2) / 6. The first quartile of it
    over blocks of 16 × 16, because hair and lashes are no noise.
    """
    answers = np.abs(cv2.filter2D(texture.middle, -1, _BLIND_TO_PLANES))[1:-1, 1:-1]
    rows, columns = (side // _NOISE_BLOCK for side in answers.shape)
    whole = answers[: rows * _NOISE_BLOCK, : columns * _NOISE_BLOCK]
    blocks = whole.reshape(rows, _NOISE_BLOCK, columns, _NOISE_BLOCK).mean(axis=(1, 3))
    deviation = float(np.quantile(blocks, _NOISE_QUANTILE)) * math.sqrt(math.pi / 2) / 6
    advice = "grainy: add light, so that the camera has to amplify less"
    grade = ramp(deviation, none=NOISIEST, full=CLEAN)
    return graded("noise", grade, value=deviation, unit="grey levels", advice=advice)


_BLIND_TO_PLANES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)


def compression(texture: Texture) -> Measure:
    """How far the edges of 8 × 8 blocks stand out: how much larger jumps are there, 0 for alike.

    A jump is a difference of two neighbours less the mean of the differences beside it, at most 30
    grey levels (after Wang, Sheikh and Bovik, ICIP 2002). Of the eight places that the grid may
    have, the one with the largest jumps is compared with the median of the others. A picture that
    was resized after compression has no grid, and none is found. In the place of ISO/IEC
    29794-5:2025, compression artefacts, which asks a network.
    """
    middle = texture.middle
    strength = float(np.mean([_grid(middle), _grid(middle.T)]))
    advice = "compressed too much: save it with a higher quality"
    grade = ramp(strength, none=BLOCKIEST, full=SMOOTH)
    unit = "excess of jumps"
    return graded("compression artefacts", grade, value=strength, unit=unit, advice=advice)


def _grid(levels: Levels) -> float:
    """The excess of the jumps across columns at the strongest of eight places."""
    steps = np.diff(levels, axis=1)
    jumps = np.abs(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2)
    columns = np.minimum(jumps, _LARGEST_JUMP).mean(axis=0)
    places = np.sort([columns[place::_BLOCK].mean() for place in range(_BLOCK)])
    usual = float(np.median(places[:-1]))
    return (float(places[-1]) - usual) / (usual + _SOFTENING)
