"""Frozen values that travel between rooms: Box, Landmarks, Face, Outcome, Measure, Assessment.

Each is validated when it is made, so a wrong one never exists. Pixel coordinates follow OpenCV:
(0, 0) is the centre of the top-left pixel, x to the right, y down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, LandmarkError

Pixels = npt.NDArray[np.uint8]
"""An upright RGB image, uint8, H×W×3."""

Coordinates = npt.NDArray[np.float64]
"""Points (x, y) in pixels, float64, N×2."""


class Outcome(StrEnum):
    """What became of one image. A score exists only with ``scored``."""

    SCORED = "scored"
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    TOO_SMALL = "too_small"
    CUT_OFF = "cut_off"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A face's bounding box in pixels, corners (x0, y0) and (x1, y1), x1 > x0 and y1 > y0."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        corners = (self.x0, self.y0, self.x1, self.y1)
        if not all(math.isfinite(value) for value in corners):
            raise InputError(f"A box needs four finite numbers, got {corners}.")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise InputError(f"A box needs x1 > x0 and y1 > y0, got {corners}.")

    def scaled(self, x_factor: float, y_factor: float) -> Box:
        """The same box in a picture resized by these factors (pixel centres kept in place)."""
        return Box(
            x0=(self.x0 + 0.5) * x_factor - 0.5,
            y0=(self.y0 + 0.5) * y_factor - 0.5,
            x1=(self.x1 + 0.5) * x_factor - 0.5,
            y1=(self.y1 + 0.5) * y_factor - 0.5,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Five facial landmarks (x, y) in pixels; left and right as seen in the picture."""

    left_eye: tuple[float, float]
    right_eye: tuple[float, float]
    nose: tuple[float, float]
    left_mouth: tuple[float, float]
    right_mouth: tuple[float, float]

    def __post_init__(self) -> None:
        try:
            points = self.array()
        except (TypeError, ValueError) as error:
            raise LandmarkError(
                f"Landmarks need five points (x, y) of numbers: {error}."
            ) from error
        if points.shape != (5, 2) or not np.isfinite(points).all():
            raise LandmarkError(f"Landmarks need five finite points (x, y), got {points.tolist()}.")
        if np.ptp(points, axis=0).max() <= 0:
            raise LandmarkError(
                f"Landmarks need five different points, got {points[0].tolist()} five times."
            )

    @classmethod
    def from_array(cls, points: npt.ArrayLike) -> Landmarks:
        """Five points, 5×2 or 10 numbers x, y, x, y, ... in the order of the fields."""
        try:
            array = np.asarray(points, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise LandmarkError(
                f"Landmarks need five points (x, y) of numbers: {error}."
            ) from error
        if array.shape not in ((5, 2), (10,)):
            raise LandmarkError(
                f"Landmarks need 5 points: shape 5×2 or 10 numbers, got {array.shape}."
            )
        pairs = [(float(x), float(y)) for x, y in array.reshape(5, 2)]
        return cls(
            left_eye=pairs[0],
            right_eye=pairs[1],
            nose=pairs[2],
            left_mouth=pairs[3],
            right_mouth=pairs[4],
        )

    def array(self) -> Coordinates:
        """The points as float64, 5×2."""
        return np.array(
            [self.left_eye, self.right_eye, self.nose, self.left_mouth, self.right_mouth],
            dtype=np.float64,
        )

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eyes in pixels."""
        return math.dist(self.left_eye, self.right_eye)

    def scaled(self, x_factor: float, y_factor: float) -> Landmarks:
        """The same points in a picture resized by these factors (pixel centres kept in place)."""
        factors = np.array([x_factor, y_factor])
        return Landmarks.from_array((self.array() + 0.5) * factors - 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One face in a picture: where it is and how sure the detector was (0..1, None if unknown)."""

    box: Box | None = None
    landmarks: Landmarks | None = None
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None and not 0.0 <= self.confidence <= 1.0:
            raise InputError(f"A face's confidence lies in 0..1, got {self.confidence}.")

    @property
    def inter_eye_distance(self) -> float:
        """Distance between the eyes in pixels; 0 without landmarks."""
        return 0.0 if self.landmarks is None else self.landmarks.inter_eye_distance

    def scaled(self, x_factor: float, y_factor: float) -> Face:
        """The same face in a picture resized by these factors (pixel centres kept in place)."""
        return Face(
            box=None if self.box is None else self.box.scaled(x_factor, y_factor),
            landmarks=(
                None if self.landmarks is None else self.landmarks.scaled(x_factor, y_factor)
            ),
            confidence=self.confidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One property of how a face was captured: a score 0..100, higher is better, and its reason.

    ``value`` is what was measured, in ``unit``; ``advice`` says what is wrong and what to do, or
    ``fine``. Name and advice stand in table cells: on one line, without brackets and semicolons.
    """

    name: str
    score: float
    value: float
    unit: str
    advice: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 100.0 or not math.isfinite(self.value):
            raise InputError(
                f"A measure needs a score in 0..100 and a finite value, got {self.score} and "
                f"{self.value} for {self.name!r}."
            )
        texts = (self.name, self.advice)
        if not all(text.isprintable() and text and set("();").isdisjoint(text) for text in texts):
            raise InputError(
                "A measure's name and advice are lines without brackets and semicolons, got "
                f"{texts}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return asdict(self)


def worst(measures: Sequence[Measure], count: int = 3) -> tuple[Measure, ...]:
    """The measures with the lowest scores, the lowest first; of equal ones the first."""
    return tuple(sorted(measures, key=lambda each: each.score)[:count])


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is known of one face or, without a face, of one image.

    ``score`` is calibrated, 0..100, higher is better; ``raw`` is the network's own output. Both are
    there exactly when the outcome is ``scored``. ``measures`` are there when the scorer explains
    and there is a face; ``further`` is what further models say of the same face.
    """

    outcome: Outcome
    score: float | None = None
    raw: float | None = None
    face: Face | None = None
    model: str = ""
    measures: tuple[Measure, ...] = ()
    detail: str = ""
    further: tuple[Assessment, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "outcome", Outcome(self.outcome))
        numbers = (self.score, self.raw)
        if self.outcome is Outcome.SCORED:
            if any(value is None or not math.isfinite(value) for value in numbers):
                raise InputError(f"A scored face needs finite score and raw, got {numbers}.")
            if not 0.0 <= (self.score or 0.0) <= 100.0:
                raise InputError(f"A score lies in 0..100, got {self.score}.")
        elif numbers != (None, None):
            raise InputError(f"Outcome {self.outcome} has no score, got {numbers}.")

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON; ``further`` only where there is some."""
        found = {
            "outcome": str(self.outcome),
            "score": self.score,
            "raw": self.raw,
            "face": None if self.face is None else _face_dict(self.face),
            "model": self.model,
            "measures": [each.to_dict() for each in self.measures],
            "detail": self.detail,
        }
        more = {"further": [each.to_dict() for each in self.further]} if self.further else {}
        return found | more


def _face_dict(face: Face) -> dict[str, Any]:
    corners: Sequence[float] | None = None
    if face.box is not None:
        corners = [face.box.x0, face.box.y0, face.box.x1, face.box.y1]
    points = None if face.landmarks is None else face.landmarks.array().tolist()
    return {"box": corners, "landmarks": points, "confidence": face.confidence}
