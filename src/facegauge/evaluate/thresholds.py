"""Similarity thresholds: at a false match rate, at a starting FNMR, and of what is left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_FEW = 32


def threshold_at_fmr(nonmated: npt.ArrayLike, fmr: float = 1e-3) -> float:
    """The lowest similarity threshold at which at most ``fmr`` of non-mated pairs match.

    A pair matches when its similarity is not below the threshold.

    Raises:
        InputError: fewer non-mated pairs than 1 / fmr, an FMR outside (0, 1), or nan.
    """
    values = np.asarray(nonmated, dtype=np.float64).ravel()
    if not 0.0 < fmr < 1.0 or not np.isfinite(values).all():
        raise InputError(f"Expected an FMR between 0 and 1 and finite similarities, got FMR {fmr}.")
    _refuse_few(values.size, fmr)
    allowed = int(_allowed(np.int64(values.size), fmr))
    highest = np.partition(values, values.size - allowed - 1)[values.size - allowed - 1]
    return float(np.nextafter(highest, np.inf))


def threshold_at_start(mated: npt.ArrayLike, fnmr: float) -> float:
    """The threshold at which about ``fnmr`` of the mated pairs do not match.

    It is the linearly interpolated quantile, as in the dasec reference of the EDC.

    Raises:
        InputError: no mated pairs.
    """
    values = np.asarray(mated, dtype=np.float64)
    if not values.size:
        raise InputError(
            f"A threshold at FNMR(0) {fnmr:g} needs mated pairs, got none. Add mated pairs, or "
            "give the threshold."
        )
    return float(np.quantile(values, fnmr))


def is_below(similarity: npt.NDArray[np.floating], threshold: float) -> npt.NDArray[np.bool_]:
    """Which similarities are below the threshold (a non-match), compared as float64.

    Rounded to the float32 of the similarities, a threshold one float64 step above one of them would
    be that similarity, and more than the FMR would match. NumPy 1 rounds so for any scalar.
    """
    return np.asarray(similarity < np.array([threshold], dtype=np.float64))


def thresholds_of_rest(nonmated: Values, gone: Counts, fmr: float) -> Values:
    """``threshold_at_fmr`` of what is left after the first ``gone`` of the non-mated pairs.

    Where fewer than 1 / fmr pairs are left none of them may match; where none is left the last
    threshold stays, for discarding all non-mated pairs proves nothing.

    Args:
        nonmated: N similarities in the order in which they leave.
        gone: how many have left at each of K points, never falling, the first of them 0.
        fmr: the false match rate.

    Raises:
        InputError: as ``threshold_at_fmr``, for all pairs.
    """
    _refuse_few(nonmated.size, fmr)
    start = np.minimum(gone, nonmated.size - 1)
    left = nonmated.size - start
    rank = np.minimum(_allowed(left, fmr) + 1, left)
    found = np.nextafter(highest_of_rest(nonmated, start, rank), np.inf)
    some = np.flatnonzero(gone < nonmated.size)
    found[some[-1] + 1 :] = found[some[-1]]
    return np.asarray(found, dtype=np.float64)


def _refuse_few(count: int, fmr: float) -> None:
    if _allowed(np.int64(count), fmr) < 1:
        raise InputError(
            f"FMR {fmr:g} needs at least {int(np.ceil(1 / fmr))} non-mated pairs, got {count}. "
            "Use more people or a larger FMR."
        )


def _allowed(count: Counts | np.int64, fmr: float) -> Counts:
    return np.floor(count * fmr + 1e-9).astype(np.int64)


def highest_of_rest(values: Values, start: Counts, rank: Counts) -> Values:
    """The ``rank``-th highest of ``values[start:]``, for K starts and ranks (1 is the highest).

    A quantile query on a wavelet matrix (Claude, Navarro and Ordonez 2015): values become numbers
    of distinct values, and their bits are decided from the highest one down for all queries at
    once: O((N + K) log N), where K partitions would cost K times N. The few points of a grid are
    partitioned, which takes a fifth of the time then.

    Args:
        values: N numbers.
        start: K places in 0..N - 1.
        rank: K ranks, from 1 to what is left.
    """
    if start.size <= _FEW:
        parts = zip(values.size - rank, start, strict=True)
        return np.array([np.partition(values[at:], place - at)[place - at] for place, at in parts])
    distinct, codes = np.unique(values, return_inverse=True)
    low, high = start.copy(), np.full_like(start, values.size)
    found, wanted = np.zeros_like(start), rank.copy()
    for bit in reversed(range(int(distinct.size - 1).bit_length())):
        ones, before = _bit(codes, bit)
        zeros = codes.size - before[-1]
        inside = before[high] - before[low]
        up = wanted <= inside
        wanted = np.where(up, wanted, wanted - inside)
        found += up.astype(np.int64) << bit
        low = np.where(up, zeros + before[low], low - before[low])
        high = np.where(up, zeros + before[high], high - before[high])
        codes = np.concatenate([codes[~ones], codes[ones]])
    return np.asarray(distinct[found], dtype=np.float64)


def below_of_rest(values: Values, start: Counts, threshold: Values) -> Counts:
    """How many of ``values[start:]`` are below the threshold, for K starts and thresholds.

    A rank query on a wavelet matrix, or K counts, see ``highest_of_rest``.
    """
    if start.size <= _FEW:
        parts = zip(start, threshold, strict=True)
        return np.array([np.count_nonzero(values[at:] < limit) for at, limit in parts])
    distinct, codes = np.unique(values, return_inverse=True)
    wanted = np.searchsorted(distinct, threshold, side="left")  # of the first that is not below
    low, high = start.copy(), np.full_like(start, values.size)
    found = np.zeros_like(start)
    for bit in reversed(range(int(distinct.size).bit_length())):
        ones, before = _bit(codes, bit)
        zeros = codes.size - before[-1]
        up = (wanted >> bit & 1).astype(bool)
        inside = before[high] - before[low]
        found += np.where(up, high - low - inside, 0)
        low = np.where(up, zeros + before[low], low - before[low])
        high = np.where(up, zeros + before[high], high - before[high])
        codes = np.concatenate([codes[~ones], codes[ones]])
    return found


def _bit(codes: npt.NDArray[np.integer], bit: int) -> tuple[npt.NDArray[np.bool_], Counts]:
    """Which of N codes have the bit, and how many of them stand before each of N + 1 places."""
    ones = (codes >> bit & 1).astype(bool)
    before = np.zeros(codes.size + 1, dtype=np.int64)
    np.cumsum(ones, out=before[1:])
    return ones, before
