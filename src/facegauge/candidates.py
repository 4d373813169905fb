"""What a detector takes for faces, as arrays: join, move and select candidates, each face once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SAME_FACE = 0.4
"""Intersection over union above which two boxes are one face."""
VOTERS = 0.6
"""Intersection over union with the kept box from which a candidate has a say in it."""

_FARTHEST = 1e6

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidates:
    """What a detector takes for faces before any choice, in pixels of the picture it was shown.

    ``boxes`` float32 N×P×4 (x0, y0, x1, y1), ``landmarks`` N×P×10 (five points x, y, in the order
    of values.Landmarks) and ``confidence`` N×P, 0..1: one row for each of the P points of the
    network. An index or mask takes a part of all three, so ``candidates[0]`` is one picture's.
    """

    boxes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, index: Any) -> Candidates:
        return Candidates(
            boxes=self.boxes[index],
            landmarks=self.landmarks[index],
            confidence=self.confidence[index],
        )


def joined(parts: Sequence[Candidates]) -> Candidates:
    """The candidates of several parts of one picture, one after the other."""
    return Candidates(
        boxes=np.concatenate([part.boxes for part in parts]),
        landmarks=np.concatenate([part.landmarks for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
    )


def moved(found: Candidates, across: float, down: float, left: int, top: int) -> Candidates:
    """Finds in a picture resized by these factors (pixel centres kept in place) and shifted."""
    factors = np.array([across, down])
    shift = 0.5 * factors - 0.5 + np.array([left, top])
    return Candidates(
        boxes=(found.boxes * np.tile(factors, 2) + np.tile(shift, 2)).astype(np.float32),
        landmarks=(found.landmarks * np.tile(factors, 5) + np.tile(shift, 5)).astype(np.float32),
        confidence=found.confidence,
    )


def usable(found: Candidates) -> npt.NDArray[np.bool_]:
    """Which finds have numbers within reason, a box with an area and different landmarks."""
    near = [(np.abs(values) < _FARTHEST).all(1) for values in (found.boxes, found.landmarks)]
    wide = (found.boxes[:, 2:] > found.boxes[:, :2]).all(1)
    points = found.landmarks.reshape(-1, 5, 2)
    return np.asarray(near[0] & near[1] & wide & (points != points[:, :1]).any((1, 2)))


def faces_among(found: Candidates, least: float, *, voting: bool = False) -> Candidates:
    """The candidates of at least this confidence that are usable, each face once."""
    sure = found[(found.confidence >= least) & (found.confidence < np.inf)]  # no NaN
    return suppress(sure[usable(sure)], voting=voting)


def suppress(
    candidates: Candidates, *, same: float = SAME_FACE, voting: bool = False
) -> Candidates:
    """Each face once (non-maximum suppression), most confident first.

    Greedy: the most confident candidate stays, and all that overlap it by more than ``same`` go.
    With ``voting``, a face's box and landmarks become the mean, weighted by confidence, over the
    candidates that were still there and overlap its box by ``VOTERS`` or more (box voting, Gidaris
    and Komodakis, "Object Detection via a Multi-region and Semantic Segmentation-aware CNN Model",
    ICCV 2015, section 4.3).
    """
    order = np.argsort(-candidates.confidence, kind="stable")
    kept, groups = [], []
    while len(order):
        shared = overlaps(candidates.boxes[order[:1]], candidates.boxes[order])[0]
        shared[0] = 1.0
        kept.append(order[0])
        groups.append(order[shared >= VOTERS])
        order = order[shared <= same]
    chosen = candidates[np.array(kept, dtype=np.intp)]
    if not voting or not kept:
        return chosen
    means = [_mean(candidates[group]) for group in groups]
    both = np.stack(means).astype(np.float32)
    return Candidates(boxes=both[:, :4], landmarks=both[:, 4:], confidence=chosen.confidence)


def _mean(voters: Candidates) -> npt.NDArray[np.float64]:
    rows = np.hstack([voters.boxes, voters.landmarks]).astype(np.float64)
    return np.asarray(np.average(rows, axis=0, weights=voters.confidence))


def logits(confidence: Values) -> Values:
    """Logarithms of the odds, -17 .. 17, of confidences 0..1 of any shape."""
    within = np.clip(confidence.astype(np.float64), 4e-8, 1 - 4e-8)
    return np.asarray(np.log(within) - np.log1p(-within), dtype=np.float32)


def overlaps(boxes: Values, others: Values) -> Values:
    """Intersection over union of every box (N×4) with every other (M×4), N×M."""
    shared = common(boxes, others)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None]
    total = areas + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared
    return np.asarray(shared / total)


def common(boxes: Values, others: Values) -> Values:
    """Areas in square pixels that boxes (N×4) share with others (M×4), N×M."""
    low = np.maximum(boxes[:, None, :2], others[:, :2])
    high = np.minimum(boxes[:, None, 2:], others[:, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0.0), axis=2))
