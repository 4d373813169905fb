"""Ladder: who leaves when. Every pair and sample gets a level; level 0 leaves first, ties together.

A level is a whole number, so curves are counted (``bincount``), never sorted pair by pair: with the
quality of the worse sample only the N samples are sorted, and 15 million pairs are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs, Flags
from facegauge.evaluate.presets import (
    GRID_STEPS,
    Error,
    Leaving,
    PairQuality,
    Preset,
    Shape,
    Threshold,
)

Values = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int64]
GRID: Values = np.arange(GRID_STEPS) / GRID_STEPS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """Levels 0..``levels`` - 1 of the pairs that are counted, of the others, and of the samples.

    ``others`` is empty where pairs of the other kind have no say.
    """

    levels: int
    counted: Levels
    others: Levels
    samples: Levels

    def leaving(self, how: Leaving) -> Levels:
        """How many of what a share of discard is a share of leave from each level."""
        if how is Leaving.SAMPLES:
            return self._count(self.samples)
        own = self._count(self.counted)
        return own + self._count(self.others) if how is Leaving.BOTH else own

    def gone(self, levels: Levels) -> Levels:
        """How many of the given levels have left before each level."""
        return left_before(levels, self.levels)

    def _count(self, levels: Levels) -> Levels:
        return np.bincount(levels, minlength=self.levels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """The K points of a curve: ``discard`` (0..1) is gone, ``level`` is the lowest still there."""

    discard: Values
    level: Levels


def left_before(levels: Levels, count: int) -> Levels:
    """How many of P levels are below each level 0..``count`` - 1.

    Example:
        >>> left_before(np.array([2, 0, 0]), 3).tolist()
        [0, 2, 2]
    """
    each = np.bincount(levels, minlength=count)
    return np.cumsum(each) - each


def counted_pairs(pairs: ComparedPairs, preset: Preset) -> Flags:
    """Which pairs can be in error: the mated for FNMR, the non-mated for FMR."""
    return pairs.mated if preset.error is Error.FNMR else ~pairs.mated


def others_matter(preset: Preset) -> bool:
    """Whether pairs of the other kind have a say beyond a threshold for the whole curve."""
    return preset.leaving is Leaving.BOTH or preset.threshold is Threshold.FLOATING


def read_qualities(samples: int, quality: npt.ArrayLike) -> Values:
    """Qualities of N samples as float64; -inf where there is none (nan), so that they leave first.

    Raises:
        InputError: not one quality for each sample, an infinite one, or none at all.
    """
    q = np.array(quality, dtype=np.float64)
    if q.shape != (samples,):
        raise InputError(
            f"Expected one quality for each of {samples} samples, got shape {q.shape}. Give nan to "
            "samples without a score."
        )
    failed = np.isnan(q)
    if np.isinf(q).any() or failed.all():
        came = "only nan" if failed.all() else "an infinite one"
        raise InputError(
            f"Expected finite qualities, or nan for no score, got {came}. Score again."
        )
    q[failed] = -np.inf
    return q


def build_ladder(pairs: ComparedPairs, quality: Values, preset: Preset) -> Ladder:
    """The ladder of qualities from ``read_qualities``."""
    counted = counted_pairs(pairs, preset)
    others = ~counted if others_matter(preset) else np.zeros_like(counted)
    distinct, samples = np.unique(quality, return_inverse=True)
    if preset.quality is PairQuality.MEAN:
        return _mean_ladder(pairs, quality, counted, others)
    samples = samples.astype(np.int32)  # of 15 million pairs each byte counts
    return Ladder(
        levels=distinct.size,
        counted=_lower(samples, pairs, counted),
        others=_lower(samples, pairs, others),
        samples=samples,
    )


def _lower(samples: Levels, pairs: ComparedPairs, chosen: Flags) -> Levels:
    if chosen.all():
        return np.minimum(samples[pairs.first], samples[pairs.second])
    return np.minimum(samples[pairs.first[chosen]], samples[pairs.second[chosen]])


def _mean_ladder(pairs: ComparedPairs, quality: Values, counted: Flags, others: Flags) -> Ladder:
    halves = quality * 0.5
    means = [
        halves[pairs.first[chosen]] + halves[pairs.second[chosen]] for chosen in (counted, others)
    ]
    distinct, levels = np.unique(np.concatenate(means), return_inverse=True)
    return Ladder(
        levels=distinct.size,
        counted=levels[: means[0].size],
        others=levels[means[0].size :],
        samples=np.empty(0, dtype=np.int64),
    )


def climb(ladder: Ladder, preset: Preset) -> Steps:
    """The points of a curve: each level from which something leaves, or those of the grid."""
    leaving = ladder.leaving(preset.leaving)
    level = np.flatnonzero(leaving)
    discard = (np.cumsum(leaving) - leaving)[level] / leaving.sum()
    if preset.shape is Shape.STAIRS:
        return Steps(discard=discard, level=level)
    return Steps(discard=GRID, level=level[last_within(discard, GRID)])


def last_within(discard: Values, share: Values | float) -> Levels:
    """The last of the ascending ``discard`` (first 0) that is within each share.

    Both are correctly rounded quotients, so that 3 of 20 pairs are within 0.15 exactly.
    """
    return np.asarray(np.searchsorted(discard, share, side="right") - 1)
