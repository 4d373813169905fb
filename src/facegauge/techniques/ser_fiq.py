"""SER-FIQ: how little an embedding changes when parts of the network fall silent.

Terhörst et al., SER-FIQ, CVPR 2020, section 3 ("on-top" of the last layer): ``passes`` stochastic
passes with dropout before the last embedding layer; with d the Euclidean distances between all
pairs of the unit-length embeddings, S = 2 / (1 + e^(mean d)). The authors' code (pterhoer/
FaceImageQuality) then spreads S over 0..1: Q = 1 / (1 + e^(-slope · (S - centre))).

Only the last layer is stochastic: the trunk runs once for each picture.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from facegauge.techniques.last_layer import Halves
from facegauge.techniques.technique import (
    Labels,
    Measured,
    Rows,
    Values,
    require,
    source_of_chance,
)
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class SerFiq:
    """Passes, dropout rate (0..1), and slope and centre of the logistic that spreads S.

    ``rate`` 0 takes that of the recogniser's own dropout, and .5 (the authors') where its file has
    none, as exported files do. ``slope`` and ``centre`` were fitted by the authors to ArcFace R100
    with 25,088 features before its last layer; for another recogniser they rank the same, but Q
    bunches near 0 or 1.

    Raises:
        OptionError: fewer than two passes, a rate that is not in [0, 1), or a slope not above 0.
    """

    passes: int = 100
    rate: float = 0.0
    slope: float = 130.0
    centre: float = 0.88

    def __post_init__(self) -> None:
        require(self.passes >= 2, "two passes or more", self)
        require(0.0 <= self.rate < 1.0, "a rate in [0, 1)", self)
        require(self.slope > 0, "a slope above 0", self)


_BUNCHED = 0.01
_log = logging.getLogger(__name__)

DEFAULT_RATE = 0.5
"""Dropout where the recogniser's file tells none: what SER-FIQ's authors use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerFiqLabels:
    """Labels in 0..1. Make it with ``of``, which settles the rate."""

    name: ClassVar[str] = "ser-fiq"
    needs_people: ClassVar[bool] = False
    halves: Halves
    seed: int = 0
    constants: SerFiq

    @classmethod
    def of(cls, halves: Halves, constants: SerFiq, seed: int = 0) -> SerFiqLabels:
        """With the rate that is used among the constants."""
        rate = constants.rate or halves.rate or DEFAULT_RATE
        return cls(halves=halves, seed=seed, constants=replace(constants, rate=rate))

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """S of each picture, N×1."""
        features = self.halves.features(crops)
        found = [self._robustness(*each) for each in zip(names, features, strict=True)]
        return np.array(found, dtype=np.float32)[:, None]

    def _robustness(self, name: str, features: npt.NDArray[np.float32]) -> float:
        """S of one picture from the features before the last layer; nan for zeros."""
        rng = source_of_chance(self.seed, name)
        shape = (self.constants.passes, *features.shape)
        kept = rng.random(shape, dtype=np.float32) >= self.constants.rate
        dropped = features * kept / np.float32(1.0 - self.constants.rate)  # (passes, F...)
        embeddings = self.halves.embeddings(dropped.astype(np.float32))
        return robustness(embeddings) if embeddings.any(axis=1).all() else float("nan")

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """S spread over 0..1."""
        s = measured.values[:, 0].astype(np.float64)
        q = spread(s, self.constants)
        if len(q) > 1 and np.ptp(q) < _BUNCHED:
            middle = float(np.median(s))
            _log.warning(
                "All labels lie within %.2g: S is about %.3f with this recogniser, and the "
                "published scale is centred at %g. Pass --set centre=%.3f to spread them.",
                np.ptp(q), middle, self.constants.centre, middle,
            )  # fmt: skip
        return Labels.of(measured.paths, q)


def robustness(embeddings: npt.NDArray[np.float32]) -> float:
    """S (0..1) of T unit-length embeddings T×D; 1 where they are all the same.

    Example:
        >>> round(robustness(np.eye(2, dtype=np.float32)), 4)  # 2 / (1 + e^sqrt(2))
        0.3911
    """
    rows = embeddings.astype(np.float64)
    squares = np.clip(2.0 - 2.0 * rows @ rows.T, 0.0, None)
    distances = np.sqrt(squares[np.triu_indices(len(rows), 1)])
    return float(2.0 / (1.0 + np.exp(distances.mean())))


def spread(s: Values, constants: SerFiq) -> Values:
    """Q (0..1) of S: the authors' logistic."""
    return np.asarray(1.0 / (1.0 + np.exp(-constants.slope * (s - constants.centre))))
