"""The similarity threshold at a false match rate (FMR), from pairs of different people.

All non-mated pairs of N faces are N^2 / 2 similarities: too many to hold, so they are looked at
block by block and only the highest ``floor(fmr x pairs) + 1`` are kept, which is all the threshold
depends on. Memory beside the embeddings: at most 16 bytes for each similarity kept and 32 MB for
the rest (N = 20,000 at FMR 1e-3: 3.2 MB + 32 MB, where all of them would be 1.6 GB).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError
from facegauge.evaluate.curves import threshold_at_fmr
from facegauge.evaluate.pairs import Pairs

BLOCK = 1024
"""Rows and columns of similarities looked at together."""

_LEAST = 1 << 20
_MOST_DRAWN = 1 << 22

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FmrThreshold:
    """A similarity ``threshold`` at which at most ``fmr`` of ``nonmated`` pairs match.

    ``exhaustive`` when these are all the non-mated pairs there are.
    """

    threshold: float
    fmr: float
    nonmated: int
    exhaustive: bool

    @classmethod
    def of(
        cls, similarity: npt.NDArray[np.float64], fmr: float, *, exhaustive: bool
    ) -> FmrThreshold:
        """From the similarities of non-mated pairs; raises as ``curves.threshold_at_fmr``."""
        threshold = threshold_at_fmr(similarity, fmr)
        return cls(
            threshold=threshold, fmr=fmr, nonmated=int(similarity.size), exhaustive=exhaustive
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Non-mated pairs drawn at random; ``all`` when they are all there are."""

    pairs: Pairs
    all: bool


def exhaustive_threshold(
    values: Float32, identities: Sequence[str], fmr: float, *, block: int = BLOCK
) -> FmrThreshold:
    """The threshold at ``fmr`` from every non-mated pair.

    Equals ``curves.threshold_at_fmr`` of all their similarities: that one lies one float64 step
    above the (floor(fmr x pairs) + 1)-th highest, and nothing below it matters.

    Args:
        values: unit-length embeddings, float32 N×D.
        identities: one for each of the N.
        fmr: false match rate in (0, 1).
        block: rows of embeddings compared with as many others at a time.

    Raises:
        InputError: an FMR outside (0, 1), fewer non-mated pairs than 1 / fmr, or not one identity
            for each embedding.
    """
    people = _people(identities, len(values))
    pairs = count_nonmated(identities)
    highest = _Highest(_allowed(pairs, fmr) + 1)
    for top in range(0, len(values), block):
        for left in range(top, len(values), block):
            rows, columns = slice(top, top + block), slice(left, left + block)
            found = values[rows] @ values[columns].T
            wanted = found > highest.floor
            wanted &= people[rows, None] != people[None, columns]
            if left == top:
                wanted &= np.triu(np.ones_like(wanted), 1)
            highest.add(found[wanted])
    threshold = float(np.nextafter(float(highest.lowest()), np.inf))
    return FmrThreshold(threshold=threshold, fmr=fmr, nonmated=pairs, exhaustive=True)


def count_nonmated(identities: Sequence[str]) -> int:
    """How many pairs of faces show different people: all pairs less those of each person.

    Example:
        >>> count_nonmated(["anna", "anna", "bert"])
        2
    """
    faces = Counter(identities).values()
    total = sum(faces)
    return (total * (total - 1) - sum(each * (each - 1) for each in faces)) // 2


def sample_nonmated(identities: Sequence[str], count: int, seed: int = 0) -> Sample:
    """``count`` different non-mated pairs (first < second), each set of them equally likely.

    Pairs are drawn one by one; those of one person and those met before are drawn again. Where
    there are not more than ``count``, all of them come. Memory: about 60 bytes a pair.

    Raises:
        InputError: no pair asked for, or everybody is the same person.
    """
    people = _people(identities, len(identities))
    there = count_nonmated(identities)
    if count < 1 or there < 1:
        raise InputError(
            f"Expected to draw one non-mated pair or more, got {count} of {there} there are. "
            "Ask for more, or add people."
        )
    if there <= count:
        return Sample(pairs=_every_nonmated(people), all=True)
    codes = _drawn(people, count, there, np.random.default_rng(seed))
    return Sample(pairs=_nonmated(codes // people.size, codes % people.size), all=False)


def _every_nonmated(people: npt.NDArray[np.int64]) -> Pairs:
    """All pairs of different people, face by face."""
    others = [np.flatnonzero(people[face:] != people[face]) + face for face in range(people.size)]
    first = np.repeat(np.arange(people.size), [each.size for each in others])
    return _nonmated(first, np.concatenate(others))


def _drawn(
    people: npt.NDArray[np.int64], count: int, there: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Different pairs as first x N + second, in the order in which they were first drawn."""
    codes = np.empty(0, dtype=np.int64)
    each = people.size**2 / (2 * there)  # draws for one non-mated pair
    while codes.size < count:
        size = min(int((count - codes.size) * each * 1.1) + 64, _MOST_DRAWN)
        one, other = rng.integers(0, people.size, (2, size))
        fine = people[one] != people[other]
        first, second = np.minimum(one, other)[fine], np.maximum(one, other)[fine]
        codes = np.concatenate([codes, first * people.size + second])
        codes = codes[np.sort(np.unique(codes, return_index=True)[1])]
    return codes[:count]


class _Highest:
    """The ``keep`` highest of many numbers, and the ``floor`` below which more do not matter."""

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.floor = -np.inf
        self._held: list[Float32] = []
        self._size = 0

    def add(self, values: Float32) -> None:
        """Take more numbers into account."""
        self._held.append(values)
        self._size += values.size
        if self._size > self.keep + max(self.keep, _LEAST):
            self._shrink()

    def lowest(self) -> np.float32:
        """The ``keep``-th highest of all numbers added: at least as many there must be."""
        self._shrink()
        return np.float32(self.floor)

    def _shrink(self) -> None:
        held = np.concatenate(self._held)
        if held.size > self.keep:
            held.partition(held.size - self.keep)
            held = held[held.size - self.keep :].copy()
        self._held, self._size = [held], held.size
        if held.size == self.keep:
            self.floor = float(held.min())


def _nonmated(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> Pairs:
    return Pairs(
        first=first.astype(np.int32),
        second=second.astype(np.int32),
        mated=np.zeros(first.size, dtype=np.bool_),
    )


def _people(identities: Sequence[str], count: int) -> npt.NDArray[np.int64]:
    """A number for each face, the same for the same person."""
    if len(identities) != count:
        raise InputError(f"Expected one identity for each of {count} faces, got {len(identities)}.")
    return np.unique(np.asarray(identities, dtype=np.str_), return_inverse=True)[1].reshape(-1)


def _allowed(pairs: int, fmr: float) -> int:
    """How many non-mated pairs may match; as ``curves.threshold_at_fmr`` counts."""
    if not 0.0 < fmr < 1.0:
        raise InputError(f"Expected an FMR between 0 and 1, got {fmr}. 1e-3 is usual.")
    allowed = int(np.floor(pairs * fmr + 1e-9))
    if allowed < 1:
        raise InputError(
            f"FMR {fmr:g} needs at least {int(np.ceil(1 / fmr))} non-mated pairs, got {pairs}. "
            "Use more people or a larger FMR."
        )
    return allowed
