"""What a benchmark set is once it is read: pictures, who they show, and which pairs to compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.embeddings import Embeddings
from facegauge.errors import InputError
from facegauge.evaluate.pairs import Indices, Pairs
from facegauge.pictures import Picture
from facegauge.tables import LandmarkTable

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.integer]

ImageReference = Path | bytes
"""Where a picture of a set is: a file, or the bytes of one."""


class Layout(StrEnum):
    """The forms in which people have the sets; each has a reader (see ``benchmark.EXPECTED``)."""

    LFW = "lfw"
    XQLFW = "xqlfw"
    INSIGHTFACE = "insightface"
    ADIENCE = "adience"
    IJB = "ijb"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Templates:
    """Groups of pictures that stand for one person together (IJB-B, IJB-C).

    ``ids`` are the T templates' numbers in the protocol, ``of_picture`` (int32, N) the index into
    them of each picture, ``media`` (int32, N) the still or video each picture was taken from.
    """

    ids: npt.NDArray[np.int64]
    of_picture: Indices
    media: Indices

    @property
    def names(self) -> tuple[str, ...]:
        """The templates' numbers as text, T."""
        return tuple(map(str, self.ids.tolist()))

    def pooled(self, embeddings: Embeddings, names: tuple[str, ...]) -> Embeddings:
        """One embedding for each template of which a picture was embedded.

        The embeddings of one medium are averaged, the media of a template summed, and the sum
        brought to length 1 (media pooling, Crosswhite et al., Template adaptation, FG 2017,
        section 3): a video of a thousand frames weighs as much as a still.

        Args:
            embeddings: of pictures; those without one are left out of the mean.
            names: of the N pictures in the set, in their order.
        """
        rows = embeddings.rows(names)
        there = np.flatnonzero(rows >= 0)
        if not there.size:
            return Embeddings(paths=(), values=np.empty((0, 0), dtype=np.float32))
        keys = np.stack([self.of_picture[there], self.media[there]], axis=1)
        media, medium, frames = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        means = _sums(embeddings.values, rows[there], medium.reshape(-1), len(media))
        means /= frames[:, None]
        present, template = np.unique(media[:, 0], return_inverse=True)
        totals = _sums(means, np.arange(len(means)), template.reshape(-1), len(present))
        kept = np.linalg.norm(totals, axis=1) > 0
        paths = [str(number) for number in self.ids[present[kept]].tolist()]
        return Embeddings.normalised(paths, totals[kept])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BenchmarkSet:
    """A set of N pictures in one of the known layouts.

    ``names`` are the pictures' names in tables, each once, and ``images`` where they are;
    ``identities`` say who they show, where the layout knows; ``pairs`` index the pictures, or the
    ``templates`` where there are some; ``folds`` (int32, N) number the parts of a set whose
    pictures, not pairs, are divided. ``landmarks`` are there when the set brings them, by name;
    ``aligned`` says that the pictures are aligned crops.

    Raises:
        InputError: parts that do not belong together.
    """

    name: str
    layout: Layout
    names: tuple[str, ...]
    images: tuple[ImageReference, ...]
    identities: tuple[str, ...] | None = None
    pairs: Pairs | None = None
    folds: Indices | None = None
    templates: Templates | None = None
    landmarks: LandmarkTable | None = None
    aligned: bool = False

    def __post_init__(self) -> None:
        sizes = {len(self.names), len(self.images)}
        sizes |= {len(each) for each in (self.identities, self.folds) if each is not None}
        if self.templates is not None:
            sizes |= {len(self.templates.of_picture), len(self.templates.media)}
        if len(sizes) != 1 or not self.names or len(set(self.names)) < len(self.names):
            raise InputError(
                f"Expected a name, each once, for every picture of {self.name}, got "
                f"{len(set(self.names))} different names and parts of {sorted(sizes)} pictures."
            )
        if self.pairs is not None and self.pairs.highest >= len(self.compared):
            raise InputError(
                f"Expected pairs among {len(self.compared)} of {self.name}, got the index "
                f"{self.pairs.highest}."
            )

    def __len__(self) -> int:
        """How many pictures."""
        return len(self.names)

    @property
    def compared(self) -> tuple[str, ...]:
        """What ``pairs`` index, by name: the templates where there are some, else the pictures."""
        return self.names if self.templates is None else self.templates.names

    def pictures(self) -> Iterator[Picture]:
        """The pictures in order, for ``embedding.embed_pictures``."""
        for name, image in zip(self.names, self.images, strict=True):
            yield Picture(name=name, source=image)


def _sums(
    values: npt.NDArray[np.floating],
    rows: npt.NDArray[np.integer],
    group: npt.NDArray[np.integer],
    count: int,
) -> npt.NDArray[np.float64]:
    """The sum of the rows of each group, float64 count×D; every group has one row or more.

    One group of rows after the other, so that only one million numbers are copied at a time.
    """
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(count), side="right")
    sums = np.zeros((count, values.shape[1]))
    step, start = max(1, (1 << 20) // max(1, values.shape[1])), 0
    while start < count:
        begin = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, begin + step, side="right")))
        part = order[begin : ends[stop - 1]]
        starts = np.concatenate([[begin], ends[start : stop - 1]]) - begin
        taken = values[rows[part]].astype(np.float64)
        sums[start:stop] = np.add.reduceat(taken, starts, axis=0)
        start = stop
    return sums
