"""Pictures grouped by the people they show: what techniques that compare people work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError
from facegauge.tables import same_path
from facegauge.techniques.technique import Labels, Measured, Values

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class People:
    """N pictures of P people, sorted by person, then by path: a person's are a block.

    So what is drawn at random depends on which pictures there are, not on their order.
    ``embeddings`` is float64 N×D of length 1, ``norms`` N their former lengths; ``person`` (0..P-1)
    says whose picture each is; ``starts`` and ``counts`` (P) where blocks begin and how long they
    are.
    """

    measured: Measured
    rows: Places
    embeddings: Values
    norms: Values
    person: Places
    starts: Places
    counts: Places

    @property
    def own_count(self) -> Places:
        """How many pictures there are of each picture's person, N."""
        return self.counts[self.person]

    def sums(self, weights: Values) -> Values:
        """The weighted sum of each person's embeddings, P×D."""
        return np.add.reduceat(self.embeddings * weights[:, None], self.starts, axis=0)

    def labelled(self, values: Values) -> Labels:
        """Labels of the N pictures (nan: alone of its person), in the order of ``measured``."""
        found = np.full(len(self.measured.paths), np.nan)
        found[self.rows] = values
        alone = "the only picture of its person, and this compares pictures of one person"
        reasons = dict.fromkeys(range(len(found)), "no identity in the table")
        reasons |= dict.fromkeys(self.rows.tolist(), alone)
        return Labels.of(self.measured.paths, found, reasons)


def people_of(measured: Measured, identities: Mapping[str, str]) -> People:
    """Group what was measured (``technique.embedded``) by identity.

    Raises:
        InputError: fewer than two people.
    """
    names = [identities.get(same_path(path)) for path in measured.paths]
    known = [
        (name, path, at)
        for at, (name, path) in enumerate(zip(names, measured.paths, strict=True))
        if name
    ]
    known.sort()
    rows = np.array([at for _, _, at in known], dtype=np.int64)
    _, starts, person, counts = np.unique(
        np.array([name for name, _, _ in known], dtype=np.str_),
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    if len(starts) < 2:
        raise InputError(
            f"Expected pictures of two people or more to compare, got {len(starts)} for "
            f"{len(measured.paths)} pictures. The identities' paths must be relative to the folder."
        )
    values = measured.values[rows].astype(np.float64)
    return People(
        measured=measured,
        rows=rows,
        embeddings=values[:, :-1],
        norms=values[:, -1],
        person=person.astype(np.int64),
        starts=starts.astype(np.int64),
        counts=counts.astype(np.int64),
    )


def unit(vectors: Values) -> Values:
    """Vectors N×D divided by their length; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
