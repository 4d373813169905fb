"""Compared pairs: which samples, how similar, whether of one person; and a set of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError

Indices = npt.NDArray[np.integer]
Numbers = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedPairs:
    """P comparisons among ``samples`` samples.

    ``first`` and ``second`` (P) are numbers of samples from 0, of any integer type; ``similarity``
    (P, float32 or float64) is higher for more alike; ``mated`` (P) is true for one person. Arrays
    are kept as they are, not copied: 15 million comparisons fit where they did before.

    Raises:
        InputError: lengths that differ, no pair, numbers outside of the samples, a sample compared
            with itself, or a similarity that is not finite.
    """

    samples: int
    first: Indices
    second: Indices
    similarity: Numbers
    mated: Flags

    def __post_init__(self) -> None:
        for field in ("first", "second", "similarity", "mated"):
            object.__setattr__(self, field, np.asarray(getattr(self, field)))
        self._check_shapes()
        self._check_kinds()
        self._check_samples()
        self._check_similarity()

    def _check_shapes(self) -> None:
        shapes = {a.shape for a in (self.first, self.second, self.similarity, self.mated)}
        if len(shapes) != 1 or self.similarity.ndim != 1 or not self.similarity.size:
            raise InputError(
                f"Pairs need four lists of one length > 0, got shapes {sorted(shapes)}. "
                "Give first, second, similarity and mated for every pair."
            )

    def _check_kinds(self) -> None:
        arrays = (self.first, self.second, self.similarity, self.mated)
        kinds = [array.dtype.kind for array in arrays]
        if not (set(kinds[:2]) <= set("iu") and kinds[2:] == ["f", "b"]):
            raise InputError(
                "Pairs need whole sample numbers, similarities with a fraction and true or false "
                f"for mated, got {', '.join(str(array.dtype) for array in arrays)}. Convert them."
            )

    def _check_samples(self) -> None:
        lowest = min(int(self.first.min()), int(self.second.min()))
        highest = max(int(self.first.max()), int(self.second.max()))
        if lowest < 0 or highest >= self.samples:
            raise InputError(
                f"Pairs of {self.samples} samples need numbers in 0..{self.samples - 1}, got "
                f"{lowest}..{highest}. Count samples from 0."
            )
        itself = self.first == self.second
        if itself.any():
            raise InputError(
                f"A pair needs two samples, got number {self.first[itself][0]} twice in "
                f"{itself.sum()} pairs. Leave comparisons of a sample with itself out."
            )

    def _check_similarity(self) -> None:
        finite = np.isfinite(self.similarity)
        if not finite.all():
            raise InputError(
                f"Similarities must be finite, got {self.similarity[~finite][0]} in "
                f"{(~finite).sum()} pairs. Leave out pairs that could not be compared."
            )

    def __len__(self) -> int:
        """How many comparisons."""
        return int(self.similarity.size)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedSet:
    """What one recogniser makes of a set: pairs among N ``paths``, and who is in each.

    ``threshold`` is None where the preset takes its own from the pairs.
    """

    recogniser: str
    paths: tuple[str, ...]
    people: npt.NDArray[np.str_]
    pairs: ComparedPairs
    threshold: float | None
