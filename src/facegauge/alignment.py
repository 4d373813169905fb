"""Five landmarks become one square crop; landmark jitter, the same in training and use.

The geometry is a similarity (rotation, one scale, shift) fitted by least squares to the template of
five points that face recognisers are trained on. Two ways of resampling:

* ``smooth``: reduce first, then warp. A face more than twice as large as in the crop is first
reduced
  by area averaging to twice the crop's scale; then it is warped onto a grid of twice the crop's
  side, and every 2×2 of that grid is averaged. Fine texture cannot fold into false detail
  (aliasing), and nothing is blurred twice.
* ``reference``: one bilinear ``cv2.warpAffine``, as published checkpoints were trained and tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from facegauge.errors import LandmarkError, OptionError
from facegauge.values import Coordinates, Landmarks, Pixels

TEMPLATE_SIZE = 112
"""Side in pixels of the crop that ``TEMPLATE`` is stated for."""

TEMPLATE: Coordinates = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.729904, 92.2041],
    ]
)
"""Left eye, right eye, nose, left and right mouth corner (x, y): the ArcFace template."""
TEMPLATE.flags.writeable = False

TEMPLATE_EYE_DISTANCE = float(np.hypot(*(TEMPLATE[1] - TEMPLATE[0])))
"""Inter-eye distance of the template in pixels of a 112-pixel crop (35.24)."""

MIRRORED = (1, 0, 2, 4, 3)
"""Order of the landmarks after a picture was mirrored."""


class Mode(StrEnum):
    """How the crop is resampled."""

    SMOOTH = "smooth"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """x' = a x - b y + x_shift, y' = b x + a y + y_shift, in pixels."""

    a: float
    b: float
    x_shift: float
    y_shift: float

    @property
    def scale(self) -> float:
        """Crop pixels per picture pixel: below 1 the face shrinks."""
        return float(np.hypot(self.a, self.b))

    def matrix(self) -> npt.NDArray[np.float64]:
        """The 2×3 matrix that ``cv2.warpAffine`` takes."""
        rows = [[self.a, -self.b, self.x_shift], [self.b, self.a, self.y_shift]]
        return np.array(rows, dtype=np.float64)

    def apply(self, points: Coordinates) -> Coordinates:
        """Map points, N×2, from the picture into the crop."""
        matrix = self.matrix()
        return points @ matrix[:, :2].T + matrix[:, 2]

    def undo(self, points: Coordinates) -> Coordinates:
        """Map points, N×2, from the crop back into the picture."""
        shifted = points[:, 0] - self.x_shift + 1j * (points[:, 1] - self.y_shift)
        z = shifted / complex(self.a, self.b)
        return np.column_stack([z.real, z.imag])


def template(size: int = TEMPLATE_SIZE) -> Coordinates:
    """The five template points (5×2, pixels) for a square crop of ``size`` pixels."""
    return TEMPLATE * (size / TEMPLATE_SIZE)


def fit_similarity(source: Coordinates, target: Coordinates) -> Similarity:
    """The similarity that maps ``source`` to ``target`` (both N×2) with least squared error.

    With points as complex numbers z the optimum is closed: the factor a + ib is
    sum(conj(z) w) / sum(|z|^2) of the centred points. It equals the least-squares estimate of
    Umeyama (IEEE TPAMI 13(4), 1991) restricted to rotations without mirroring.

    Raises:
        LandmarkError: all source points coincide.
    """
    z = source[:, 0] + 1j * source[:, 1]
    w = target[:, 0] + 1j * target[:, 1]
    z_centred, w_centred = z - z.mean(), w - w.mean()
    spread = float(np.sum(np.abs(z_centred) ** 2))
    if not spread > 0:
        raise LandmarkError("A similarity needs at least two different points, got one point.")
    factor = complex(np.sum(np.conj(z_centred) * w_centred) / spread)
    if factor == 0:
        raise LandmarkError(
            "The landmarks do not resemble a face: no rotation brings them near the template. "
            "Check the order: left eye, right eye, nose, left mouth, right mouth."
        )
    shift = complex(w.mean() - factor * z.mean())
    return Similarity(a=factor.real, b=factor.imag, x_shift=shift.real, y_shift=shift.imag)


@lru_cache(maxsize=4096)  # choosing among a picture's faces asks for the same ones again and again
def frontal_eye_distance(landmarks: Landmarks | None) -> float:
    """Pixels between the eyes of a frontal face of this size: how large a face is.

    In a profile the eyes are close together however large the face is; the similarity that aligns
    it is fitted to all five points. 0 for no landmarks and for points that resemble no face.
    """
    if landmarks is None:
        return 0.0
    try:
        scale = fit_similarity(landmarks.array(), template(TEMPLATE_SIZE)).scale
    except LandmarkError:
        return 0.0
    return TEMPLATE_EYE_DISTANCE / scale


def align(
    pixels: Pixels,
    landmarks: Landmarks,
    size: int = TEMPLATE_SIZE,
    mode: Mode | str = Mode.SMOOTH,
) -> Pixels:
    """Cut the face out so that its landmarks lie on the template: uint8 RGB, size×size×3.

    Parts of the crop that lie outside the picture are black.
    """
    similarity = fit_similarity(landmarks.array(), template(size))
    return warp(pixels, similarity, size, mode)


def warp(
    pixels: Pixels, similarity: Similarity, size: int, mode: Mode | str = Mode.SMOOTH
) -> Pixels:
    """Resample a picture (uint8, H×W×3) through a similarity into a size×size crop."""
    if size < 1:
        raise OptionError(f"A crop needs a size of at least 1 pixel, got {size}.")
    if mode not in tuple(Mode):
        raise OptionError(f"mode must be one of {', '.join(Mode)}; got {mode!r}.")
    if mode == Mode.REFERENCE:
        return _warped(pixels, similarity.matrix(), size)
    fine = _finer(similarity)
    matrix = fine.matrix()
    if fine.scale < 1.0:
        pixels, matrix = _reduced(pixels, fine, 2 * size)
    doubled = _warped(pixels, matrix, 2 * size)
    return np.asarray(
        cv2.resize(doubled, (size, size), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def _warped(pixels: Pixels, matrix: npt.NDArray[np.float64], size: int) -> Pixels:
    shape = (size, size)
    return np.asarray(cv2.warpAffine(pixels, matrix, shape, flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _finer(similarity: Similarity) -> Similarity:
    """The same map onto a grid of half the pitch: pixel x of the crop is 2x + 0.5 there."""
    return Similarity(
        a=2 * similarity.a,
        b=2 * similarity.b,
        x_shift=2 * similarity.x_shift + 0.5,
        y_shift=2 * similarity.y_shift + 0.5,
    )


def _reduced(
    pixels: Pixels, similarity: Similarity, size: int
) -> tuple[Pixels, npt.NDArray[np.float64]]:
    """Average the part of the picture that matters down to the scale of the similarity.

    Pixel areas are what is averaged, so positions move as x' = (x + 0.5) f - 0.5, f being the true
    ratio of the widths (and of the heights); the 2×3 matrix returned undoes exactly that.
    """
    left, top, right, bottom = _footprint(similarity, size, pixels.shape[1], pixels.shape[0])
    part = pixels[top:bottom, left:right]
    width = max(1, round(part.shape[1] * similarity.scale))
    height = max(1, round(part.shape[0] * similarity.scale))
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    factors = np.array([width / part.shape[1], height / part.shape[0]])
    matrix = similarity.matrix()
    origin = 0.5 / factors - 0.5 + np.array([left, top])
    shift = matrix[:, :2] @ origin + matrix[:, 2]
    return np.asarray(small, dtype=np.uint8), np.column_stack([matrix[:, :2] / factors, shift])


def _footprint(
    similarity: Similarity, size: int, width: int, height: int
) -> tuple[int, int, int, int]:
    """The part of the picture that the crop can see, with two crop pixels of margin."""
    margin = 2.0
    corners = np.array([(x, y) for x in (-margin, size + margin) for y in (-margin, size + margin)])
    seen = similarity.undo(corners)
    left, top = np.clip(np.floor(seen.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    ends = np.ceil(seen.max(axis=0)) + 1
    right, bottom = np.clip(ends, (left + 1, top + 1), (width, height)).astype(int)
    return left, top, right, bottom


def jitter(
    landmarks: Landmarks,
    rng: np.random.Generator,
    *,
    pixels: float = 0.0,
    relative: float = 0.0,
) -> Landmarks:
    """Add uniform noise to every coordinate independently: what a sloppy detector does.

    Args:
        landmarks: the points to move; they are not changed in place.
        rng: the source of the noise, so that a seed reproduces it.
        pixels: half-width of the noise in source pixels (AI-KD, Babnik et al. 2024, uses 3).
        relative: half-width as a share of the inter-eye distance, so that a large and a small face
            are moved alike; 3 pixels on a 112-pixel crop are 0.085.

    Raises:
        OptionError: a negative amount, or both amounts at once.
    """
    usable = 0 <= pixels < np.inf and 0 <= relative < np.inf
    if not usable or (pixels and relative):
        raise OptionError(
            f"Jitter needs one amount >= 0, got pixels={pixels} and relative={relative}. "
            "Give pixels or relative, not both."
        )
    amount = pixels or relative * landmarks.inter_eye_distance
    return Landmarks.from_array(landmarks.array() + rng.uniform(-amount, amount, (5, 2)))
