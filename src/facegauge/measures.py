"""Why a score is low: measures of how a face was captured, after ISO/IEC 29794-5.

Each has a score 0..100, a raw value with a unit, and a sentence of advice; its formula and source
stand with its function in ``placement``, ``pose``, ``exposure`` and ``texture``. What five
landmarks cannot tell (open eyes, a closed mouth, glasses, hands before the face) is not measured.
"""

from __future__ import annotations

import numpy as np

from facegauge import alignment, exposure, placement, pose, texture
from facegauge.values import Landmarks, Measure, Pixels

MOST_TURNED = 30.0
"""Degrees of yaw from which the two sides of a face are not compared: one is hardly seen."""

_LARGEST = 3.0


def measure(pixels: Pixels, landmarks: Landmarks) -> tuple[Measure, ...]:
    """All measures of one face, those that cannot be taken left out; none of points without a face.

    A face turned by 30 degrees or more has no illumination uniformity, and one of which the picture
    has fewer than 24 × 24 pixels no sharpness, noise or compression artefacts.

    Args:
        pixels: the upright picture in full resolution, uint8 H×W×3: noise and compression are gone
            from a reduced one, and the distance between the eyes is that of these pixels.
        landmarks: in its pixels; they may lie outside.
    """
    if not _a_face(landmarks):
        return ()
    height, width = pixels.shape[:2]
    held = pose.pose_of(landmarks)
    return (
        placement.inter_eye_distance(landmarks),
        placement.margins(landmarks, width, height),
        pose.roll(held),
        pose.yaw(held),
        pose.pitch(held),
        *_seen(pixels, landmarks, turned=abs(held.yaw) >= MOST_TURNED),
    )


def measure_aligned(pixels: Pixels) -> tuple[Measure, ...]:
    """The measures of a face that lies on the five-point template, without those of its geometry.

    What was the picture's size, room and roll is no longer known; nor is yaw, so that the two sides
    of the face are not compared.
    """
    height, width = pixels.shape[:2]
    points = Landmarks.from_array(alignment.TEMPLATE)
    size = alignment.TEMPLATE_SIZE
    return _seen(pixels, points.scaled(width / size, height / size), turned=True)


def _a_face(landmarks: Landmarks) -> bool:
    """Whether a similarity brings the points near a face: not one that is far larger than they."""
    largest = _LARGEST * float(np.ptp(landmarks.array(), axis=0).max())
    return 0.0 < alignment.frontal_eye_distance(landmarks) < largest


def _seen(pixels: Pixels, landmarks: Landmarks, *, turned: bool) -> tuple[Measure, ...]:
    """What the pixels say: light and texture."""
    lit, own = exposure.lit(pixels, landmarks), texture.texture_of(pixels, landmarks)
    found: list[Measure | None] = []
    if lit is not None:
        found += [exposure.under_exposure(lit), exposure.over_exposure(lit)]
        found += [exposure.dynamic_range(lit), None if turned else exposure.uniformity(lit)]
    if own is not None:
        found += [texture.sharpness(own), texture.noise(own), texture.compression(own)]
    return tuple(each for each in found if each is not None)
