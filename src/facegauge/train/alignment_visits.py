"""What a run of AI-KD sees: misaligned faces, and what is to be answered of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator, default_rng
from torch.utils.data import Dataset

from facegauge import alignment
from facegauge.cards import Crop
from facegauge.train.answers import Answers
from facegauge.train.blended_labels import Numbers, Taught
from facegauge.train.degradation import VERSION, degrade
from facegauge.train.faces import Faces
from facegauge.train.recipe_alignment import AlignmentDistillation
from facegauge.train.sloppiness import Sloppiness
from facegauge.train.swaps import Others
from facegauge.train.targets import cosines_to_others
from facegauge.train.visits import order
from facegauge.values import Pixels

LEAST = 0.1
"""Cosine to the person's other pictures below which it says too little to be divided by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedViews:
    """Faces as a recogniser is to see them, aligned exactly: the clean view 0, degraded others.

    How a view is degraded follows from seed, face and view alone.
    """

    faces: Faces
    crop: Crop
    count: int
    seed: int

    def key(self) -> list[Any]:
        """What a view depends on beside the faces."""
        return [self.crop.size, self.crop.resampling, self.count, self.seed, VERSION]

    def aligned(self, face: int, view: int) -> Pixels:
        """A view of a face, uint8 RGB of the recogniser's size."""
        return self.cut(self.faces.pixels(face), face, view)

    def cut(self, pixels: Pixels, face: int, view: int) -> Pixels:
        """The same from the picture of the face, where that is read already."""
        points = self.faces.points(face)
        crop = alignment.align(pixels, points, self.crop.size, self.crop.resampling)
        return spoiled(crop, self.seed, face, view)


def spoiled(crop: Pixels, seed: int, face: int, view: int) -> Pixels:
    """A crop as one of its face's views: 0 is the crop itself."""
    return degrade(crop, default_rng((seed, 0, face, view))) if view else crop


class Misaligned(Dataset):
    """Visit number n of a run: a face, its landmarks off in a way that follows from n alone.

    Args:
        chosen: the recipe.
        faces: all faces.
        others: of each face, its landmarks by other detectors.
        targets: of each face, what is to be answered.
        live: how the recognisers are to see the aligned face, where they answer at every step.
    """

    def __init__(
        self,
        chosen: AlignmentDistillation,
        faces: Faces,
        others: Others,
        targets: Expected,
        live: tuple[AlignedViews, ...] = (),
    ) -> None:
        self.chosen, self.faces, self.others = chosen, faces, others
        self.targets, self.live = targets, live
        self.sloppiness = sloppiness_of(chosen)
        self.learned = np.flatnonzero(~faces.validation)

    def __getitem__(self, visit: int) -> dict[str, Any]:
        face, rng = self.face(visit), default_rng((self.chosen.seed, 1, visit))
        view, mirrored = self._view(rng), rng.random() < self.chosen.mirrored
        points = self.sloppiness.moved(self.faces.points(face), self.others[face], rng)
        pixels = self.faces.pixels(face)
        crop = alignment.align(pixels, points, self.chosen.size)
        crop = spoiled(crop, self.chosen.seed, face, view)
        seen = crop[:, ::-1] if mirrored else crop
        aligned = {f"aligned{at}": each.cut(pixels, face, 0) for at, each in enumerate(self.live)}
        return {"pixels": np.ascontiguousarray(seen), **self.targets.of(face, view), **aligned}

    def face(self, visit: int) -> int:
        """Which face a visit sees: each turn over all of them has its own order."""
        turn, place = divmod(visit, len(self.learned))
        return int(self.learned[order(self.chosen.seed, turn, len(self.learned))[place]])

    def _view(self, rng: Generator) -> int:
        spoil, view = (
            rng.random() < self.chosen.degraded,
            rng.integers(1, max(2, self.chosen.views)),
        )
        return int(view) if spoil else 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expected:
    """What is to be answered of each of N faces.

    ``labels``: N×V by view, training faces span 0..1, nan: none. ``weights``: N. ``embeddings``: of
    the clean view, N×D by recogniser.
    """

    labels: Numbers
    weights: Numbers
    embeddings: tuple[Numbers, ...]

    def of(self, face: int, view: int) -> Mapping[str, Any]:
        """What is to be answered of one view, by name."""
        known = {f"embedding{at}": each[face] for at, each in enumerate(self.embeddings)}
        return {"labels": self.labels[face, view], "weights": self.weights[face], **known}


def expected(taught: Taught, answers: list[Answers], faces: Faces, fall: float) -> Expected:
    """The labels of all views, and the embeddings of the clean one.

    A degraded face is worth less by what the degradation took from its similarity to its mates: its
    label is multiplied by ``left_of_similarity`` to the power ``fall``.
    """
    left = np.mean([left_of_similarity(each.embeddings, faces) for each in answers], axis=0)
    return Expected(
        labels=(taught.labels[:, None] * left**fall).astype(np.float32),
        weights=taught.weights,
        embeddings=tuple(np.ascontiguousarray(each.embeddings[:, 0]) for each in answers),
    )


def left_of_similarity(embeddings: Numbers, faces: Faces) -> npt.NDArray[np.floating]:
    """Share 0..1 of the similarity to its mates that each view keeps, N×V; the clean one all.

    The mate is the centre of the person's other pictures: a cosine is divided by that of the clean
    view. Of somebody without other pictures, or unlike them (below ``LEAST``), the clean view
    itself is the mate.
    """
    centre = cosines_to_others(embeddings, faces.identities)
    alone = np.einsum("nvd,nd->nv", embeddings, embeddings[:, 0])
    usable = centre[:, :1] >= LEAST  # false for nan
    share = np.where(usable, centre / np.where(usable, centre[:, :1], 1.0), alone)
    share[:, 0] = 1.0
    return np.clip(share, 0.0, 1.0)


def sloppiness_of(chosen: AlignmentDistillation) -> Sloppiness:
    """What befalls landmarks under a recipe."""
    return Sloppiness(
        pixels=chosen.jitter_pixels,
        relative=chosen.jitter,
        roll=chosen.roll,
        zoom=chosen.zoom,
        shift=chosen.shift,
        swaps=chosen.swaps,
    )
