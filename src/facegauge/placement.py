"""How large a face is in its picture and how much room it has: pixels and margins, from landmarks.

Both are graded by what the default model needs. ISO/IEC 29794-5:2025 asks for more (90 pixels
between the eyes, and a head's height of room), as it means document portraits.
"""

from __future__ import annotations

import numpy as np

from facegauge import alignment
from facegauge.grading import graded, ramp
from facegauge.values import Coordinates, Landmarks, Measure

FEWEST, ENOUGH = 6.0, 30.0
"""Pixels between the eyes at which nothing is left of a face (0) and that are enough (100)."""
OUTLINE: Coordinates = np.array([[-1.05, -0.95], [1.05, -0.95], [1.05, 1.75], [-1.05, 1.75]])
"""A face from hairline to chin and cheek to cheek: corners about the middle of the eyes, in
distances between the eyes (pupils 63 mm apart, face 132 mm wide, chin 110 mm below the eyes)."""
CUT = -1.25
"""Margin in eye distances at which half of the face is gone and the grade is 0."""

_TEMPLATE: Coordinates = (
    alignment.TEMPLATE - alignment.TEMPLATE[:2].mean(axis=0)
) / alignment.TEMPLATE_EYE_DISTANCE
"""The five-point template about the middle of the eyes, in distances between them."""
_SIDES = ("left edge", "top edge", "right edge", "bottom edge")


def inter_eye_distance(landmarks: Landmarks) -> Measure:
    """Pixels between the eyes in the full picture, of a frontal face of this size.

    After ISO/IEC 29794-5:2025, inter-eye distance, which corrects for yaw by its cosine; here the
    similarity to the template corrects, as it does for ``too_small`` (alignment.py).
    """
    eyes = alignment.frontal_eye_distance(landmarks)
    advice = "the face has few pixels: move closer, or hand in a larger picture"
    grade = ramp(eyes, none=FEWEST, full=ENOUGH)
    return graded("inter-eye distance", grade, value=eyes, unit="pixels", advice=advice)


def margins(landmarks: Landmarks, width: int, height: int) -> Measure:
    """Room between a face's outline and the nearest edge, in eye distances; negative where cut.

    After ISO/IEC 29794-5:2025, crop of the face image, which measures the four sides apart.

    Args:
        landmarks: in pixels of the full picture.
        width: of the full picture.
        height: of the full picture.
    """
    similarity = alignment.fit_similarity(landmarks.array(), _TEMPLATE)
    corners = similarity.undo(OUTLINE)
    ends = np.array([width, height]) - 0.5
    rooms = np.concatenate([corners.min(axis=0) + 0.5, ends - corners.max(axis=0)])
    rooms = rooms * similarity.scale
    nearest = int(rooms.argmin())
    advice = f"the {_SIDES[nearest]} cuts the face: leave room around it"
    grade = ramp(rooms[nearest], none=CUT, full=0.0)
    unit = "eye distances"
    return graded("margins", grade, value=rooms[nearest], unit=unit, advice=advice)
