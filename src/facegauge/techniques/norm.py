"""Length of the embedding before it is normalised: how strongly a recogniser answers.

MagFace (Meng et al., CVPR 2021, section 3.2) trains a recogniser whose length grows with quality;
of recognisers that were not trained so the length tells less, but it tells something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from facegauge.models import Model
from facegauge.techniques.technique import Labels, Measured, Rows, embedded
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Norm:
    """No constants: the recogniser says it all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NormLabels:
    """Labels: the length, above 0 and without an upper bound."""

    name: ClassVar[str] = "norm"
    needs_people: ClassVar[bool] = False
    recogniser: Model
    seed: int = 0
    constants: Norm = Norm()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """The lengths, N×1."""
        return embedded(self.recogniser, crops)[:, -1:]

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """The lengths as they are."""
        return Labels.of(measured.paths, measured.values[:, 0].astype("float64"))
