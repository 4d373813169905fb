"""A linear probe: how near to its own person a picture is, told from the picture alone.

A technique of ours. The cosine of a picture's embedding to the centre of its person's other
pictures (CCS, see ``cr_fiqa``) says best which pictures will be matched, but takes a known person
and other pictures of it. The features before a recogniser's last layer know much of it: a ridge
regression from them to the cosine is learned on the pictures whose person is known, and labels
every picture, known or not. A known picture is labelled by a regression that has seen no picture of
its person, so labels of known and unknown pictures mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from facegauge.errors import InputError
from facegauge.models import Model
from facegauge.techniques.cr_fiqa import own_cosine
from facegauge.techniques.last_layer import Halves
from facegauge.techniques.people import people_of
from facegauge.techniques.technique import Labels, Measured, Rows, Values, require, width_of
from facegauge.values import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How the regression is made.

    ``penalty`` is that of the squared weights, of standardised features and a mean squared error;
    ``folds`` groups of people are labelled in turn by what was learned on the others; only people
    with ``least`` pictures or more are learned from, since the centre of few says little.

    Raises:
        OptionError: a penalty not above 0, fewer than two folds or pictures.
    """

    penalty: float = 0.3
    folds: int = 5
    least: int = 3

    def __post_init__(self) -> None:
        require(self.penalty > 0, "a penalty above 0", self)
        require(self.folds >= 2 and self.least >= 2, "two folds and two pictures or more", self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLabels:
    """Labels: predicted cosines, mostly in 0..1. Make it with ``of``."""

    name: ClassVar[str] = "probe"
    needs_people: ClassVar[bool] = True
    halves: Halves
    width: int
    """Numbers of an embedding, D."""
    seed: int = 0
    constants: Probe = Probe()

    @classmethod
    def of(cls, recogniser: Model, halves: Halves, constants: Probe, seed: int = 0) -> ProbeLabels:
        """With the width of the recogniser's embeddings, which it is asked for."""
        return cls(halves=halves, width=width_of(recogniser), seed=seed, constants=constants)

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Embedding D, its length, and features F before the last layer, N×(D+1+F)."""
        features = self.halves.features(crops)
        embeddings, lengths = self.halves.embeddings(features), self.halves.lengths(features)
        rows = np.column_stack([embeddings, lengths, features.reshape(len(crops), -1)])
        rows[~embeddings.any(axis=1)] = np.nan
        return rows

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """What regressions on known people tell of every picture.

        Raises:
            InputError: fewer known people with enough pictures than folds.
        """
        answers, features = np.split(measured.values.astype(np.float64), [self.width + 1], axis=1)
        compared = Measured(paths=measured.paths, values=measured.values[:, : self.width + 1])
        people = people_of(compared, identities)
        near = np.where(people.own_count >= self.constants.least, own_cosine(people), np.nan)
        target, person = np.full((2, len(measured.paths)), np.nan)
        target[people.rows], person[people.rows] = near, people.person
        seen = described(features, answers[:, -1])
        return Labels.of(measured.paths, predicted(seen, target, person, self.constants))


def described(features: Values, lengths: Values) -> Values:
    """Features N×F with the logarithms of their own length and the embedding's, N×(F+2)."""
    both = np.stack([np.linalg.norm(features, axis=1), lengths], axis=1)
    return np.concatenate([features, np.log(np.maximum(both, np.finfo(np.float64).tiny))], axis=1)


def predicted(seen: Values, target: Values, person: Values, how: Probe) -> Values:
    """Predictions N of features N×F, learned where a target N is known, not from the own person.

    Args:
        seen: features.
        target: nan where it is not known.
        person: number of each picture's person; nan where it is not known.
        how: penalty and folds.

    Raises:
        InputError: fewer people with a target than folds.
    """
    known = np.isfinite(target)
    people = np.unique(person[known])
    if len(people) < how.folds:
        raise InputError(
            f"Expected {how.folds} or more known people with {how.least} pictures or more, got "
            f"{len(people)}. Name more people, or lower the constants folds and least."
        )
    found = Ridge.fit(seen[known], target[known], how.penalty).of(seen)
    fold = np.where(np.isin(person, people), np.searchsorted(people, person) % how.folds, -1)
    for each in range(how.folds):
        others = Ridge.fit(
            seen[known & (fold != each)], target[known & (fold != each)], how.penalty
        )
        found[fold == each] = others.of(seen[fold == each])
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ridge:
    """A linear function of standardised features, fitted with a penalty on its squared weights."""

    mean: Values
    scale: Values
    weights: Values
    offset: float

    @classmethod
    def fit(cls, features: Values, target: Values, penalty: float) -> Ridge:
        """Least mean squared error plus ``penalty`` times the sum of squared weights."""
        mean, spread = features.mean(axis=0), features.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        rows, offset = (features - mean) / scale, float(target.mean())
        covariance = rows.T @ rows / len(rows) + penalty * np.eye(rows.shape[1])
        weights = np.linalg.solve(covariance, rows.T @ (target - offset) / len(rows))
        return cls(mean=mean, scale=scale, weights=weights, offset=offset)

    def of(self, features: Values) -> Values:
        """Predictions N of features N×F."""
        return np.asarray((features - self.mean) / self.scale @ self.weights + self.offset)
