"""Labels of several techniques become one label and one weight for each face.

Each table is brought to the scale on which the training faces span 0..1, by their range or by rank
(see ``recipe_alignment``). The label is the mean over the tables that know a face; what counts how
much follows from two kinds of doubt: the one that a table states, and the one that shows when
tables disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.train.faces import Faces
from facegauge.train.labels import doubts_of, labels_of
from facegauge.train.recipe_alignment import AlignmentDistillation

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taught:
    """The label of each of N faces (training faces span 0..1; nan: none), and its weight, 0..1."""

    labels: Numbers
    weights: Numbers


def taught(faces: Faces, data: Path, chosen: AlignmentDistillation) -> Taught:
    """The labels of all faces by the tables of a recipe; without a table nan for everyone.

    Raises:
        TrainingError: a table is missing or labels too few faces.
        TableError: a table that is not in the expected form.
    """
    columns = [_column(faces, data, chosen, table) for table in chosen.labels]
    if not columns:
        none = np.full(len(faces), np.nan, dtype=np.float32)
        return Taught(labels=none, weights=np.zeros_like(none))
    return blended(
        np.stack([labels for labels, _ in columns]),
        np.stack([trust for _, trust in columns]),
        chosen.agreement,
    )


def blended(labels: Numbers, trust: Numbers, agreement: float) -> Taught:
    """The mean over T tables, each with its trust, of T×N labels (nan: none); and the weights.

    The weight of a face is the mean trust in its labels, times what their spread (standard
    deviation over the tables) leaves: 1 / (1 + (spread / agreement)^2); agreement 0 is 1.
    """
    known = np.isfinite(labels)
    trust, values = np.where(known, trust, 0.0), np.where(known, labels, 0.0)
    count, total = known.sum(axis=0), trust.sum(axis=0)
    mean = (trust * values).sum(axis=0) / np.maximum(total, 1e-12)
    spread = np.sqrt((known * (values - mean) ** 2).sum(axis=0) / np.maximum(count, 1))
    weights = total / np.maximum(count, 1) * believed(spread, agreement)
    there = (count > 0) & (total > 0)
    return Taught(
        labels=np.where(there, mean, np.nan).astype(np.float32),
        weights=np.where(there, weights, 0.0).astype(np.float32),
    )


def believed(doubt: npt.NDArray[np.floating], half: float) -> npt.NDArray[np.floating]:
    """1 / (1 + (doubt / half)^2): at the doubt ``half`` a label counts half; 0 doubts nothing.

    Example:
        >>> believed(np.array([0.0, 0.1, 0.3]), 0.1).round(2).tolist()
        [1.0, 0.5, 0.1]
    """
    return 1.0 / (1.0 + (doubt / half) ** 2) if half else np.ones_like(doubt)


def by_range(labels: Numbers, training: npt.NDArray[np.bool_]) -> Numbers:
    """Labels on the scale on which those of the training faces span 0..1."""
    low, high = np.nanmin(labels[training]), np.nanmax(labels[training])
    return (labels - low) / (high - low)


def by_rank(labels: Numbers, training: npt.NDArray[np.bool_]) -> Numbers:
    """The share of the training faces that have a lower label, ties half; nan stays nan."""
    order = np.sort(labels[training & np.isfinite(labels)])
    below, up_to = (np.searchsorted(order, labels, side=side) for side in ("left", "right"))
    ranks = (below + up_to) / (2.0 * len(order))
    return np.where(np.isfinite(labels), ranks, np.nan).astype(np.float32)


def _column(
    faces: Faces, data: Path, chosen: AlignmentDistillation, table: str
) -> tuple[Numbers, Numbers]:
    """Labels N of one table, brought to its scale, and the trust in each, 0..1."""
    labels, training = labels_of(faces, data, table), ~faces.validation
    span = np.nanmax(labels[training]) - np.nanmin(labels[training])
    trust = believed(doubts_of(faces, data, table) / span, chosen.doubted)
    scaled = by_rank if chosen.scale == "rank" else by_range
    return scaled(labels, training), trust.astype(np.float32)
