"""A detector in a few lines of Python, and photographs for it: red squares are faces.

    Scorer(tiny, detector=squares()).assess(scene((100, 60, 90)))

What it finds does not depend on the scale, and a red square has texture in its other colours, so
that it can be cropped and scored.
"""

from __future__ import annotations

import cv2
import numpy as np

from facegauge.alignment import TEMPLATE, TEMPLATE_EYE_DISTANCE
from facegauge.candidates import Candidates
from facegauge.detection import Detector
from facegauge.detectors import Network

CONFIDENCE = 0.9
EYES = TEMPLATE_EYE_DISTANCE / 112
"""Inter-eye distance of a face, as a share of its square's side."""
_SMALLEST = 4
_RED, _LEAST, _DARK = 255, 170, 110


def squares(size: int = 64, confidence: float | None = None) -> Detector:
    """Finds red squares of 4 pixels or more; looks first at pictures of ``size`` pixels."""
    network = Network(name="squares-1", look=_look, confidence=0.5, size=size)
    return Detector(network, confidence)


def stubborn(*faces: tuple[float, float, float], size: int = 640) -> Detector:
    """Finds faces at (left, top, side) whatever it is shown."""
    found = candidates(np.array(faces, dtype=np.float32).reshape(-1, 3))
    network = Network(name="stubborn-1", look=lambda _: found, confidence=0.5, size=size)
    return Detector(network)


def candidates(faces: np.ndarray) -> Candidates:
    """Boxes and landmarks of faces (left, top, side), N×3, the landmarks as in the template."""
    sides = faces[:, 2, None]
    low = faces[:, :2] - 0.5
    points = low[:, None] + (TEMPLATE[None] + 0.5) * sides[:, None] / 112
    return Candidates(
        boxes=np.hstack([low, low + sides]).astype(np.float32),
        landmarks=points.reshape(-1, 10).astype(np.float32),
        confidence=np.full(len(faces), CONFIDENCE, np.float32),
    )


def _look(picture: np.ndarray) -> Candidates:
    red = (picture[..., 0] > _LEAST).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(red, connectivity=4)
    found = [row[:3] for row in stats[1:] if min(row[2:4]) >= _SMALLEST]
    return candidates(np.array(found, dtype=np.float32).reshape(-1, 3))


def scene(
    *faces: tuple[int, int, int], width: int = 640, height: int = 480, seed: int = 0
) -> np.ndarray:
    """A photograph with faces at (left, top, side)."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (height // 8 + 1, width // 8 + 1, 3)).astype(np.float32)
    pixels = cv2.resize(coarse, (width, height)) + rng.normal(0, 20, (height, width, 3))
    pixels[..., 0] = np.clip(pixels[..., 0], 0, _DARK)
    for left, top, side in faces:
        pixels[top : top + side, left : left + side, 0] = _RED
    return np.clip(pixels, 0, 255).astype(np.uint8)
