"""How far apart the scores of two data sets are, with 95 % intervals.

All three numbers take each score for a draw of its own. Pictures of one person, or frames of one
video, are alike: with few of them the intervals are too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import OptionError
from facegauge.evaluate.edc_result import Interval
from facegauge.evaluate.spread import Spread

Values = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_TAIL = (1.0 - CONFIDENCE) / 2.0
_Z = 1.959963984540054
"""The standard normal quantile of 1 - ``_TAIL``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The scores of the set ``name`` against those of ``reference``.

    ``higher`` is the probability 0..1 that a score of ``name`` is above one of ``reference``, equal
    scores counting half. ``median`` is the difference of the medians in score points, its interval
    of no width without resamples. ``distance`` is the largest difference of the shares that lie
    below a score (Kolmogorov and Smirnov), 0..1, found at the score ``apart_at``.
    """

    name: str
    reference: str
    higher: Interval
    median: Interval
    distance: Interval
    apart_at: float
    resamples: int
    seed: int

    @property
    def cliff(self) -> float:
        """Cliff's delta, -1..1: the probability of a higher score minus that of a lower one."""
        return 2.0 * self.higher.value - 1.0

    @property
    def verdict(self) -> str:
        """What scores of the set are: ``higher``, ``lower``, or ``not told apart``."""
        if 0.5 in self.higher:
            return "not told apart"
        return "higher" if self.higher.value > 0.5 else "lower"

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON; intervals end at ``..._low`` and ``..._high``."""
        record: dict[str, Any] = {"name": self.name, "reference": self.reference}
        known = {
            "higher": self.higher,
            "median_difference": self.median,
            "distance": self.distance,
        }
        for key, each in known.items():
            there = key != "median_difference" or self.resamples > 0
            ends = (each.low, each.high) if there else (None, None)
            record |= {key: each.value, f"{key}_low": ends[0], f"{key}_high": ends[1]}
        record |= {"cliff": self.cliff, "distance_at": self.apart_at, "scores_are": self.verdict}
        return record | {"confidence": CONFIDENCE}


def contrast(
    spread: Spread, reference: Spread, *, resamples: int = 10_000, seed: int = 0
) -> Contrast:
    """Compare the scores of two sets.

    Args:
        spread: N scores.
        reference: M scores, of the same model.
        resamples: for the interval of the median's difference; 0 for none. Each takes the same
            time, however many scores there are.
        seed: of the resamples.

    Raises:
        OptionError: a negative number of resamples.

    Example:
        >>> low, high = (
        ...     Spread(name=name, scores=np.array(scores), outcomes={"scored": 3})
        ...     for name, scores in (("low", [10.0, 20.0, 30.0]), ("high", [25.0, 40.0, 50.0]))
        ... )
        >>> found = contrast(high, low, resamples=0)
        >>> round(found.higher.value, 3), found.median.value, round(found.distance.value, 3)
        (0.889, 20.0, 0.667)
    """
    if resamples < 0:
        raise OptionError(f"Expected 0 resamples or more, got {resamples}. Pass 0 for none.")
    ours, theirs = spread.scores, reference.scores
    distance, at = _distance(ours, theirs)
    return Contrast(
        name=spread.name,
        reference=reference.name,
        higher=_higher(ours, theirs),
        median=_median(ours, theirs, resamples, seed),
        distance=distance,
        apart_at=at,
        resamples=resamples,
        seed=seed,
    )


def _higher(ours: Values, theirs: Values) -> Interval:
    """Mann and Whitney's U divided by N M, and its interval.

    The variance is that of DeLong et al. (Biometrics 44, 1988) from the placements of each score
    among those of the other set, the interval Wilson's for so many draws as would have this
    variance. It cannot be above P (1 - P) / min(N, M) (Birnbaum and Klose, Annals of Mathematical
    Statistics 28, 1957), which stands in where all placements are equal, as when no score of one
    set is below any of the other. Of 600 intervals of drawn sets 93 % or more held the truth for
    sets of 20 and of 200 and 30, for a truth of .98 and the latter 91 %.
    """
    mine, other = _placements(ours, theirs), _placements(theirs, ours)
    share = float(mine.mean())
    variance = sum(float(each.var()) / max(each.size - 1, 1) for each in (mine, other))
    fewest = float(min(ours.size, theirs.size))
    draws = share * (1.0 - share) / variance if variance > 0.0 else fewest
    return _wilson(share, max(draws, fewest))


def _placements(ours: Values, theirs: Values) -> Values:
    """For each of N scores the share of M that is lower, equal ones counting half."""
    sides = (np.searchsorted(theirs, ours, side) for side in ("left", "right"))
    return np.asarray(sum(sides) / (2.0 * theirs.size), dtype=np.float64)


def _wilson(share: float, draws: float) -> Interval:
    """The interval of a share seen in so many draws (Wilson 1927)."""
    weight = _Z**2 / draws
    middle = (share + weight / 2.0) / (1.0 + weight)
    half = _Z / (1.0 + weight) * math.sqrt((share * (1.0 - share) + weight / 4.0) / draws)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(value=share, low=min(low, share), high=max(high, share), confidence=CONFIDENCE)


def _median(ours: Values, theirs: Values, resamples: int, seed: int) -> Interval:
    value = float(np.median(ours) - np.median(theirs))
    if not resamples:
        return Interval(value=value, low=value, high=value, confidence=CONFIDENCE)
    rng = np.random.default_rng(seed)
    drawn = resampled_medians(ours, resamples, rng) - resampled_medians(theirs, resamples, rng)
    low, high = np.quantile(drawn, (_TAIL, 1.0 - _TAIL)).tolist()
    return Interval(value=value, low=low, high=high, confidence=CONFIDENCE)


def resampled_medians(values: Values, resamples: int, rng: np.random.Generator) -> Values:
    """The medians of bootstrap resamples of N ascending values, without drawing N each time.

    The k-th smallest of N draws with replacement is ``values[floor(N U)]``, where U is the k-th
    smallest of N uniform numbers, which has the distribution Beta(k, N + 1 - k); of an even number
    the next one lies above it as the smallest of the N - k that are left. So this is the bootstrap
    itself (Efron 1979), and no approximation of it.
    """
    count = values.size
    rank = (count + 1) // 2
    place = rng.beta(rank, count + 1 - rank, resamples)
    lower = values[_floor(place * count, count)]
    if count % 2:
        return lower
    following = place + (1.0 - place) * rng.beta(1, count - rank, resamples)
    return np.asarray((lower + values[_floor(following * count, count)]) / 2.0)


def _floor(places: Values, count: int) -> npt.NDArray[np.int64]:
    return np.minimum(places.astype(np.int64), count - 1)


def _distance(ours: Values, theirs: Values) -> tuple[Interval, float]:
    """The Kolmogorov-Smirnov distance with its interval, and the score where it is.

    Each ECDF is within sqrt(log(2 / a) / 2 N) of its distribution with probability 1 - a
    (Dvoretzky, Kiefer and Wolfowitz; Massart, Annals of Probability 18, 1990); with half of the
    doubt for each set their distance is within the sum of both. That holds for every N and any
    distribution.
    """
    at = np.union1d(ours, theirs)
    shares = [np.searchsorted(each, at, side="right") / each.size for each in (ours, theirs)]
    gaps = np.abs(shares[0] - shares[1])
    place, doubt = int(gaps.argmax()), 1.0 - CONFIDENCE
    reach = sum(math.sqrt(math.log(4.0 / doubt) / (2 * each.size)) for each in (ours, theirs))
    value = float(gaps[place])
    low, high = max(0.0, value - reach), min(1.0, value + reach)
    interval = Interval(value=value, low=low, high=high, confidence=CONFIDENCE)
    return interval, float(at[place])
