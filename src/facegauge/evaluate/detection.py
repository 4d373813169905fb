"""How well faces are found: recall, false faces and landmark error against reference faces.

Detections are matched to reference faces at IoU >= 0.5, the surest first. Reference faces whose
inter-eye distance is below the smallest asked for need not be found, and finding them is no error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.values import Box, Face

MATCHING_IOU = 0.5
SMALLEST = 16.0
"""Inter-eye distance in pixels from which a reference face has to be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One photograph: what was found, what had to be found.

    ``wanted`` reference faces had to be found and ``hit`` of them were. ``confidences`` and
    ``correct`` belong to the detections that count (those of small reference faces do not);
    ``false_sizes`` are inter-eye distances in pixels of the detections without a reference face;
    ``errors`` are mean point distances over the reference's inter-eye distance, one per hit.
    """

    wanted: int
    hit: int
    confidences: tuple[float, ...]
    correct: tuple[bool, ...]
    false_sizes: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionQuality:
    """A detector on a set of photographs.

    ``recall`` of the wanted faces, ``false`` faces per photograph whose inter-eye distance is at
    least the smallest asked for, ``false_any`` those of any size, landmark errors as shares of the
    inter-eye distance (median and 95th percentile), and the counts behind them.
    """

    photographs: int
    wanted: int
    recall: float
    false: float
    false_any: float
    landmark_median: float
    landmark_p95: float


def compare(
    found: Sequence[Face],
    reference: Sequence[Face],
    smallest: float = SMALLEST,
    required: Sequence[bool] | None = None,
) -> Comparison:
    """Match one photograph's detections with its reference faces; all need box and landmarks.

    Reference faces that are small, or not ``required``, need not be found; finding them is right.
    """
    pairs = _matches(found, reference)
    asked = [True] * len(reference) if required is None else required
    small = [not ask or _apart(face) < smallest for face, ask in zip(reference, asked, strict=True)]
    hits = {mine: theirs for mine, theirs in pairs.items() if not small[theirs]}
    counted = [i for i in range(len(found)) if i not in pairs or i in hits]
    return Comparison(
        wanted=small.count(False),
        hit=len(hits),
        confidences=tuple(found[i].confidence or 0.0 for i in counted),
        correct=tuple(i in hits for i in counted),
        false_sizes=tuple(_apart(found[i]) for i in counted if i not in hits),
        errors=tuple(
            landmark_error(found[mine], reference[theirs]) for mine, theirs in hits.items()
        ),
    )


def summarise(comparisons: Sequence[Comparison], smallest: float = SMALLEST) -> DetectionQuality:
    """One line of numbers for a set of photographs; nan where there is nothing to divide by."""
    wanted = sum(each.wanted for each in comparisons)
    sizes = np.array([size for each in comparisons for size in each.false_sizes])
    errors = np.array([error for each in comparisons for error in each.errors] or [np.nan])
    count = len(comparisons)
    return DetectionQuality(
        photographs=count,
        wanted=wanted,
        recall=sum(each.hit for each in comparisons) / wanted if wanted else float("nan"),
        false=float((sizes >= smallest).sum()) / count if count else float("nan"),
        false_any=sizes.size / count if count else float("nan"),
        landmark_median=float(np.median(errors)),
        landmark_p95=float(np.quantile(errors, 0.95)),
    )


def average_precision(comparisons: Sequence[Comparison]) -> float:
    """Area under precision over recall, 0..1, over all thresholds (all points, no interpolation).

    Source: the average precision of PASCAL VOC from 2010 on, without making precision monotone.
    """
    ranked = _ranked(comparisons)
    if not ranked.wanted:
        return 0.0
    gained = np.diff(ranked.hits, prepend=0)
    return float((ranked.hits / ranked.passed * gained).sum() / ranked.wanted)


def best_threshold(comparisons: Sequence[Comparison]) -> float:
    """The confidence at which F1, the harmonic mean of precision and recall, is highest.

    Between the last detection that should count and the first that should not; nan when nothing
    right was found.
    """
    ranked = _ranked(comparisons)
    if not ranked.hits.any():
        return float("nan")
    last = int((2 * ranked.hits / (ranked.passed + ranked.wanted)).argmax())
    return float(np.append(ranked.thresholds, 0.0)[last : last + 2].mean())


def threshold_at(
    comparisons: Sequence[Comparison], limit: float, smallest: float = SMALLEST
) -> float:
    """The least confidence with which at most ``limit`` false faces a photograph are found.

    Only those of at least the smallest size asked for count. It lies between the last false face
    that is allowed and the first that is not; 0 where all are allowed.
    """
    wrong = [
        (confidence, size)
        for each in comparisons
        for confidence, size in zip(_wrong(each), each.false_sizes, strict=True)
    ]
    falling = sorted((sure for sure, size in wrong if size >= smallest), reverse=True)
    allowed = int(limit * len(comparisons))
    if allowed >= len(falling):
        return 0.0
    above = falling[allowed - 1] if allowed else 1.0
    return (above + falling[allowed]) / 2


def landmark_error(found: Face, reference: Face) -> float:
    """Mean distance of the five points over the reference's inter-eye distance."""
    if found.landmarks is None or reference.landmarks is None:
        return float("nan")
    apart = found.landmarks.array() - reference.landmarks.array()
    return float(np.linalg.norm(apart, axis=1).mean()) / max(_apart(reference), 1e-9)


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1.

    Example:
        >>> round(iou(Box(x0=0, y0=0, x1=2, y1=1), Box(x0=1, y0=0, x1=3, y1=1)), 3)
        0.333
    """
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    shared = max(width, 0.0) * max(height, 0.0)
    return shared / (_area(first) + _area(second) - shared)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """T thresholds, falling: how many detections pass each, and how many of them are hits.

    Detections of one confidence pass a threshold together.
    """

    wanted: int
    thresholds: npt.NDArray[np.float64]
    passed: npt.NDArray[np.int64]
    hits: npt.NDArray[np.int64]


def _wrong(comparison: Comparison) -> list[float]:
    """Confidences of the false detections, in the order of their sizes."""
    pairs = zip(comparison.confidences, comparison.correct, strict=True)
    return [confidence for confidence, right in pairs if not right]


def _ranked(comparisons: Sequence[Comparison]) -> _Ranked:
    confidence = np.array([value for each in comparisons for value in each.confidences], float)
    correct = np.array([value for each in comparisons for value in each.correct], dtype=bool)
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    last = np.flatnonzero(np.diff(falling, append=-np.inf) < 0)  # of each confidence
    return _Ranked(
        wanted=sum(each.wanted for each in comparisons),
        thresholds=falling[last],
        passed=last + 1,
        hits=np.cumsum(correct[order])[last],
    )


def _matches(found: Sequence[Face], reference: Sequence[Face]) -> dict[int, int]:
    """Which detection is which reference face: the surest detection chooses first."""
    overlap = _overlap(found, reference)
    pairs: dict[int, int] = {}
    for mine in np.argsort([-(face.confidence or 0.0) for face in found], kind="stable"):
        free = np.where(np.isin(np.arange(len(reference)), list(pairs.values())), 0, overlap[mine])
        if len(reference) and free.max() >= MATCHING_IOU:
            pairs[int(mine)] = int(free.argmax())
    return pairs


def _overlap(found: Sequence[Face], reference: Sequence[Face]) -> npt.NDArray[np.float64]:
    table = [[iou(_box(mine), _box(theirs)) for theirs in reference] for mine in found]
    return np.array(table, dtype=np.float64).reshape(len(found), len(reference))


def _box(face: Face) -> Box:
    if face.box is None:
        raise ValueError("A face to be compared needs a box.")
    return face.box


def _apart(face: Face) -> float:
    return 0.0 if face.landmarks is None else face.landmarks.inter_eye_distance


def _area(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)
