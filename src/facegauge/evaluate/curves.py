"""Error-versus-discard curves of one protocol, the short way: arrays in, curve out.

``engine.edc`` knows every preset, counts failures and keeps what remains; here stands the
``difiqa`` protocol (DifFIQA, Babnik et al. 2023; AI-KD, Babnik et al. 2024): mated pairs only, a
threshold fixed beforehand from the non-mated pairs at a false match rate, the lower quality of a
pair decides when it leaves, a stairs curve, and the partial area divided by what no discarding
gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError
from facegauge.evaluate.areas import stairs_area
from facegauge.evaluate.compared import ComparedPairs
from facegauge.evaluate.ladder import left_before
from facegauge.evaluate.thresholds import threshold_at_fmr

__all__ = ["Comparisons", "DiscardCurve", "compare_all", "discard_curve", "threshold_at_fmr"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscardCurve:
    """FNMR of the mated pairs that remain, after each discard of the lowest qualities.

    ``discard`` (shares 0..1, first 0) and ``error`` (FNMR 0..1) have one value per distinct
    quality; ``comparisons`` mated pairs with ``errors`` non-matches at ``threshold`` were there at
    the start.
    """

    discard: Values
    error: Values
    threshold: float
    comparisons: int
    errors: int

    def pauc(self, limit: float = 0.3) -> float:
        """Area under the curve up to ``limit``, divided by FNMR(0) x limit: 1.0 is no gain.

        Raises:
            InputError: a limit outside (0, 1], or no error to begin with.
        """
        if not 0.0 < limit <= 1.0:
            raise InputError(f"A discard limit lies in (0, 1], got {limit}.")
        if not self.errors:
            raise InputError(
                f"All {self.comparisons} mated pairs match at threshold {self.threshold:.4f}, so "
                "there is no error a discard could avoid. Use more pairs or a stricter FMR."
            )
        area = float(stairs_area(self.discard, self.error, limit))
        return area / (float(self.error[0]) * limit)


def discard_curve(
    similarity: npt.ArrayLike, quality: npt.ArrayLike, threshold: float
) -> DiscardCurve:
    """The curve of mated pairs.

    Pairs of equal quality leave together: no order of the input changes the result.

    Args:
        similarity: of N mated pairs; below ``threshold`` is a non-match.
        quality: of N pairs, the lower of the two images' qualities.
        threshold: the similarity a match needs, for instance from ``threshold_at_fmr``.

    Raises:
        InputError: no pairs, lengths that differ, or values that are not finite.
    """
    s = np.asarray(similarity, dtype=np.float64)
    q = np.asarray(quality, dtype=np.float64)
    if s.ndim != 1 or s.shape != q.shape or not s.size:
        raise InputError(f"Expected two lists of equal length > 0, got {s.shape} and {q.shape}.")
    if not (np.isfinite(s).all() and np.isfinite(q).all() and np.isfinite(threshold)):
        raise InputError(
            "Similarities, qualities and threshold must be finite; leave failed images out."
        )
    levels = np.unique(q, return_inverse=True)[1]
    wrong = levels[s < threshold]
    gone, gone_wrong = (left_before(each, int(levels.max()) + 1) for each in (levels, wrong))
    return DiscardCurve(
        discard=gone / s.size,
        error=(wrong.size - gone_wrong) / (s.size - gone),
        threshold=float(threshold),
        comparisons=int(s.size),
        errors=int(wrong.size),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparisons:
    """All pairs among N faces: the mated ones in full, of the rest only the threshold.

    ``first`` and ``second`` index the ``faces`` faces of each mated pair; ``threshold`` holds at
    ``fmr``.
    """

    faces: int
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    similarity: Values
    threshold: float
    fmr: float

    def curve(self, quality: npt.ArrayLike) -> DiscardCurve:
        """The curve of a quality given for each of the N faces.

        Raises:
            InputError: not one quality for each face.
        """
        q = np.asarray(quality, dtype=np.float64)
        if q.shape != (self.faces,):
            raise InputError(f"Expected one quality for each of {self.faces} faces, got {q.shape}.")
        return discard_curve(
            self.similarity, np.minimum(q[self.first], q[self.second]), self.threshold
        )

    def compared(self) -> ComparedPairs:
        """The mated pairs as ``engine.edc`` takes them, along with ``threshold``."""
        return ComparedPairs(
            samples=self.faces,
            first=self.first,
            second=self.second,
            similarity=self.similarity,
            mated=np.ones(self.similarity.size, dtype=np.bool_),
        )


def compare_all(
    embeddings: npt.NDArray[np.float32], identities: npt.ArrayLike, fmr: float = 1e-3
) -> Comparisons:
    """Compare every face with every other one (cosine of unit-length embeddings, N×D).

    Suits some thousands of faces: N^2 / 2 similarities are held at once.

    Raises:
        InputError: not one identity for each embedding.
    """
    if embeddings.ndim != 2 or np.shape(identities) != embeddings.shape[:1]:
        raise InputError(
            f"Expected N embeddings N×D and N identities, got {embeddings.shape} and "
            f"{np.shape(identities)}."
        )
    people = np.unique(np.asarray(identities), return_inverse=True)[1]
    first, second = np.triu_indices(len(people), 1)
    similarity = (embeddings @ embeddings.T)[first, second].astype(np.float64)
    mated = people[first] == people[second]
    return Comparisons(
        faces=len(people),
        first=first[mated],
        second=second[mated],
        similarity=similarity[mated],
        threshold=threshold_at_fmr(similarity[~mated], fmr),
        fmr=fmr,
    )
