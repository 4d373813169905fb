"""SDD-FIQA's labels: how far apart a picture's similarities to its own and to other people are.

Ou et al., SDD-FIQA, CVPR 2021, section 3: of each picture draw similarities (cosines) to pictures
of the same person and to pictures of others, take the Wasserstein distance between the two samples,
bring the distances of the set to 0..100 by their smallest and largest, and average over rounds. The
counts are those of the authors' code (Tencent/TFace, branch quality, gen_pseudo_labels.py), which
takes fewer cosines where a person has fewer pictures; here they are drawn with replacement then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facegauge.models import Model
from facegauge.techniques.people import People, Places, people_of
from facegauge.techniques.technique import Labels, Measured, Rows, Values, embedded, require
from facegauge.values import Pixels

_AT_A_TIME = 1 << 22
"""How many numbers of drawn embeddings are held at a time: 32 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SddFiqa:
    """``draws`` similarities of each kind for a picture, in each of ``rounds``; labels to ``top``.

    Raises:
        OptionError: fewer than one draw or round.
    """

    draws: int = 24
    rounds: int = 12
    top: float = 100.0

    def __post_init__(self) -> None:
        require(self.draws >= 1 and self.rounds >= 1, "one draw and one round or more", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SddFiqaLabels:
    """Labels in 0..100, relative to the set: 0 and 100 are its worst and best in a round."""

    name: ClassVar[str] = "sdd-fiqa"
    needs_people: ClassVar[bool] = True
    recogniser: Model
    seed: int = 0
    constants: SddFiqa = SddFiqa()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Embeddings and lengths, N×(D+1)."""
        return embedded(self.recogniser, crops)

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """The mean of the rounds for every picture whose person has another one."""
        people = people_of(measured, identities)
        judged = np.flatnonzero(people.own_count > 1)
        values = np.full(len(people.rows), np.nan)
        if judged.size:
            rounds = [
                self._round(people, judged, number) for number in range(self.constants.rounds)
            ]
            values[judged] = np.mean(rounds, axis=0)
        return people.labelled(values)

    def _round(self, people: People, judged: Places, number: int) -> Values:
        """One round: labels 0..top of the judged pictures."""
        rng = np.random.default_rng((self.seed, number))
        same, other = drawn_pairs(people, judged, self.constants.draws, rng)
        distance = wasserstein(cosines(people, judged, same), cosines(people, judged, other))
        spread = float(np.ptp(distance)) or 1.0
        return np.asarray((distance - distance.min()) / spread * self.constants.top)


def drawn_pairs(
    people: People, judged: Places, draws: int, rng: np.random.Generator
) -> tuple[Places, Places]:
    """Rows of the same person (never the picture itself) and of others, J×draws each."""
    count, start = people.own_count[judged][:, None], people.starts[people.person[judged]][:, None]
    same = start + draw(count[:, 0] - 1, draws, rng)
    same += same >= judged[:, None]
    other = draw(len(people.rows) - count[:, 0], draws, rng)
    other += np.where(other >= start, count, 0)
    return same, other


def draw(sizes: Places, draws: int, rng: np.random.Generator) -> Places:
    """``draws`` numbers below each size, J×draws: all different where there are enough of them.

    Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987) for all rows at once: the number drawn
    below j + 1 is kept unless the row has it already; then it is j, which no row can have.
    """
    found = rng.integers(0, sizes[:, None], (len(sizes), draws))
    enough = sizes >= draws
    few = sizes[enough]
    chosen = np.full((len(few), draws), -1, dtype=np.int64)
    for at in range(draws):
        last = few - draws + at
        candidate = rng.integers(0, last + 1)
        taken = (chosen == candidate[:, None]).any(axis=1)
        chosen[:, at] = np.where(taken, last, candidate)
    found[enough] = chosen
    return found


def cosines(people: People, judged: Places, others: Places) -> Values:
    """Cosine of each judged picture to each row drawn for it, J×draws."""
    found = np.empty(others.shape)
    step = max(1, _AT_A_TIME // (others.shape[1] * people.embeddings.shape[1]))
    for start in range(0, len(judged), step):
        part = slice(start, start + step)
        own = people.embeddings[judged[part]]
        found[part] = np.einsum("nd,nkd->nk", own, people.embeddings[others[part]])
    return found


def wasserstein(first: Values, second: Values) -> Values:
    """First Wasserstein distance, N, between samples of equal size, N×K each.

    Between empirical distributions of K values each it is the mean distance of sorted values
    (Peyré and Cuturi, Computational Optimal Transport, 2019, remark 2.30).

    Example:
        >>> wasserstein(np.array([[0.5, 0.1]]), np.array([[0.2, 0.8]])).round(3).tolist()
        [0.2]
    """
    return np.asarray(np.abs(np.sort(first, axis=1) - np.sort(second, axis=1)).mean(axis=1))
