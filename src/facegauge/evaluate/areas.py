"""Areas under error-versus-discard curves; for one curve, or for many along the last axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from facegauge.evaluate.presets import Normalisation

Values = npt.NDArray[np.float64]


def stairs_area(discard: Values, error: Values, limit: float) -> Values:
    """Area to ``limit`` of an error that holds from its discard to the next one, at last to 1."""
    ends = np.ones((*discard.shape[:-1], 1))
    edges = np.minimum(np.concatenate([discard, ends], axis=-1), limit)
    return np.asarray(np.sum(error * np.diff(edges), axis=-1))


def linear_area(discard: Values, error: Values, limit: float) -> Values:
    """Area to ``limit`` of straight lines between points (trapezoid rule).

    Args:
        discard: G points, the last of them not below ``limit``.
        error: ...×G, the values there.
        limit: where the area ends, between points too.
    """
    width = np.diff(np.minimum(discard, limit))
    step = np.diff(discard)
    share = width / step  # of each piece that lies before the limit
    left, right = error[..., :-1], error[..., 1:]
    return np.asarray(np.sum(width * (left + (right - left) * share / 2), axis=-1))


def best_area(start: Values, limit: float) -> Values:
    """Area of the theoretical best, e0^2/2 - max(0,e0-d)^2/2: the error falls as max(0, e0 - d).

    Source: Schlett et al., arXiv 2303.13294, and the dasec reference.
    """
    rest = np.maximum(0.0, start - limit)
    return np.asarray(start**2 / 2 - rest**2 / 2)


def normalised(area: Values, start: Values, limit: float, how: Normalisation) -> Values:
    """An area under a curve that begins with the error ``start``; nan for 0 / 0 with ``e0``."""
    if how is Normalisation.NONE:
        return area
    if how is Normalisation.BEST:
        return np.asarray(area - best_area(start, limit))
    usable = start > 0
    return np.asarray(np.where(usable, area / np.where(usable, start * limit, 1.0), np.nan))
