"""Resampling of people: how much each person, and each pair, counts in a resample.

People, not pairs, are what a test set draws from the world: the pairs of one person err together,
and resampling pairs would promise far too much (Bolle, Ratha and Pankanti 2004, the subsets
bootstrap). So as many people as there are get drawn with replacement. Person a drawn w_a times
stands for w_a people who look alike:

- a mated pair of a counts w_a: each of these people brings his own pairs;
- a non-mated pair of a and b counts w_a w_b: each a meets each b (as in the vertex bootstrap of
  networks, Snijders and Borgatti 1999);
- a sample of a counts w_a.

Two draws of the same person are not compared with each other: their pairs would hold samples
compared with themselves. People without any pair are drawn too: another set from the same source
would have such people as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


def draw_people(people: int, resamples: int, seed: int) -> npt.NDArray[np.int32]:
    """How often each of P people is drawn in each of R resamples, R×P; each row sums to P."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, people), dtype=np.int32)
    for row in drawn:
        row[:] = np.bincount(rng.integers(0, people, people), minlength=people)
    return drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Things that leave together and weigh the same, C cells in order of ``level``.

    A cell holds the pairs of one level between persons ``a`` and ``b`` (the same for mated pairs
    and for samples): ``count`` of them, ``wrong`` (T×C) of them in error at each of T thresholds.
    """

    level: Counts
    a: Counts
    b: Counts
    count: Values
    wrong: Values

    @classmethod
    def of(cls, level: Counts, a: Counts, b: Counts, wrong: npt.NDArray[np.bool_]) -> Cells:
        """The cells of N things; ``wrong`` is T×N."""
        people = int(max(a.max(initial=0), b.max(initial=0))) + 1
        low, high = np.minimum(a, b), np.maximum(a, b)
        keys = (level.astype(np.int64) * people + low) * people + high
        distinct, places = np.unique(keys, return_inverse=True)
        size = distinct.size
        return cls(
            level=distinct // people**2,
            a=distinct // people % people,
            b=distinct % people,
            count=np.bincount(places, minlength=size).astype(np.float64),
            wrong=np.stack([np.bincount(places, each, minlength=size) for each in wrong])
            if len(wrong)
            else np.empty((0, size)),
        )

    def weights(self, drawn: npt.NDArray[np.int32]) -> Values:
        """How much a thing of each cell counts, R×C, where people are ``drawn`` R×P."""
        found = drawn.take(self.a, axis=1).astype(np.float64)
        mixed = np.flatnonzero(self.a != self.b)
        if mixed.size:
            found[:, mixed] *= drawn.take(self.b[mixed], axis=1)
        return found

    def starts(self, levels: Counts) -> Counts:
        """The first cell that is not below each level."""
        return np.searchsorted(self.level, levels)


def sums_before(values: Values, starts: Counts) -> Values:
    """Sums of ``values[..., :start]`` for each start, and the total behind them, ...×(K + 1)."""
    sums = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=sums[..., 1:])
    return sums.take(np.append(starts, values.shape[-1]), axis=-1)
