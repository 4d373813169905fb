"""Who comes first: faces by group and score, ties by path, and the share that leaves first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facegauge.score_columns import ScoreColumns

Rows = npt.NDArray[np.int64]
Groups = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


def best_first(columns: ScoreColumns, groups: Groups, rows: Rows) -> Rows:
    """``rows`` by group, in each the best score first; equal scores by path, then face."""
    order = rows[np.lexsort((-columns.scores[rows], groups[rows]))]
    scores, own = columns.scores[order], groups[order]
    tied = np.append((scores[1:] == scores[:-1]) & (own[1:] == own[:-1]), False)
    edges = np.flatnonzero(np.diff(tied.astype(np.int8), prepend=0, append=0))
    for start, end in edges.reshape(-1, 2).tolist():
        run = order[start : end + 1].tolist()
        run.sort(key=lambda row: (columns.paths.coded(row), int(columns.faces[row])))
        order[start : end + 1] = run
    return order


def starts(groups: Groups) -> Rows:
    """Where each run of equal groups begins, of N that are sorted.

    Example:
        >>> starts(np.array([3, 3, 5])).tolist()
        [0, 2]
    """
    return np.flatnonzero(np.append(True, groups[1:] != groups[:-1])[: groups.size])


def ranks(groups: Groups) -> Rows:
    """The place of each of N within its group, from 0, where groups are sorted.

    Example:
        >>> ranks(np.array([3, 3, 5])).tolist()
        [0, 1, 0]
    """
    first = starts(groups)
    sizes = np.diff(first, append=groups.size)
    return np.arange(groups.size) - np.repeat(first, sizes)


def lowest(scores: npt.NDArray[np.float64], groups: Groups, share: float) -> Flags:
    """Which of N leave when at most ``share`` (0..1) of each group does, the lowest first.

    nan is lower than every score. Equal scores leave together, and where they do not all fit into
    the share they stay: the levels of ``evaluate.ladder``, for each group.

    Example:
        >>> lowest(np.array([10.0, 20.0, 20.0, 30.0]), np.zeros(4, np.int32), 0.5).tolist()
        [True, False, False, False]
    """
    if not scores.size:
        return np.zeros(0, dtype=np.bool_)
    quality = np.where(np.isnan(scores), -np.inf, scores)
    order = np.lexsort((quality, groups))
    own, quality = groups[order], quality[order]
    place = ranks(own)
    first = np.append(True, (quality[1:] != quality[:-1]) | (own[1:] != own[:-1]))
    before = place[np.maximum.accumulate(np.where(first, np.arange(own.size), 0))]
    begin = starts(own)
    sizes = np.diff(begin, append=own.size)
    within = before / np.repeat(sizes, sizes) <= share  # correctly rounded, as in the ladder
    limit = np.maximum.reduceat(np.where(within, before, 0), begin)
    leaves = np.empty(own.size, dtype=np.bool_)
    leaves[order] = before < np.repeat(limit, sizes)
    return leaves
