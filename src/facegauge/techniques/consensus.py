"""What several measures agree on: each ranked over a set, the mean of the ranks, their spread.

Full-reference measures say how far a degraded picture is from the clean one, each on a scale of its
own and with its own blind spots. Ranks over the set put them on one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegauge.errors import InputError
from facegauge.techniques.technique import Rows, Values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consensus:
    """Labels 0..1 of N pictures, higher is better, and the ``doubt``: the spread 0..0.5."""

    labels: Values
    doubt: Values


def consensus(values: Rows) -> Consensus:
    """The consensus of M measures of N pictures, N×M, each higher for a better picture.

    The label is the mean of the M ranks, the doubt their standard deviation.

    Example:
        >>> consensus(np.array([[1, 10], [3, 30], [2, 20]], dtype=np.float32)).labels.tolist()
        [0.0, 1.0, 0.5]

    Raises:
        InputError: fewer than two pictures, no measure, or a value that is not finite.
    """
    if values.ndim != 2 or len(values) < 2 or not values.shape[1] or not np.isfinite(values).all():
        raise InputError(
            f"A consensus needs finite values of two or more pictures, got {values.shape}. Add "
            "pictures."
        )
    ranks = np.stack([shares(column) for column in values.T], axis=1)  # (N, M)
    return Consensus(labels=ranks.mean(axis=1), doubt=ranks.std(axis=1))


def shares(values: Rows) -> Values:
    """Where each of N values stands among them, 0 the lowest to 1 the highest; ties share a place.

    Example:
        >>> shares(np.array([5.0, 7.0, 5.0, 9.0], dtype=np.float32)).round(3).tolist()
        [0.167, 0.667, 0.167, 1.0]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count + 1) / 2  # mean place of each distinct value, from 0
    return np.asarray(middle[place] / max(1, len(values) - 1), dtype=np.float64)
