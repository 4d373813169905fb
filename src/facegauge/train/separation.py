"""How well embeddings tell people apart, and how well a quality foretells where they fall."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating]


def pair_cosines(embeddings: Numbers, people: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Cosines of all mated and of all non-mated pairs of unit embeddings N×D; people N."""
    rows, columns = np.triu_indices(len(people), k=1)
    cosine = (embeddings @ embeddings.T)[rows, columns]
    mated = people[rows] == people[columns]
    return cosine[mated], cosine[~mated]


def area_under_roc(mated: Numbers, others: Numbers) -> float:
    """Chance that a mated pair is more similar than a non-mated one, ties half: 0..1.

    The statistic of Mann and Whitney divided by the number of comparisons.

    Example:
        >>> area_under_roc(np.array([0.9, 0.2]), np.array([0.1, 0.2]))
        0.875
    """
    others = np.sort(others)
    below = np.searchsorted(others, mated, side="left")
    up_to = np.searchsorted(others, mated, side="right")
    return float((below + up_to).mean() / (2.0 * len(others)))


def true_match_rate(mated: Numbers, others: Numbers, fmr: float) -> float:
    """Share of mated pairs above the cosine that a share ``fmr`` of non-mated pairs exceeds."""
    allowed = int(fmr * len(others))
    threshold = np.sort(others)[len(others) - 1 - allowed]
    return float((mated > threshold).mean())


def own_centre_cosines(embeddings: Numbers, people: npt.NDArray[np.int64]) -> Numbers:
    """Cosine of each unit embedding N×D to the mean of the other pictures of its person, N.

    nan for who has no other picture.
    """
    found = np.full(len(people), np.nan)
    for person in np.unique(people):
        rows = np.flatnonzero(people == person)
        if len(rows) < 2:
            continue
        others = embeddings[rows].sum(axis=0) - embeddings[rows]
        lengths = np.linalg.norm(others, axis=1)
        found[rows] = (embeddings[rows] * others).sum(axis=1) / np.maximum(lengths, 1e-12)
    return found
