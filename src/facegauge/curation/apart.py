"""Faces that are nearly the same: of those whose cosine is above a bound only the best stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

BLOCK = 1024
"""Faces that are compared with those kept so far at a time."""
CHUNK = 8192
"""Kept faces that a block meets at a time: 32 MB of cosines."""


def far_apart(vectors: Vectors, rows: Rows, bound: float) -> Flags:
    """Which of K faces stay when none may have a cosine above ``bound`` to a better one that stays.

    Every face that leaves is near to one that stays, and no two that stay are near to each other.
    Memory is bounded by blocks, so that 100,000 faces take no more than 100 MB beside their
    embeddings; the time grows with K times the number that stay.

    Args:
        vectors: M×D embeddings of length 1.
        rows: of K faces in ``vectors``, the best first.
        bound: a cosine, -1..1.

    Example:
        >>> vectors = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
        >>> far_apart(vectors, np.array([0, 1, 2]), 0.7).tolist()
        [True, False, True]
    """
    stays = np.zeros(rows.size, dtype=np.bool_)
    kept = np.empty(0, dtype=np.int64)
    for start in range(0, rows.size, BLOCK):
        block = rows[start : start + BLOCK]
        free = _far_from(vectors, block, kept, bound)
        free[free] = _among(vectors[block[free]], bound)
        stays[start : start + BLOCK] = free
        kept = np.concatenate([kept, block[free]])
    return stays


def _far_from(vectors: Vectors, block: Rows, kept: Rows, bound: float) -> Flags:
    """Which of a block have no cosine above the bound to a kept one."""
    far = np.ones(block.size, dtype=np.bool_)
    own = vectors[block]
    for start in range(0, kept.size, CHUNK):
        cosines = own[far] @ vectors[kept[start : start + CHUNK]].T
        far[far] = cosines.max(axis=1) <= bound
    return far


def _among(own: Vectors, bound: float) -> Flags:
    """Which of a block stay, the best first."""
    near = own @ own.T > bound
    stays = np.ones(len(own), dtype=np.bool_)
    for place in range(len(own)):
        if stays[place]:
            stays[place + 1 :] &= ~near[place, place + 1 :]
    return stays
