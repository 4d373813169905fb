"""Pictures become embeddings: what ``facegauge embed`` runs.

Pictures under way are few (see pictures), so memory grows by the embeddings alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.detection import Detector
from facegauge.embeddings import Embeddings
from facegauge.models import Model
from facegauge.pictures import (
    Cut,
    LeftOut,
    Picture,
    Prepared,
    chunks,
    pictures_under,
    recogniser_crop,
)
from facegauge.tables import LandmarkTable


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedded:
    """What became of some pictures: their embeddings, and those that have none, in order."""

    embeddings: Embeddings
    left_out: tuple[LeftOut, ...]


def embed_images(
    paths: Sequence[Path | str],
    *,
    recogniser: Model,
    landmarks: LandmarkTable | None = None,
    detector: Detector | None = None,
    aligned: bool = False,
    workers: int | None = None,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda count: None,
) -> Embedded:
    """Embed every picture under ``paths`` (see walk.find_images); options as ``embed_pictures``."""
    return embed_pictures(
        pictures_under(paths),
        recogniser=recogniser,
        landmarks=landmarks,
        detector=detector,
        aligned=aligned,
        workers=workers,
        batch_size=batch_size,
        progress=progress,
    )


def embed_pictures(
    pictures: Iterable[Picture],
    *,
    recogniser: Model,
    landmarks: LandmarkTable | None = None,
    detector: Detector | None = None,
    aligned: bool = False,
    workers: int | None = None,
    batch_size: int = 32,
    progress: Callable[[int], None] = lambda count: None,
) -> Embedded:
    """Embed the largest face of every picture, in their order.

    Where the face is comes from exactly one of three: the table ``landmarks`` (by name), the
    ``detector``, or ``aligned``: the picture is an aligned crop already and only resized to what
    the recogniser takes. A picture that cannot be read or shows no face, and a face that the
    recogniser answers with zeros, is left out with the reason. Small faces are not: how well they
    do is what is evaluated.

    Args:
        pictures: their names must differ.
        recogniser: an opened model file of that kind; its card says the crop.
        landmarks: five points of the faces, in pixels of the upright picture.
        detector: finds the faces.
        aligned: the pictures are aligned crops.
        workers: threads that read and align, one per core unless told.
        batch_size: pictures in one run of the network.
        progress: is told how many more pictures are finished.

    Raises:
        ModelError: the model is no recogniser.
        OptionError: workers or batch_size below 1, or not exactly one way to know the face.
        InputError: two pictures of one name.
    """
    crop = recogniser_crop(recogniser)
    cut = Cut(crop=crop, table=landmarks, detector=detector, aligned=aligned)
    answers = _Answers()
    with closing(chunks(pictures, cut, workers=workers, batch_size=batch_size)) as prepared:
        for chunk in prepared:
            answers.add(chunk, recogniser)
            progress(len(chunk))
    return answers.embedded()


class _Answers:
    """What the recogniser said so far, in the order of the pictures."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.values: list[npt.NDArray[np.float32]] = []
        self.left_out: list[LeftOut] = []

    def add(self, chunk: Sequence[Prepared], recogniser: Model) -> None:
        """Run the network once on the crops of a chunk."""
        crops = [each.crop for each in chunk if each.crop is not None]
        rows = iter(list(recogniser.embed(np.stack(crops)).embedding) if crops else [])
        for each in chunk:
            if each.crop is None:
                self._leave_out(each.name, each.reason)
            elif (row := next(rows)).any():
                self.paths.append(each.name)
                self.values.append(row)
            else:
                self._leave_out(each.name, "the recogniser answers with zeros")

    def _leave_out(self, name: str, reason: str) -> None:
        self.left_out.append(LeftOut(path=name, reason=reason))

    def embedded(self) -> Embedded:
        """All of it, frozen; without any embedding N×D is 0×0."""
        values = np.stack(self.values) if self.values else np.empty((0, 0), dtype=np.float32)
        return Embedded(
            embeddings=Embeddings(paths=tuple(self.paths), values=values),
            left_out=tuple(self.left_out),
        )
