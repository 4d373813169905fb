"""What a recogniser makes of pairs: similarities, mated pairs, and the threshold at an FMR.

A similarity is the cosine of two unit-length embeddings, -1..1, computed in float32. It is handed
on as float64, so that a threshold one float64 step above a similarity stays above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.nonmated import FmrThreshold, exhaustive_threshold, sample_nonmated
from facegauge.evaluate.pairs import Indices, Pairs
from facegauge.evaluate.sets import BenchmarkSet
from facegauge.tables import same_path

Values = npt.NDArray[np.float64]

_GATHERED = 1 << 21
"""How many float32 of each side of the pairs are gathered at a time: 8 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matching:
    """Mated pairs of N faces, and the threshold at which non-mated pairs match at ``fmr``.

    ``first`` and ``second`` (int32) index the faces; ``similarity`` is float64, -1..1; a pair
    matches when it is not below ``threshold``, which was fixed from ``nonmated`` non-mated pairs:
    all there are when ``exhaustive``. ``absent_mated`` pairs had no embedding.
    """

    faces: int
    first: Indices
    second: Indices
    similarity: Values
    threshold: float
    fmr: float
    nonmated: int
    exhaustive: bool
    absent_mated: int = 0

    def for_curves(self) -> ComparedPairs:
        """The mated comparisons as the curves take them; ``threshold`` goes with them."""
        return ComparedPairs(
            samples=self.faces,
            first=self.first,
            second=self.second,
            similarity=self.similarity,
            mated=np.ones(self.first.size, dtype=np.bool_),
        )

    @property
    def fnmr(self) -> float:
        """Share of the mated pairs below the threshold (0..1); nan without any."""
        return float(np.mean(self.similarity < self.threshold)) if self.similarity.size else np.nan


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """The similarity (float64, -1..1) of each of the ``pairs`` among N ``faces``."""

    faces: int
    pairs: Pairs
    similarity: Values

    def for_curves(self) -> ComparedPairs:
        """The same comparisons, mated and non-mated, as the curves take them."""
        return ComparedPairs(
            samples=self.faces,
            first=self.pairs.first,
            second=self.pairs.second,
            similarity=self.similarity,
            mated=self.pairs.mated,
        )

    def at_fmr(self, fmr: float = 1e-3) -> Matching:
        """The mated pairs with the threshold of the non-mated ones among these pairs.

        Raises:
            InputError: fewer non-mated pairs than 1 / fmr.
        """
        mated = self.pairs.mated
        found = FmrThreshold.of(self.similarity[~mated], fmr, exhaustive=True)
        return _matching(
            self.faces,
            self.pairs.first[mated],
            self.pairs.second[mated],
            self.similarity[mated],
            found,
            self.pairs.absent_mated,
        )


