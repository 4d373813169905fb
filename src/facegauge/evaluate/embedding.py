"""Pictures become embeddings: what ``facegauge embed`` runs.

Worker threads read, find faces and align; one thread runs the recogniser, ``batch_size`` pictures
at a time along a fixed grid, so that a picture shares its network call with the same others at
every run. Pictures under way are few, so memory grows by the embeddings alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import alignment, framing, images, photos, threads
from facegauge.cards import Crop, Kind
from facegauge.detection import Detector, Search
from facegauge.errors import LandmarkError, ModelError, OptionError, UnreadableImage
from facegauge.evaluate.embeddings import Embeddings
from facegauge.models import Model
from facegauge.photos import Source, nothing_found
from facegauge.tables import LandmarkTable
from facegauge.values import Landmarks, Pixels
from facegauge.walk import find_images


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture to embed: its name in tables, and its path, the bytes of a file or its pixels.

    ``problem`` says why nothing can be read there; mostly empty.
    """

    name: str
    source: Source
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A picture without an embedding, and the reason."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


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
    found = find_images(paths)
    return embed_pictures(
        (Picture(name=each.name, source=each.path, problem=each.problem) for each in found),
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
    cut = _Cut(crop=_crop(recogniser), table=landmarks, detector=detector, aligned=aligned)
    workers = threads.count(workers)
    if batch_size < 1:
        raise OptionError(f"Embedding needs a batch size of at least 1, got {batch_size}.")
    answers = _Answers()
    with threads.pool(workers) as pool:
        begun = (pool.submit(cut.prepare, picture) for picture in pictures)
        ahead = threads.under_way(begun, batch_size + 2 * workers)
        for chunk in _chunks(ahead, batch_size):
            answers.add(chunk, recogniser)
            progress(len(chunk))
    return answers.embedded()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A picture's crop, or why there is none."""

    name: str
    crop: Pixels | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """How a picture becomes a crop for the recogniser; exactly one way to know the face."""

    crop: Crop
    table: LandmarkTable | None
    detector: Detector | None
    aligned: bool

    def __post_init__(self) -> None:
        ways = (self.table is not None) + (self.detector is not None) + self.aligned
        if ways != 1:
            raise OptionError(
                "An embedding needs to know where the face is: from a landmark table, from a "
                f"detector, or because the pictures are aligned; got {ways} of these. Give one."
            )

    def prepare(self, picture: Picture) -> _Prepared:
        """Read and crop one picture; never raises for what is wrong with it."""
        try:
            if picture.problem:
                raise UnreadableImage(picture.problem)
            return _Prepared(name=picture.name, crop=self._cropped(picture))
        except (UnreadableImage, LandmarkError) as error:
            return _Prepared(name=picture.name, reason=str(error))

    def _cropped(self, picture: Picture) -> Pixels:
        size = self.crop.size
        if self.aligned:
            return framing.resized(images.read(picture.source).pixels, size, size)
        if self.table is None:
            return self._found(picture.source)
        faces = self.table.of(picture.name)
        if not faces:
            raise LandmarkError("no landmarks in the table")
        points = max(faces, key=alignment.frontal_eye_distance)
        return self._aligned(images.read(picture.source).pixels, points)

    def _found(self, source: Source) -> Pixels:
        """The largest face that the detector finds, cut from all the picture's pixels."""
        if self.detector is None:
            raise LandmarkError("no way to find a face")
        photo = photos.look(source, self.detector, Search.LARGEST, in_full=True)
        points = [face.landmarks for face in photo.faces if face.landmarks is not None]
        if not points:
            raise LandmarkError(nothing_found(self.detector))
        return self._aligned(photo.picture.pixels, points[0])

    def _aligned(self, pixels: Pixels, points: Landmarks) -> Pixels:
        return alignment.align(pixels, points, self.crop.size, self.crop.resampling)


class _Answers:
    """What the recogniser said so far, in the order of the pictures."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.values: list[npt.NDArray[np.float32]] = []
        self.left_out: list[LeftOut] = []

    def add(self, chunk: Sequence[_Prepared], recogniser: Model) -> None:
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


def _crop(recogniser: Model) -> Crop:
    if recogniser.card.kind is not Kind.RECOGNISER:
        raise ModelError(
            f"Expected a {Kind.RECOGNISER} to embed faces, got {recogniser.card.identifier}, a "
            f"{recogniser.card.kind} model. Make one with facegauge models wrap."
        )
    return recogniser.card.crop


def _chunks(futures: Iterator[Future[_Prepared]], size: int) -> Iterator[list[_Prepared]]:
    while chunk := [future.result() for future in islice(futures, size)]:
        yield chunk
