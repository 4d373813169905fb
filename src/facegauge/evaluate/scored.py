"""The scores of one method on one set: the lowest, the highest, and how subgroups fare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.line import ordered

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """N images with the score ``method`` gave each; None where it gave none.

    ``groups``, empty or one name per image, is a column to compare subgroups by.

    Raises:
        InputError: no images, lists of different length, or a score that is not finite.
    """

    method: str
    set_name: str
    paths: tuple[str, ...]
    scores: tuple[float | None, ...]
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.paths)
        lengths = (count, len(self.scores), len(self.groups))
        if not count or lengths[1] != count or lengths[2] not in (0, count):
            raise InputError(
                f"Scores of {self.method!r} on {self.set_name!r} need one score for each path and "
                f"one group or none, got {lengths[0]} paths, {lengths[1]} scores and {lengths[2]} "
                "groups. Read all three from one table."
            )
        wrong = [score for score in self.scores if score is not None and not math.isfinite(score)]
        if wrong:
            raise InputError(
                f"Scores of {self.method!r} on {self.set_name!r} must be finite, got {wrong[0]}. "
                "Give None for an image without a score."
            )

    @property
    def known(self) -> Values:
        """The scores that there are, in the order of the images."""
        return np.array([score for score in self.scores if score is not None], dtype=np.float64)

    @property
    def missing(self) -> int:
        """How many images have no score."""
        return sum(score is None for score in self.scores)

    def lowest(self, count: int) -> tuple[tuple[str, float], ...]:
        """The ``count`` lowest (path, score), the lowest first; equal scores by path."""
        return tuple(self._ranked(1.0)[:count])

    def highest(self, count: int) -> tuple[tuple[str, float], ...]:
        """The ``count`` highest (path, score), the highest first; equal scores by path."""
        return tuple(self._ranked(-1.0)[:count])

    def _ranked(self, sign: float) -> list[tuple[str, float]]:
        pairs = zip(self.paths, self.scores, strict=True)
        known = [(path, score) for path, score in pairs if score is not None]
        return sorted(known, key=lambda pair: (sign * pair[1], pair[0]))

    def threshold(self, discard: float) -> float:
        """The score below which the share ``discard`` of the images that have a score lies.

        It makes methods with different scales comparable: the same share, each on its own scale.

        Raises:
            OptionError: a share outside 0..1.
            InputError: no image has a score.
        """
        if not 0.0 <= discard <= 1.0:
            raise OptionError(f"A share of discard lies in 0..1, got {discard}. Pass 0.1 for 10 %.")
        if not self.known.size:
            raise InputError(
                f"A threshold needs scores, got {len(self.paths)} images of {self.set_name!r} "
                "without any. Score them first."
            )
        return float(np.quantile(self.known, discard, method="higher"))


FEW = 30
"""Rule of 30 (Doddington et al. 2000, Speech Communication 31): so many errors, of comparisons that
are independent, make it 90 % sure that the true rate lies within 30 % of the one seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupErrors:
    """False non-matches of ``recogniser`` within a group, at the similarity ``threshold``.

    Of ``comparisons`` mated pairs of two images of the group, ``errors`` fail before any discard.
    ``comparisons_left`` and ``errors_left`` are those of which neither image is discarded. ``pauc``
    is None where it is not defined.

    Raises:
        InputError: counts that contradict one another.
    """

    recogniser: str
    threshold: float
    comparisons: int
    errors: int
    comparisons_left: int
    errors_left: int
    pauc: float | None = None

    def __post_init__(self) -> None:
        before, after = (self.errors, self.comparisons), (self.errors_left, self.comparisons_left)
        inside = all(0 <= errors <= comparisons for errors, comparisons in (before, after))
        if not inside or after[0] > before[0] or after[1] > before[1]:
            raise InputError(
                f"Errors of a group are among its comparisons, and no more after a discard, got "
                f"{before} before and {after} after. Count them with subgroup_errors."
            )

    @property
    def fnmr(self) -> float | None:
        """Before any discard, 0..1; None without comparisons."""
        return self.errors / self.comparisons if self.comparisons else None

    @property
    def fnmr_left(self) -> float | None:
        """After the discard, 0..1; None where no comparison is left."""
        return self.errors_left / self.comparisons_left if self.comparisons_left else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """How one group fares: ``count`` images, ``missing`` of them without a score.

    ``mean`` is over the scores there are (None: none). ``discarded`` is the share 0..1 of the
    group's images that score below ``threshold`` or have no score. ``errors`` are those of one
    recogniser when that is discarded, None where none was asked.
    """

    method: str
    set_name: str
    group: str
    count: int
    missing: int
    mean: float | None
    threshold: float
    discarded: float
    errors: GroupErrors | None = None


def subgroups(scored: Scored, threshold: float) -> tuple[Subgroup, ...]:
    """A row per group, in order of name; ``subgroup_errors`` adds what a recogniser makes of them.

    Raises:
        InputError: the scores have no groups, or a threshold that is not finite.
    """
    if not scored.groups or not math.isfinite(threshold):
        raise InputError(
            f"Subgroups need a group for each image and a finite threshold, got "
            f"{len(scored.groups)} groups and threshold {threshold}. Read a table with a group "
            "column."
        )
    members: dict[str, list[float | None]] = {name: [] for name in sorted(ordered(scored.groups))}
    for name, score in zip(scored.groups, scored.scores, strict=True):
        members[name].append(score)
    return tuple(_subgroup(scored, name, own, threshold) for name, own in members.items())


def _subgroup(scored: Scored, name: str, own: Sequence[float | None], threshold: float) -> Subgroup:
    known = [score for score in own if score is not None]
    kept = sum(score >= threshold for score in known)
    return Subgroup(
        method=scored.method,
        set_name=scored.set_name,
        group=name,
        count=len(own),
        missing=len(own) - len(known),
        mean=math.fsum(known) / len(known) if known else None,
        threshold=threshold,
        discarded=(len(own) - kept) / len(own),
    )
