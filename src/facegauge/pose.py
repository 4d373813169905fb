"""How a head is held, from five landmarks: roll, yaw and pitch in degrees, and their measures.

The five points of a rigid head under scaled orthography are an affine image of its shape. The best
affine map (least squares) is brought to the nearest rotation times a scale; that is POS, the first
step of POSIT (DeMenthon and Davis, 1995). Coarse: noses differ in length, and a smile moves the
mouth. Grades are 100 cos² of each angle, as ISO/IEC 29794-5:2025 has it for head pose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from facegauge.grading import graded, upright
from facegauge.values import Coordinates, Landmarks, Measure

HEAD: Coordinates = np.array(
    [
        [-0.500, 0.000, 0.000],
        [0.500, 0.000, 0.000],
        [0.000, 0.606, -0.160],
        [-0.436, 0.978, 0.298],
        [0.436, 0.978, 0.298],
    ]
)
"""The five landmarks of a mean head in eye distances: x to the right, y down, z away from us.

Structure from motion (Tomasi and Kanade, 1992, with scaled orthography) of the landmarks of 5,076
CelebA faces (train and validation people). Eyes and mouth came out in one plane, the nose .33
before it; the head is turned about x so that the median of the 2,617 faces that look ahead (yaw
within 15 degrees) has pitch 0: most people look into a camera.
"""
HEAD.flags.writeable = False

_LYING = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How a head is held, in degrees as seen in the picture; all are 0 for a face looking ahead.

    ``roll`` is positive where it tilts to the right (clockwise), ``yaw`` where it is turned to the
    right, ``pitch`` where it is raised.
    """

    roll: float
    yaw: float
    pitch: float


def pose_of(landmarks: Landmarks) -> Pose:
    """The pose of a head from its landmarks, by POS on ``HEAD``.

    Example:
        >>> upright = Landmarks.from_array(100 * HEAD[:, :2])
        >>> pose = pose_of(upright)
        >>> abs(round(pose.roll)), abs(round(pose.yaw)), abs(round(pose.pitch))
        (0, 0, 0)
    """
    points, shape = landmarks.array(), HEAD - HEAD.mean(axis=0)
    affine = np.linalg.lstsq(shape, points - points.mean(axis=0), rcond=None)[0].T  # (2, 3)
    left, _, right = np.linalg.svd(affine, full_matrices=False)
    across, down = left @ right
    away = np.cross(across, down)
    return Pose(
        roll=_degrees(down[0], across[0]),
        yaw=_degrees(away[0], math.hypot(away[1], away[2])),
        pitch=-_degrees(away[1], away[2]),
    )


def _degrees(opposite: float, adjacent: float) -> float:
    return math.degrees(math.atan2(opposite, adjacent))


def roll(pose: Pose) -> Measure:
    """How far the head is tilted to a side, in degrees. Alignment turns it back."""
    side = "right" if pose.roll > 0 else "left"
    advice = f"tilted to the {side}: hold the head upright"
    if abs(pose.roll) > _LYING:
        advice = "the head lies on its side: turn the picture upright"
    grade = upright(pose.roll)
    return graded("head roll", grade, value=pose.roll, unit="degrees", advice=advice)


def yaw(pose: Pose) -> Measure:
    """How far the head is turned to a side, in degrees: what no alignment turns back."""
    side = "right" if pose.yaw > 0 else "left"
    advice = f"turned to the {side}: look straight into the camera"
    grade = upright(pose.yaw)
    return graded("head yaw", grade, value=pose.yaw, unit="degrees", advice=advice)


def pitch(pose: Pose) -> Measure:
    """How far the head is raised (positive) or bent down, in degrees: the coarsest of the three."""
    raised = "raised: lower the chin, or hold the camera higher"
    bent = "bent down: lift the chin, or hold the camera lower"
    advice = raised if pose.pitch > 0 else bent
    grade = upright(pose.pitch)
    return graded("head pitch", grade, value=pose.pitch, unit="degrees", advice=advice)
