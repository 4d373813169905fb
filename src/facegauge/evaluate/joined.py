"""Scores and labels of the same images, brought together by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from facegauge.errors import InputError
from facegauge.evaluate.logistic import Values
from facegauge.tables import same_path


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Joined:
    """Scores and labels (N each) of the images that have both, by path.

    ``without_label`` images have only a score, ``without_score`` only a label.
    """

    paths: tuple[str, ...]
    scores: Values
    labels: Values
    without_label: int
    without_score: int

    def __str__(self) -> str:
        return (
            f"{len(self.paths)} images have a score and a label; {self.without_label} have no "
            f"label, {self.without_score} have no score"
        )


def join(scores: Mapping[str, float], labels: Mapping[str, float]) -> Joined:
    r"""Bring scores and labels together by path, sorted; ``./a\1.jpg`` and ``a/1.jpg`` are one.

    Raises:
        InputError: no path in common, or one path written in two ways with two values.

    Example:
        >>> print(join({"a.jpg": 80.0, "b.jpg": 20.0}, {"./a.jpg": 0.9}))
        1 images have a score and a label; 1 have no label, 0 have no score
    """
    mine, theirs = _by_path(scores, "score"), _by_path(labels, "label")
    both = sorted(mine.keys() & theirs.keys())
    if not both:
        raise InputError(
            "Expected scores and labels of the same images, got no path in common: "
            f"{_examples(mine)} have scores, {_examples(theirs)} have labels. Make both relative "
            "to the same folder."
        )
    return Joined(
        paths=tuple(both),
        scores=np.array([mine[path] for path in both], dtype=np.float64),
        labels=np.array([theirs[path] for path in both], dtype=np.float64),
        without_label=len(mine) - len(both),
        without_score=len(theirs) - len(both),
    )


def _by_path(values: Mapping[str, float], what: str) -> dict[str, float]:
    known: dict[str, float] = {}
    for path, value in values.items():
        if known.setdefault(same_path(path), value) != value:
            raise InputError(
                f"Expected one {what} for {same_path(path)!r}, got {known[same_path(path)]!r} and "
                f"{value!r}. Keep one of them."
            )
    return known


def _examples(values: Mapping[str, float]) -> str:
    shown = ", ".join(repr(path) for path in sorted(values)[:2])
    return f"{shown} and others" if len(values) > 2 else shown or "none"
