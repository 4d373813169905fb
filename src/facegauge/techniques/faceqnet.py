"""FaceQnet's labels: similarity to the best picture of the same person.

Hernandez-Ortega et al., FaceQnet, ICB 2019, section III: the label of a picture is its similarity
to a reference picture of the same person that meets ICAO's rules, in 0..1. There is no ICAO verdict
here. The reference of a person is the picture nearest (by cosine) to the mean of the person's
embeddings, each weighted by its length before normalisation: a picture like the person's others,
where those of which the recogniser is sure count for more. The reference itself would have the
label 1 however poor it is; it gets its similarity to the runner-up instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facegauge.models import Model
from facegauge.techniques.people import People, Places, people_of, unit
from facegauge.techniques.technique import Labels, Measured, Rows, Values, embedded, require
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQnet:
    """``low`` and ``high``: similarities (cosines) are clipped to this range.

    Raises:
        OptionError: an empty range.
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        require(self.low < self.high, "low < high", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQnetLabels:
    """Labels in 0..1."""

    name: ClassVar[str] = "faceqnet"
    needs_people: ClassVar[bool] = True
    recogniser: Model
    seed: int = 0
    constants: FaceQnet = FaceQnet()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Embeddings and lengths, N×(D+1)."""
        return embedded(self.recogniser, crops)

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """The similarity for every picture whose person has another one."""
        people = people_of(measured, identities)
        cosine = to_reference(people)
        return people.labelled(np.clip(cosine, self.constants.low, self.constants.high))


def to_reference(people: People) -> Values:
    """Cosine to the person's reference, of the reference to the runner-up; nan without either."""
    compared = references(people)
    cosine = np.einsum("nd,nd->n", people.embeddings, people.embeddings[compared])
    return np.where(people.own_count > 1, cosine, np.nan)


def references(people: People) -> Places:
    """The row that each picture is compared with; where two are as near, the first by path."""
    means = unit(people.sums(people.norms))
    near = np.einsum("nd,nd->n", people.embeddings, means[people.person])
    order = np.lexsort((np.arange(len(near)), -near, people.person))  # blocks, the nearest first
    best = order[people.starts]
    second = order[np.minimum(people.starts + 1, len(order) - 1)]
    found = best[people.person]
    found[best] = second
    return found
