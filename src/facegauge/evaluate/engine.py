"""Engine of the error-versus-discard curve (EDC): every preset through the same counting.

What remains of a recogniser's errors when the samples of lowest quality are discarded. Pairs whose
similarity is below the threshold are non-matches (FNMR of mated pairs), the others matches (FMR of
non-mated pairs). Where nothing countable is left, the error is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.compared import ComparedPairs, Flags, Numbers
from facegauge.evaluate.edc_result import Edc
from facegauge.evaluate.ladder import (
    Ladder,
    Levels,
    Steps,
    build_ladder,
    climb,
    counted_pairs,
    last_within,
    read_qualities,
)
from facegauge.evaluate.presets import PRESETS, Error, Leaving, Preset, Threshold
from facegauge.evaluate.thresholds import (
    below_of_rest,
    is_below,
    threshold_at_fmr,
    threshold_at_start,
    thresholds_of_rest,
)

Values = npt.NDArray[np.float64]


def edc(
    pairs: ComparedPairs,
    quality: npt.ArrayLike,
    preset: Preset = PRESETS["difiqa"],
    *,
    threshold: float | None = None,
    method: str = "",
    recogniser: str = "",
) -> Edc:
    """The error-versus-discard curve of one quality.

    Args:
        pairs: the comparisons among N samples.
        quality: of N samples, higher is better; nan for no score (no face found, for instance):
            these leave first, all together.
        preset: how to compute it.
        threshold: the similarity threshold if it is known already, for instance from more non-mated
            pairs than there are here; in place of the one the preset takes from ``pairs``.
        method: name of the quality, for prints.
        recogniser: name of what made the similarities, for prints.

    Raises:
        InputError: qualities that do not fit, no pairs that could be in error, or too few pairs for
            the threshold.
        OptionError: a threshold where the preset has a floating one, or none where it has to be
            given.

    Example:
        >>> pairs = ComparedPairs(samples=4, first=[0, 0, 1, 2], second=[1, 2, 3, 3],
        ...     similarity=[0.2, 0.9, 0.8, 0.7], mated=[True] * 4)
        >>> curve = edc(pairs, [10, 20, 20, float("nan")], threshold=0.5)
        >>> curve.discard.tolist(), curve.error.tolist()
        ([0.0, 0.5], [0.25, 0.5])
        >>> curve.failures
        1
    """
    q = read_qualities(pairs.samples, quality)
    counted = _countable(pairs, preset)
    ladder = build_ladder(pairs, q, preset)
    steps = climb(ladder, preset)
    thresholds = find_thresholds(pairs, ladder, steps, preset, threshold)
    similarity = pairs.similarity if counted.all() else pairs.similarity[counted]
    rest = _left(ladder.gone(ladder.counted), steps, ladder.counted.size)
    wrong = _errors(similarity, ladder, steps, thresholds, preset)
    closing = preset.closed and steps.discard[-1] < 1.0
    return Edc(
        method=method,
        recogniser=recogniser,
        preset=preset,
        discard=np.append(steps.discard, 1.0) if closing else steps.discard,
        remaining=np.append(rest, 0) if closing else rest,
        remaining_errors=np.append(wrong, 0) if closing else wrong,
        thresholds=np.append(thresholds, thresholds[-1]) if closing else thresholds,
        samples=pairs.samples,
        failures=int(np.isneginf(q).sum()),
    )


def _countable(pairs: ComparedPairs, preset: Preset) -> Flags:
    counted = counted_pairs(pairs, preset)
    if not counted.any():
        kind = "mated" if preset.error is Error.FNMR else "non-mated"
        raise InputError(
            f"An {preset.error.upper()} curve needs {kind} pairs, got none among {len(pairs)}. "
            f"Add {kind} pairs."
        )
    return counted


def find_thresholds(
    pairs: ComparedPairs, ladder: Ladder, steps: Steps, preset: Preset, given: float | None
) -> Values:
    """The similarity threshold at each of the K points of a curve."""
    if preset.threshold is Threshold.FLOATING:
        _refuse(given is not None, preset, "no threshold, for its own floats", given)
        return _floating(pairs, ladder, steps, preset)
    if given is None:
        given = _fixed(pairs, preset)
    _refuse(not np.isfinite(given), preset, "a finite threshold", given)
    return np.full(steps.discard.size, float(given))


def _fixed(pairs: ComparedPairs, preset: Preset) -> float:
    _refuse(preset.rate is None, preset, "a similarity threshold", None)
    rate = preset.rate or 0.0
    if preset.threshold is Threshold.START:
        return threshold_at_start(pairs.similarity[pairs.mated], rate)
    return threshold_at_fmr(pairs.similarity[~pairs.mated], rate)


def _refuse(wrong: bool, preset: Preset, expected: str, came: object) -> None:
    if wrong:
        raise OptionError(f"Preset {preset.name} needs {expected}, got {came}. Change either.")


def _floating(pairs: ComparedPairs, ladder: Ladder, steps: Steps, preset: Preset) -> Values:
    """From the non-mated pairs left at each point; the error is FNMR here (see Preset)."""
    similarity = pairs.similarity[~pairs.mated].astype(np.float64)
    order = np.argsort(ladder.others, kind="stable")
    gone = _others_gone(ladder, steps, preset.leaving)
    return thresholds_of_rest(similarity[order], gone, preset.rate or 0.0)


def _others_gone(ladder: Ladder, steps: Steps, leaving: Leaving) -> Levels:
    """How many pairs of the other kind have left at each point."""
    if leaving is Leaving.MATED or not ladder.others.size:
        return np.zeros_like(steps.level)
    gone = ladder.gone(ladder.others)
    if leaving is not Leaving.PROPORTIONAL:
        return gone[steps.level]
    own = np.unique(gone[np.unique(ladder.others)])  # after each whole level
    return own[last_within(own / ladder.others.size, steps.discard)]


def _left(gone: Levels, steps: Steps, total: int) -> Levels:
    return np.asarray(total - gone[steps.level])


def _errors(
    similarity: Numbers, ladder: Ladder, steps: Steps, thresholds: Values, preset: Preset
) -> Levels:
    """How many counted pairs that remain at each point are in error."""
    if preset.threshold is Threshold.FLOATING:
        order = np.argsort(ladder.counted, kind="stable")
        start = ladder.gone(ladder.counted)[steps.level]
        return below_of_rest(similarity[order].astype(np.float64), start, thresholds)
    wrong = in_error(similarity, thresholds[0], preset)
    levels = ladder.counted[wrong]
    return _left(ladder.gone(levels), steps, levels.size)


def in_error(similarity: Numbers, threshold: float, preset: Preset) -> Flags:
    """Whether counted pairs are in error: non-matches for FNMR, matches for FMR."""
    below = is_below(similarity, threshold)
    return below if preset.error is Error.FNMR else ~below