def similarities(embeddings: Embeddings, first: npt.ArrayLike, second: npt.ArrayLike) -> Values:
    """The cosine of each pair of rows, float64 P; needs about 16 MB beside the result.

    Raises:
        InputError: indices that are not rows of the embeddings, or lists of different length.
    """
    a, b = (np.asarray(side, dtype=np.int64) for side in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"Expected two lists of indices of one length, got {a.shape}, {b.shape}.")
    if a.size and not 0 <= min(a.min(), b.min()) <= max(a.max(), b.max()) < len(embeddings):
        raise InputError(f"Expected indices in 0..{len(embeddings) - 1}; correct the pairs.")
    values, result = embeddings.values, np.empty(a.size, dtype=np.float64)
    step = max(1, _GATHERED // max(1, values.shape[1]))
    for start in range(0, a.size, step):
        part = slice(start, start + step)
        result[part] = np.einsum("pd,pd->p", values[a[part]], values[b[part]])
    return result


def compare_pairs(embeddings: Embeddings, pairs: Pairs) -> Compared:
    """Compare given pairs of rows of the embeddings (see ``Pairs.placed``)."""
    similarity = similarities(embeddings, pairs.first, pairs.second)
    return Compared(faces=len(embeddings), pairs=pairs, similarity=similarity)


def compare_set(embeddings: Embeddings, benchmark: BenchmarkSet) -> Compared:
    """Compare the pairs that a benchmark set gives; of templates where it has them.

    Raises:
        InputError: the set gives no pairs; use ``compare_people`` with its identities.
    """
    if benchmark.pairs is None:
        raise InputError(
            f"Expected a set that gives pairs, got {benchmark.name}, which has identities only. "
            "Compare all its pictures with compare_people."
        )
    if benchmark.templates is not None:
        embeddings = benchmark.templates.pooled(embeddings, benchmark.names)
    rows = embeddings.rows(benchmark.compared)
    return compare_pairs(embeddings, benchmark.pairs.placed(rows))


def compare_people(
    embeddings: Embeddings,
    identities: Sequence[str] | Mapping[str, str],
    fmr: float = 1e-3,
    *,
    sample: int | None = None,
    seed: int = 0,
) -> Matching:
    """Compare all mated pairs in full, and of the non-mated ones find the threshold at ``fmr``.

    Args:
        embeddings: of N faces.
        identities: one for each, in order, or a table by path that has all of them.
        fmr: false match rate in (0, 1).
        sample: how many non-mated pairs to draw for the threshold; None looks at all of them, in
            blocks (see nonmated for the memory it takes).
        seed: of that draw.

    Raises:
        InputError: an identity missing, or fewer non-mated pairs than 1 / fmr.
    """
    names = identities_of(embeddings, identities)
    if sample is None:
        found = exhaustive_threshold(embeddings.values, names, fmr)
    else:
        drawn = sample_nonmated(names, sample, seed)
        looked = similarities(embeddings, drawn.pairs.first, drawn.pairs.second)
        found = FmrThreshold.of(looked, fmr, exhaustive=drawn.all)
    pairs = mated_pairs(names)
    similarity = similarities(embeddings, pairs.first, pairs.second)
    return _matching(len(embeddings), pairs.first, pairs.second, similarity, found)


def identities_of(
    embeddings: Embeddings, identities: Sequence[str] | Mapping[str, str]
) -> tuple[str, ...]:
    """The identity of each face, from a list in order or a table by path.

    Raises:
        InputError: not one for each.
    """
    if not isinstance(identities, Mapping):
        if len(identities) != len(embeddings):
            raise InputError(
                f"Expected one identity for each of {len(embeddings)} faces, got {len(identities)}."
            )
        return tuple(identities)
    known = {same_path(path): name for path, name in identities.items()}
    missing = [path for path in embeddings.paths if same_path(path) not in known]
    if missing:
        raise InputError(
            f"Expected an identity for each of {len(embeddings)} faces, but {len(missing)} are not "
            f"in the table, the first {missing[0]!r}. Paths are relative to the folder embedded."
        )
    return tuple(known[same_path(path)] for path in embeddings.paths)


def mated_pairs(identities: Sequence[str]) -> Pairs:
    """All pairs of faces of one identity: first < second, sorted.

    Example:
        >>> pairs = mated_pairs(["anna", "bert", "anna", "anna"])
        >>> pairs.first.tolist(), pairs.second.tolist()
        ([0, 0, 2], [2, 3, 3])
    """
    people = np.unique(np.asarray(identities, dtype=np.str_), return_inverse=True)[1].reshape(-1)
    order, counts = np.argsort(people, kind="stable"), np.bincount(people)
    starts, firsts, seconds = np.cumsum(counts) - counts, [], []
    for size in np.unique(counts[counts > 1]):  # people of equally many faces at once
        faces = order[starts[counts == size][:, None] + np.arange(size)]
        upper = np.triu_indices(size, 1)
        firsts.append(faces[:, upper[0]].ravel())
        seconds.append(faces[:, upper[1]].ravel())
    none = [np.empty(0, dtype=np.int32)]
    first, second = np.concatenate(firsts or none), np.concatenate(seconds or none)
    order = np.lexsort((second, first))
    mated = np.ones(first.size, dtype=np.bool_)
    return Pairs(
        first=first[order].astype(np.int32), second=second[order].astype(np.int32), mated=mated
    )


def _matching(
    faces: int,
    first: Indices,
    second: Indices,
    similarity: Values,
    found: FmrThreshold,
    absent_mated: int = 0,
) -> Matching:
    return Matching(
        faces=faces,
        first=first,
        second=second,
        similarity=similarity,
        threshold=found.threshold,
        fmr=found.fmr,
        nonmated=found.nonmated,
        exhaustive=found.exhaustive,
        absent_mated=absent_mated,
    )
