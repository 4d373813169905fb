"""Bootstrap over people: how sure a pAUC is, and the difference between two methods.

All methods see the same resamples (paired), so that what is hard about a person is hard for all of
them and cancels in a difference. How people and pairs are weighted stands in ``resampling``.

Similarity thresholds stay those of the whole set: they are the operating point at which methods are
compared, and moving them would mix the recogniser's uncertainty into the quality's. Error(0), by
which ``e0`` divides, is that of each resample. Intervals are percentile intervals (Efron 1979).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.areas import linear_area, normalised, stairs_area
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.edc_result import Edc, Interval
from facegauge.evaluate.engine import edc, in_error
from facegauge.evaluate.ladder import (
    GRID,
    Ladder,
    build_ladder,
    counted_pairs,
    last_within,
    read_qualities,
)
from facegauge.evaluate.presets import PRESETS, Leaving, Preset, Shape, Threshold
from facegauge.evaluate.resampling import Cells, draw_people, sums_before

Values = npt.NDArray[np.float64]
People = npt.NDArray[np.int64]

_AT_ONCE = 1 << 20
"""Weights held at a time (8 MB each array): resamples times cells."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MethodComparison:
    """Curves of M methods on the same pairs, with intervals, and the R resampled pAUCs of each.

    ``draws`` is M×R; where a resample has no pair, or no error to divide by, it is nan for all
    methods and left out of the intervals; ``usable`` counts the others.
    """

    curves: tuple[Edc, ...]
    draws: Values
    confidence: float
    seed: int

    @property
    def usable(self) -> int:
        """Resamples in which every pAUC is known."""
        return int(np.isfinite(self.draws).all(axis=0).sum())

    def interval(self, method: str) -> Interval:
        """The pAUC of a method.

        Raises:
            OptionError: no such method.
        """
        place = self._place(method)
        return _interval(self.curves[place].pauc(), self.draws[place], self.confidence)

    def difference(self, first: str, second: str) -> Interval:
        """PAUC of ``first`` minus that of ``second``: below 0 where the first is better.

        Raises:
            OptionError: no such method.
        """
        one, other = self._place(first), self._place(second)
        value = self.curves[one].pauc() - self.curves[other].pauc()
        return _interval(value, self.draws[one] - self.draws[other], self.confidence)

    def _place(self, method: str) -> int:
        names = [curve.method for curve in self.curves]
        if method not in names:
            raise OptionError(f"Expected one of {', '.join(names)}, got {method!r}. Choose one.")
        return names.index(method)

    def __str__(self) -> str:
        return "\n".join(str(curve) for curve in self.curves)


