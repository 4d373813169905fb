"""Golden vectors: what a model must give back on this machine before it is trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facegauge.cards import GOLDEN_TOLERANCE, Card, Kind, golden_inputs
from facegauge.errors import ModelError
from facegauge.values import Pixels

EMBEDDING_TOLERANCE = 1e-3
"""Largest difference of a golden embedding value (unit length)."""
CANDIDATE_TOLERANCE = 1e-3
"""Largest difference of a detector's golden number, in pixels or confidence."""
PHOTO_SIDE = 96
"""Side in pixels of a detector's golden inputs: its own size would make opening it slow."""

_TOLERANCES = {Kind.RECOGNISER: EMBEDDING_TOLERANCE, Kind.DETECTOR: CANDIDATE_TOLERANCE}


def inputs(card: Card, seed: int) -> Pixels:
    """The golden inputs of a seed in the size that the model takes, 3×side×side×3."""
    return golden_inputs(seed, PHOTO_SIDE if card.kind is Kind.DETECTOR else card.crop.size)


def answers(
    kind: Kind,
    outputs: Sequence[npt.NDArray[np.float32]],
    said: Sequence[npt.NDArray[np.float32]] = (),
) -> npt.NDArray[np.float64]:
    """The part of a model's outputs that its golden vectors hold, N×1, N×8 or N×9.

    Scores; the first eight numbers of each embedding; or, of each picture's candidates, the mean
    and the largest confidence, the means of x0, y0, x1, y1, and those of the landmarks' x and y.
    What a detector's judge ``said`` of squares is one number more.
    """
    if kind is Kind.DETECTOR:
        found = _of_candidates(*(values.astype(np.float64) for values in outputs))
        return np.hstack([found, *(values.astype(np.float64)[:, None] for values in said)])
    chosen = outputs[0][:, :8] if kind is Kind.RECOGNISER else outputs[1][:, None]
    return chosen.astype(np.float64)


def tolerance(kind: Kind) -> float:
    """Largest difference allowed: score points, units of an embedding of length 1, or pixels."""
    return _TOLERANCES.get(kind, GOLDEN_TOLERANCE)


def _of_candidates(
    boxes: npt.NDArray[np.float64],
    landmarks: npt.NDArray[np.float64],
    confidence: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    shapes = [values.shape for values in (boxes, landmarks, confidence)]
    pictures, points = (*confidence.shape, 0, 0)[:2]
    if shapes != [(pictures, points, 4), (pictures, points, 10), (pictures, points)] or not points:
        raise ModelError(
            "A detector answers with boxes N×P×4, landmarks N×P×10 and confidence N×P, got "
            f"{', '.join('×'.join(map(str, shape)) for shape in shapes)}. Export it again."
        )
    ends = np.stack([confidence.mean(1), confidence.max(1)], axis=1)
    middle = landmarks.reshape(pictures, 5 * points, 2).mean(1)
    return np.hstack([ends, boxes.mean(1), middle])
