"""CR-FIQA's labels: how near to the own class, relative to the nearest other one.

Boutros et al., CR-FIQA, CVPR 2023, section 3: CCS is the cosine of an embedding to the centre of
its own class, NNCCS the largest cosine to the centre of another, and the certainty ratio
CCS / (NNCCS + 1 + epsilon), whose denominator is never below epsilon. (The authors' training code,
fdbtrs/CR-FIQA at 68b1460, divides by NNCCS itself: ``shift=0``.) The paper takes the centres from
the classifier that it trains at the same time. There is no classifier here: a centre is the mean of
a person's unit-length embeddings, for the own person without the picture that is judged, which
would otherwise be near its own centre for being part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facegauge.models import Model
from facegauge.techniques.people import People, people_of, unit
from facegauge.techniques.technique import Labels, Measured, Rows, Values, embedded, require
from facegauge.values import Pixels

_AT_A_TIME = 1 << 22
"""How many cosines are held at a time: 32 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrFiqa:
    """What is added to NNCCS (-1..1): ``shift`` and ``epsilon``, CVPR 2023, section 3.

    Raises:
        OptionError: a negative one.
    """

    shift: float = 1.0
    epsilon: float = 1e-9

    def __post_init__(self) -> None:
        require(self.shift >= 0 and self.epsilon >= 0, "shift >= 0 and epsilon >= 0", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrFiqaLabels:
    """Labels: the ratio, without bounds; 0.5 to 1 where the nearest other centre is at 0."""

    name: ClassVar[str] = "cr-fiqa"
    needs_people: ClassVar[bool] = True
    recogniser: Model
    seed: int = 0
    constants: CrFiqa = CrFiqa()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Embeddings and lengths, N×(D+1)."""
        return embedded(self.recogniser, crops)

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """The ratio for every picture whose person has another one."""
        people = people_of(measured, identities)
        own, other = own_cosine(people), nearest_other(people)
        return people.labelled(own / (other + self.constants.shift + self.constants.epsilon))


def own_cosine(people: People) -> Values:
    """CCS (-1..1): cosine to the centre of the person's other pictures; nan without any."""
    sums = people.sums(np.ones(len(people.rows)))
    centres = unit(sums[people.person] - people.embeddings)
    cosine = np.einsum("nd,nd->n", people.embeddings, centres)
    return np.where(people.own_count > 1, cosine, np.nan)


def nearest_other(people: People) -> Values:
    """NNCCS (-1..1): the largest cosine to the centre of another person."""
    centres = unit(people.sums(np.ones(len(people.rows))))
    found = np.empty(len(people.rows))
    step = max(1, _AT_A_TIME // len(centres))
    for start in range(0, len(found), step):
        part = slice(start, start + step)
        cosines = people.embeddings[part] @ centres.T  # (step, P)
        cosines[np.arange(len(cosines)), people.person[part]] = -np.inf
        found[part] = cosines.max(axis=1)
    return found