def compare_methods(
    pairs: ComparedPairs,
    qualities: Mapping[str, npt.ArrayLike],
    identities: npt.ArrayLike,
    preset: Preset = PRESETS["difiqa"],
    *,
    threshold: float | None = None,
    recogniser: str = "",
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> MethodComparison:
    """The curve of each method with the interval of its pAUC, all from the same resamples.

    Args:
        pairs: comparisons among N samples.
        qualities: by method, of N samples each; nan for no score.
        identities: of N samples; a pair is mated exactly when both are equal.
        preset: how to compute curves; a floating threshold needs a linear curve.
        threshold: as in ``edc``.
        recogniser: name of what made the similarities.
        resamples: how many; 1000 gives limits good to about a tenth of the interval.
        confidence: share of the resamples within an interval.
        seed: of the draws: the same seed gives the same numbers.

    Raises:
        InputError: as ``edc``, identities that contradict ``mated``, or no error in more than half
            of the resamples.
        OptionError: no method, no resample, a confidence outside (0, 1), or a floating threshold on
            stairs.
    """
    _check_options(qualities, preset, resamples, confidence)
    people = _people(pairs, identities)
    drawn = draw_people(int(people.max()) + 1, resamples, seed)
    curves = tuple(
        edc(pairs, quality, preset, threshold=threshold, method=method, recogniser=recogniser)
        for method, quality in qualities.items()
    )
    found = [
        _resampled(pairs, quality, people, curve, drawn)
        for quality, curve in zip(qualities.values(), curves, strict=True)
    ]
    plain = MethodComparison(curves=curves, draws=np.stack(found), confidence=confidence, seed=seed)
    _check_usable(plain)
    sure = tuple(replace(each, interval=plain.interval(each.method)) for each in curves)
    return replace(plain, curves=sure)


def _check_options(
    qualities: Mapping[str, npt.ArrayLike], preset: Preset, resamples: int, confidence: float
) -> None:
    if not qualities or resamples < 1 or not 0.0 < confidence < 1.0:
        raise OptionError(
            "Intervals need a method, a resample and a confidence between 0 and 1, got "
            f"{len(qualities)}, {resamples} and {confidence}. 1000 and 0.95 are usual."
        )
    if preset.threshold is Threshold.FLOATING and preset.shape is Shape.STAIRS:
        raise OptionError(
            f"Preset {preset.name} has a floating threshold, for which intervals need a linear "
            "curve, got stairs. Use shape linear, or edc without intervals."
        )


def _people(pairs: ComparedPairs, identities: npt.ArrayLike) -> People:
    """A number for the person of each of N samples."""
    names = np.asarray(identities)
    if names.shape != (pairs.samples,):
        raise InputError(
            f"Expected one identity for each of {pairs.samples} samples, got {names.shape}. "
            "Give every sample its person."
        )
    people = np.unique(names, return_inverse=True)[1].astype(np.int64)
    wrong = (people[pairs.first] == people[pairs.second]) != pairs.mated
    if wrong.any():
        raise InputError(
            f"Expected pairs to be mated exactly when both samples are of one person, got "
            f"{wrong.sum()} pairs that are not so. Correct the identities or the pairs."
        )
    return people


def _check_usable(found: MethodComparison) -> None:
    total = found.draws.shape[1]
    if found.usable * 2 <= total:
        raise InputError(
            f"Expected errors in most resamples of the people, got {found.usable} of {total} with "
            "any. Use more pairs or a stricter threshold."
        )


def _interval(value: float, draws: Values, confidence: float) -> Interval:
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(draws[np.isfinite(draws)], [tail, 1.0 - tail])
    return Interval(value=value, low=float(low), high=float(high), confidence=confidence)


def _resampled(
    pairs: ComparedPairs,
    quality: npt.ArrayLike,
    people: People,
    curve: Edc,
    drawn: npt.NDArray[np.int32],
) -> Values:
    """The pAUC in each of R resamples; nan without an error to begin with."""
    preset = curve.preset
    ladder = build_ladder(pairs, read_qualities(pairs.samples, quality), preset)
    counted = _counted_cells(pairs, people, ladder, curve)
    leaving = _leaving_cells(pairs, people, ladder, preset)
    step = max(1, _AT_ONCE // (counted if leaving is None else leaving).count.size)
    parts = [
        _areas(counted, leaving, drawn[start : start + step], preset)
        for start in range(0, len(drawn), step)
    ]
    return np.concatenate(parts)


def _counted_cells(pairs: ComparedPairs, people: People, ladder: Ladder, curve: Edc) -> Cells:
    chosen = counted_pairs(pairs, curve.preset)
    similarity = pairs.similarity[chosen]
    floating = curve.preset.threshold is Threshold.FLOATING
    thresholds = curve.thresholds if floating else curve.thresholds[:1]
    return Cells.of(
        ladder.counted,
        people[pairs.first[chosen]],
        people[pairs.second[chosen]],
        np.stack([in_error(similarity, each, curve.preset) for each in thresholds]),
    )


def _leaving_cells(
    pairs: ComparedPairs, people: People, ladder: Ladder, preset: Preset
) -> Cells | None:
    """What a share of discard is a share of, where that is not the counted pairs."""
    nothing = np.empty((0, 0), dtype=np.bool_)
    if preset.leaving is Leaving.SAMPLES:
        return Cells.of(ladder.samples, people, people, nothing)
    if preset.leaving is not Leaving.BOTH:
        return None
    counted = counted_pairs(pairs, preset)
    level = np.empty(len(pairs), dtype=np.int64)
    level[counted], level[~counted] = ladder.counted, ladder.others
    return Cells.of(level, people[pairs.first], people[pairs.second], nothing)


def _areas(
    counted: Cells, leaving: Cells | None, drawn: npt.NDArray[np.int32], preset: Preset
) -> Values:
    """Normalised areas of R resamples."""
    levels = np.unique((counted if leaving is None else leaving).level)
    weights = counted.weights(drawn)
    gone = sums_before(weights * counted.count, counted.starts(levels))
    if leaving is None:
        discard = _shares(gone)
    else:
        own = leaving.weights(drawn) * leaving.count
        discard = _shares(sums_before(own, leaving.starts(levels)))
    if preset.shape is Shape.STAIRS:
        wrong = sums_before(weights * counted.wrong[0], counted.starts(levels))
        error = _rates(wrong, gone)
        area = stairs_area(discard, error, preset.limit)
    else:
        error = _grid_errors(counted, weights, levels, gone, discard)
        area = linear_area(GRID, error, preset.limit)
    known = np.where(gone[:, -1] > 0, area, np.nan)
    return normalised(known, error[:, 0], preset.limit, preset.normalisation)


def _shares(gone: Values) -> Values:
    return np.asarray(gone[:, :-1] / np.maximum(gone[:, -1:], 1.0))


def _rates(wrong: Values, gone: Values) -> Values:
    """Errors left over pairs left, 0 where none is left."""
    left = gone[:, -1:] - gone[:, :-1]
    return np.asarray((wrong[:, -1:] - wrong[:, :-1]) / np.maximum(left, 1.0))


def _grid_errors(
    counted: Cells, weights: Values, levels: People, gone: Values, discard: Values
) -> Values:
    """The error of R resamples at each point of the grid, R×G, at that point's threshold."""
    places = np.stack([last_within(row, GRID) for row in discard])
    rows = np.arange(len(weights))
    result = np.empty(places.shape)
    for column in range(GRID.size):
        own = counted.wrong[column if len(counted.wrong) > 1 else 0]
        wrong = sums_before(weights * own, counted.starts(levels))
        result[:, column] = _rates(wrong, gone)[rows, places[:, column]]
    return result
