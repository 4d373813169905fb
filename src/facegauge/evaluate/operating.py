"""Operating table: what a threshold on the calibrated score costs, and what error it leaves.

The answer to "which score shall I ask for?": the share of images discarded and the FNMR of the
mated pairs of which both images remain, at a fixed similarity threshold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.ladder import read_qualities
from facegauge.evaluate.thresholds import is_below
from facegauge.operating import OperatingPoint, OperatingTable

SCORES = tuple(float(score) for score in range(0, 100, 10))
"""Thresholds by default: 0, 10, ... 90 of the calibrated 0..100."""


def operating_table(
    pairs: ComparedPairs,
    score: npt.ArrayLike,
    threshold: float,
    scores: Sequence[float] = SCORES,
    *,
    recogniser: str = "",
    data: str = "",
) -> OperatingTable:
    """What remains when images below each of ``scores`` are discarded.

    Args:
        pairs: comparisons among N images; only the mated ones count.
        score: calibrated, of N images; nan for none: discarded by every score.
        threshold: the similarity a match needs.
        scores: at which to ask; an image of exactly that score remains.
        recogniser: name of what made the similarities.
        data: what the images are, in words.

    Raises:
        InputError: scores that do not fit the images, or no mated pair.
        OptionError: no score to ask at, or one that is not finite; a threshold that is not.

    Example:
        >>> pairs = ComparedPairs(samples=3, first=[0, 0, 1], second=[1, 2, 2],
        ...     similarity=[0.2, 0.9, 0.8], mated=[True] * 3)
        >>> print(operating_table(pairs, [70, 20, 90], 0.5, [0, 50, 80]))
        | score | discarded | FNMR | errors | comparisons |
        |---:|---:|---:|---:|---:|
        | 0 | 0.0% | 0.3333 | 1 | 3 |
        | 50 | 33.3% | 0.0000 | 0 | 1 |
        | 80 | 66.7% | - | 0 | 0 |
    """
    values = read_qualities(pairs.samples, score)
    asked = np.unique(np.asarray(scores, dtype=np.float64))
    if not asked.size or not np.isfinite(asked).all() or not np.isfinite(threshold):
        raise OptionError(
            f"Expected finite scores and a finite threshold, got {asked.tolist()} and {threshold}. "
            "Ask at one score or more."
        )
    if not pairs.mated.any():
        raise InputError("An operating table needs mated pairs, got none. Add mated pairs.")
    first, second = (values[side[pairs.mated]] for side in (pairs.first, pairs.second))
    lower = np.minimum(first, second)
    wrong = np.sort(lower[is_below(pairs.similarity[pairs.mated], threshold)])
    images, lower = np.sort(values), np.sort(lower)
    points = [
        OperatingPoint(
            score=float(each),
            discarded=float(np.searchsorted(images, each) / images.size),
            comparisons=int(lower.size - np.searchsorted(lower, each)),
            errors=int(wrong.size - np.searchsorted(wrong, each)),
        )
        for each in asked
    ]
    return OperatingTable(
        data=data,
        recogniser=recogniser,
        threshold=float(threshold),
        samples=pairs.samples,
        failures=int(np.isneginf(values).sum()),
        points=tuple(points),
    )
