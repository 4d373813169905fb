"""DifFIQA: how little an embedding moves when a face is noised, restored and mirrored.

Babnik et al. 2023, arXiv 2305.05768: a diffusion network that was trained on faces noises a face up
to time ``noised`` and restores it from there, ``repeats`` times, and its mirror image likewise; the
label is the mean of five cosines in the recogniser's space.

The diffusion network needs torch: facegauge.train.diffusion_labels has that half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from facegauge.models import Model
from facegauge.techniques.technique import Labels, Measured, Rows, require
from facegauge.values import Pixels

Embeddings = npt.NDArray[np.floating]
Embed = Callable[[Pixels], Embeddings]
"""A recogniser: crops N×S×S×3, uint8 RGB, to embeddings N×D of any length above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifFiqa:
    """Time t up to which a face is noised, and how often: 5 and 10 in the paper.

    Raises:
        OptionError: a time below 0, or no repeats.
    """

    noised: int = 5
    repeats: int = 10

    def __post_init__(self) -> None:
        require(self.noised >= 0 and self.repeats >= 1, "noised >= 0 and repeats >= 1", self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disturbed:
    """Crops R×S×S×3, uint8, of one face after R repeats: noised (x_t) and restored (x^)."""

    noised: Pixels
    restored: Pixels


Disturb = Callable[[Pixels], Callable[[Pixels], Disturbed]]
"""For a crop S×S×3: what disturbs it and its mirror image, with chance of that crop alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DifFiqaLabels:
    """Labels in -1..1, mostly above 0."""

    name: ClassVar[str] = "difiqa"
    needs_people: ClassVar[bool] = False
    recogniser: Model
    disturb: Disturb
    seed: int = 0
    constants: DifFiqa = DifFiqa()

    def measure(self, names: Sequence[str], crops: Pixels) -> Rows:
        """Q of each picture, N×1; each is disturbed alone, so batches change nothing."""
        found = [label_face(crop, self.disturb(crop), self._embed) for crop in crops]
        return np.array(found, dtype=np.float32)[:, None]

    def labels(self, measured: Measured, identities: Mapping[str, str]) -> Labels:
        """Q as it is."""
        return Labels.of(measured.paths, measured.values[:, 0].astype(np.float64))

    def _embed(self, crops: Pixels) -> Embeddings:
        return np.asarray(self.recogniser.embed(crops).embedding)


def diffusion_quality(
    clean: Embeddings,
    mirrored: Embeddings,
    upright: tuple[Embeddings, Embeddings],
    flipped: tuple[Embeddings, Embeddings],
) -> float:
    """Q in -1..1, higher is better: the mean of five cosines to the embedding of the clean face.

    Args:
        clean: embedding of the face x, D.
        mirrored: embedding of the mirrored face, D.
        upright: embeddings of x_t and x^, R×D each, R repeats.
        flipped: embeddings of x_t and x^ made from the mirrored face, R×D each.

    Source: DifFIQA (Babnik et al. 2023, arXiv 2305.05768), section 3: (x, x_t), (x, x^),
    (x, x_t mirrored), (x, x^ mirrored), (x, x mirrored), each averaged over the repeats.
    """
    others = (*upright, *flipped, mirrored[None])
    return float(np.mean([cosine(clean[None], each).mean() for each in others]))


def cosine(first: Embeddings, second: Embeddings) -> Embeddings:
    """Cosines of the rows of two matrices, N×D or 1×D: N."""
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / np.maximum(lengths, 1e-12))


def label_face(face: Pixels, disturb: Callable[[Pixels], Disturbed], embed: Embed) -> float:
    """The quality of one aligned crop S×S×3, by a recogniser and what disturbs a crop."""
    mirror = np.ascontiguousarray(face[:, ::-1])
    upright, flipped = disturb(face), disturb(mirror)
    parts = (upright.noised, upright.restored, flipped.noised, flipped.restored)
    found = embed(np.concatenate([face[None], mirror[None], *parts]))
    repeats = len(upright.noised)
    groups = [found[2 + n * repeats : 2 + (n + 1) * repeats] for n in range(4)]
    return diffusion_quality(found[0], found[1], (groups[0], groups[1]), (groups[2], groups[3]))
