"""The four-parameter logistic that puts predicted scores on the scale of labels.

f(x) = b2 + (b1 - b2) / (1 + exp(-(x - b3) / |b4|)), by least squares. PLCC and RMSE are computed
after it. Source: Efficient-FIQA (Sun et al. 2025, arXiv 2507.15709) and the image quality
literature before it; start b = (max label, min label, mean prediction, 0.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, MissingExtra

Values = npt.NDArray[np.float64]

FEWEST = 5
"""Different predictions that a fit needs: four would determine it without any error left."""
MOST_EVALUATIONS = 4000
"""Evaluations of f that one fit may take; usual fits need 10 to 200."""

_STEEPEST = 1e-6  # |b4| in standard deviations of the predictions: a step
_EXACT = 1e-5  # root mean square error in label ranges below which nothing is left to converge


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """A fitted logistic: ``b1`` and ``b2`` in label units, ``b3`` and ``b4`` > 0 in score units.

    ``b1`` < ``b2`` is a falling curve: the predictions run against the labels. ``start`` says
    which first guess led here, ``published`` or ``scaled``.
    """

    b1: float
    b2: float
    b3: float
    b4: float
    start: str

    def __call__(self, predicted: npt.ArrayLike) -> Values:
        """Labels expected for N predictions.

        Example:
            >>> curve = Logistic(b1=1.0, b2=0.0, b3=50.0, b4=10.0, start="published")
            >>> curve([50.0, 1e9]).tolist()
            [0.5, 1.0]
        """
        x = np.asarray(predicted, dtype=np.float64)
        rise = load_scipy("the logistic").special.expit((x - self.b3) / self.b4)
        return np.asarray(self.b2 + (self.b1 - self.b2) * rise, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values, ready for JSON."""
        return asdict(self)


def fit_logistic(predicted: npt.ArrayLike, labels: npt.ArrayLike) -> Logistic:
    """The logistic with the least squared error from ``predicted`` to ``labels``, N each.

    The published start has b4 = 0.5, made for predictions of about 0..1. On scores 0..100 the
    curve is then a step, without a slope for the fit to follow. So each fit is done from that
    start and from b4 = one standard deviation of the predictions, and the smaller error is kept:
    where the published start converges, both end in the same place. Predictions are standardised
    and labels put to 0..1 before the fit, which changes no optimum.

    Raises:
        InputError: lengths that differ, values that are not finite, fewer than five different
            predictions, labels all equal, or no convergence in ``MOST_EVALUATIONS``.
        MissingExtra: scipy is not installed.
    """
    x, y = paired(predicted, labels)
    _check_spread(x, y)
    centre, unit, floor, span = x.mean(), x.std(), y.min(), np.ptp(y)
    fits = [
        _Fit.of((x - centre) / unit, (y - floor) / span, start, slope)
        for start, slope in (("published", 0.5 / unit), ("scaled", 1.0))
    ]
    best = min((fit for fit in fits if fit.converged), key=lambda fit: fit.cost, default=None)
    if best is None:
        raise InputError(
            f"Expected the four-parameter logistic to converge in {MOST_EVALUATIONS} evaluations, "
            f"got no convergence from either start on {x.size} pairs. Look at a plot of labels "
            "over predictions; SRCC and KRCC need no fit."
        )
    b1, b2, b3, b4 = best.b
    return Logistic(
        b1=float(floor + span * b1),
        b2=float(floor + span * b2),
        b3=float(centre + unit * b3),
        b4=float(unit * max(abs(b4), _STEEPEST)),
        start=best.start,
    )


def paired(predicted: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Values, Values]:
    """Both as float64 of one length N.

    Raises:
        InputError: they are not two finite lists of one length.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError(
            f"Expected one label for each prediction, got shapes {x.shape} and {y.shape}. "
            "Join them by path first."
        )
    wrong = int((~(np.isfinite(x) & np.isfinite(y))).sum())
    if wrong:
        raise InputError(
            f"Expected finite predictions and labels, got {wrong} of {x.size} pairs that are not. "
            "Leave images without a score out."
        )
    return x, y


def load_scipy(what: str) -> Any:
    """The module scipy, or a MissingExtra that says ``what`` needs it."""
    try:
        import scipy
        import scipy.optimize
        import scipy.special
        import scipy.stats
    except ImportError as error:
        raise MissingExtra(what, "evaluate", "scipy") from error
    return scipy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fit:
    """One attempt in standard units: parameters ``b``, half the squared error, and its fate."""

    b: Values
    cost: float
    converged: bool
    start: str

    @classmethod
    def of(cls, x: Values, y: Values, start: str, slope: float) -> _Fit:
        """Levenberg-Marquardt from (1, 0, 0, ``slope``), with a bounded number of evaluations."""
        scipy = load_scipy("the logistic")
        found = scipy.optimize.least_squares(
            _residuals(x, y, scipy.special.expit),
            (1.0, 0.0, 0.0, slope),
            method="lm",
            max_nfev=MOST_EVALUATIONS,
        )
        exact = found.cost <= 0.5 * x.size * _EXACT**2
        finite = bool(np.isfinite(found.x).all() and np.isfinite(found.cost))
        return cls(
            b=found.x,
            cost=float(found.cost),
            converged=finite and (found.status > 0 or exact),
            start=start,
        )


def _residuals(x: Values, y: Values, expit: Callable[[Values], Values]) -> Callable[..., Values]:
    def residuals(b: Values) -> Values:
        steepness = max(abs(b[3]), _STEEPEST)
        rise = expit((x - b[2]) / steepness)
        return np.asarray(b[1] + (b[0] - b[1]) * rise - y, dtype=np.float64)

    return residuals


def _check_spread(x: Values, y: Values) -> None:
    different = len(np.unique(x))
    if different < FEWEST:
        raise InputError(
            f"A logistic of four parameters needs at least {FEWEST} different predictions, got "
            f"{different} among {x.size}. Use more images, or scores that tell them apart."
        )
    if np.ptp(y) == 0:
        raise InputError(
            f"A logistic needs labels that differ, got {y[0]:g} for all {y.size} images. "
            "Use images of different quality."
        )
