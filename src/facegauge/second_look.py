"""A second look at a face that was found: alone, mirrored, at a size that the network knows well.

Landmarks become the mean of both looks, which brings their error down by some 10 % (docs/log.md).
Whether it is a face, and where its box lies, stays what the first look said.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from facegauge.alignment import MIRRORED
from facegauge.candidates import Candidates, faces_among, overlaps
from facegauge.detectors import Network
from facegauge.squares import around, shown
from facegauge.values import Coordinates, Face, Landmarks, Pixels

SIDE = 128
"""Side in pixels of the square that is looked at."""
FILLED = 0.75
"""Long side of the face's box, as a share of the square's."""
LEAST = 0.3
"""Confidence below which a candidate of the second look has no say."""
SAME = 0.4
"""Intersection over union from which it shows the same face."""


def look_again(pixels: Pixels, face: Face, network: Network) -> Face:
    """A face with landmarks averaged over two looks; as it was where the second shows none.

    Args:
        pixels: the picture, uint8 RGB H×W×3.
        face: with box and landmarks in pixels of the picture.
        network: what found it.
    """
    if face.box is None or face.landmarks is None:
        return face
    box = face.box
    square = around(box.x0, box.y0, box.x1, box.y1, FILLED)
    crop = shown(pixels, square, SIDE)
    seen = network.look(np.ascontiguousarray(crop[:, ::-1]))
    points = _same_face(faces_among(seen, LEAST, voting=True))
    if points is None:
        return face
    back = (points + 0.5) * (square.side / SIDE) - 0.5 + (square.left, square.top)
    mean = (face.landmarks.array() + back) / 2
    return replace(face, landmarks=Landmarks.from_array(mean))


def _same_face(seen: Candidates) -> Coordinates | None:
    """Landmarks 5×2 of the surest candidate in the middle, mirrored back; None: there is none."""
    middle, half = (SIDE - 1) / 2, FILLED * SIDE / 2
    expected = np.array([[middle - half] * 2 + [middle + half] * 2], dtype=np.float32)
    places = np.flatnonzero(overlaps(seen.boxes, expected)[:, 0] >= SAME)
    if not places.size:
        return None
    points = seen.landmarks[places[0]].reshape(5, 2).astype(np.float64)[list(MIRRORED)]
    points[:, 0] = SIDE - 1 - points[:, 0]
    return np.asarray(points)
