"""Pictures become aligned crops for a model, in their order, a chunk at a time.

Worker threads read, find faces and align. Chunks are cut along a fixed grid, so that a picture
shares its network call with the same others at every run, and few pictures are under way.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from facegauge import alignment, framing, images, photos, threads
from facegauge.cards import Crop, Kind
from facegauge.detection import Detector, Search
from facegauge.errors import LandmarkError, ModelError, OptionError, UnreadableImage
from facegauge.models import Model
from facegauge.photos import Source, nothing_found
from facegauge.tables import LandmarkTable
from facegauge.values import Landmarks, Pixels
from facegauge.walk import find_images


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture to look at: its name in tables, and its path, the bytes of a file or its pixels.

    ``problem`` says why nothing can be read there; mostly empty.
    """

    name: str
    source: Source
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A picture of which nothing is told, and the reason."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A picture's crop, or why there is none."""

    name: str
    crop: Pixels | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a picture becomes a crop for a model; exactly one way to know the face.

    ``table`` has five points of the faces, in pixels of the upright picture, by name; the
    ``detector`` finds the largest; or the pictures are ``aligned`` crops already and only resized.
    With ``refuse_blank`` a crop on which nothing can be seen is no crop.

    Raises:
        OptionError: not exactly one way to know the face.
    """

    crop: Crop
    table: LandmarkTable | None
    detector: Detector | None
    aligned: bool
    refuse_blank: bool = False

    def __post_init__(self) -> None:
        ways = (self.table is not None) + (self.detector is not None) + self.aligned
        if ways != 1:
            raise OptionError(
                "A crop needs to know where the face is: from a landmark table, from a "
                f"detector, or because the pictures are aligned; got {ways} of these. Give one."
            )

    def prepare(self, picture: Picture) -> Prepared:
        """Read and crop one picture; never raises for what is wrong with it."""
        try:
            if picture.problem:
                raise UnreadableImage(picture.problem)
            crop = self._cropped(picture)
        except (UnreadableImage, LandmarkError) as error:
            return Prepared(name=picture.name, reason=str(error))
        blank = framing.blank(crop) if self.refuse_blank else ""
        return Prepared(name=picture.name, crop=None if blank else crop, reason=blank)

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


def pictures_under(paths: Sequence[Path | str]) -> Iterator[Picture]:
    """Every picture under some files and folders (see walk.find_images)."""
    found = find_images(paths)
    return (Picture(name=each.name, source=each.source, problem=each.problem) for each in found)


def chunks(
    pictures: Iterable[Picture], cut: Cut, *, workers: int | None = None, batch_size: int = 32
) -> Generator[list[Prepared], None, None]:
    """Read and crop pictures in threads; ``batch_size`` of them at a time, in their order.

    The threads end with the generator: close it (``contextlib.closing``) where it may not be drawn
    to its end.

    Raises:
        OptionError: workers or batch_size below 1.
    """
    workers = threads.count(workers)
    if batch_size < 1:
        raise OptionError(
            f"A network needs a batch size of at least 1, got {batch_size}. Correct --batch-size."
        )
    return _chunks(pictures, cut, workers, batch_size)


def recogniser_crop(recogniser: Model) -> Crop:
    """The crop that a recogniser takes.

    Raises:
        ModelError: the model is no recogniser.
    """
    if recogniser.card.kind is not Kind.RECOGNISER:
        raise ModelError(
            f"Expected a {Kind.RECOGNISER} to embed faces, got {recogniser.card.identifier}, a "
            f"{recogniser.card.kind} model. Make one with facegauge models wrap."
        )
    return recogniser.card.crop


def _chunks(
    pictures: Iterable[Picture], cut: Cut, workers: int, size: int
) -> Generator[list[Prepared], None, None]:
    with threads.pool(workers) as pool:
        begun = (pool.submit(cut.prepare, picture) for picture in pictures)
        ahead = threads.under_way(begun, size + 2 * workers)
        while chunk := [future.result() for future in islice(ahead, size)]:
            yield chunk
