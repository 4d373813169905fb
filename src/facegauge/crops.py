"""Aligned crops as files: what ``facegauge align`` writes."""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facegauge import alignment, images
from facegauge.alignment import Mode
from facegauge.choices import named
from facegauge.detection import Detector, Search
from facegauge.errors import LandmarkError, OptionError, UnreadableImage
from facegauge.photos import nothing_found
from facegauge.places import below
from facegauge.tables import LandmarkTable
from facegauge.values import Landmarks, Pixels
from facegauge.walk import Found, find_images


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCrops:
    """How many crops were written, and a line for every picture that gave none."""

    crops: int
    problems: tuple[str, ...]


def write_crops(
    paths: Sequence[Path | str],
    out: Path,
    landmarks: LandmarkTable | None = None,
    *,
    detector: Detector | None = None,
    faces: Search | str = Search.ALL,
    size: int = alignment.TEMPLATE_SIZE,
    mode: Mode | str = Mode.SMOOTH,
    jitter: float = 0.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda count: None,
) -> WrittenCrops:
    """Align every face and write it as PNG below ``out``, under its picture's path.

    The faces are those of the table or, where the detector is given instead, those it finds, the
    largest first; ``faces`` may limit them to the largest of a picture.

    The faces of a picture with several get ``-1``, ``-2``, ... behind the name; where two pictures
    would share a name (a.bmp and a.png), the later one keeps its ending (a.png.png). No file that
    was there before is overwritten. The noise of a face depends on seed, name and number alone.

    Raises:
        OptionError: both or neither of table and detector; ``faces``, ``size``, ``jitter``,
            ``seed`` or ``mode`` out of range, a crop that would fall outside ``out``, or one that
            is there already.
    """
    if size < 1 or seed < 0 or not 0 <= jitter < math.inf:
        raise OptionError(
            f"Expected size >= 1, jitter >= 0 and seed >= 0, got {size}, {jitter} and {seed}."
        )
    known = _Known(table=landmarks, detector=detector, faces=named(Search, faces, "faces"))
    targets, problems = _Targets(out), []
    for found in find_images(paths):
        try:
            pixels, faces_seen = known.seen(found)
            for number, each in enumerate(faces_seen):
                rng = np.random.default_rng((seed, zlib.crc32(os.fsencode(found.name)), number))
                moved = alignment.jitter(each, rng, pixels=jitter)
                _write(alignment.align(pixels, moved, size, mode), targets.of(found.name, number))
        except (UnreadableImage, LandmarkError) as error:
            problems.append(f"{found.name}: {error}")
        progress(1)
    return WrittenCrops(crops=len(targets.taken), problems=tuple(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Where the faces of pictures are known from: a table or a detector."""

    table: LandmarkTable | None
    detector: Detector | None
    faces: Search

    def __post_init__(self) -> None:
        if (self.table is None) == (self.detector is None):
            raise OptionError(
                "Crops need to know where the faces are: either from a landmark table or from a "
                "detector. Give one of the two."
            )

    def seen(self, found: Found) -> tuple[Pixels, Sequence[Landmarks]]:
        """A picture and its faces' landmarks; one that the table does not have is not read.

        Raises:
            LandmarkError: there are no faces.
            UnreadableImage: there is no picture.
        """
        if found.problem:
            raise UnreadableImage(found.problem)
        if self.table is not None:
            points = self._chosen(self.table.of(found.name), "no landmarks in the table")
            return images.read(found.source).pixels, points
        pixels = images.read(found.source).pixels
        return pixels, self._chosen(*self._found(pixels))

    def _chosen(self, points: Sequence[Landmarks], nothing: str) -> Sequence[Landmarks]:
        if not points:
            raise LandmarkError(nothing)
        if self.faces is Search.LARGEST:
            return [max(points, key=alignment.frontal_eye_distance)]
        return points

    def _found(self, pixels: Pixels) -> tuple[Sequence[Landmarks], str]:
        """What the detector finds, and what is said when that is nothing."""
        if self.detector is None:
            return (), ""
        faces = self.detector.find(pixels, self.faces)
        points = [face.landmarks for face in faces if face.landmarks is not None]
        return points, nothing_found(self.detector)


class _Targets:
    """Hands out file names below a folder, each once, and none that exists."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.taken: set[Path] = set()

    def of(self, name: str, number: int) -> Path:
        """Where the crop of one face goes."""
        place, ending = below(self.out, name), f"-{number}.png" if number else ".png"
        target = place.with_name(f"{place.stem}{ending}")
        if target in self.taken:
            target = place.with_name(f"{place.name}{ending}")
        if target in self.taken or target.exists():
            raise OptionError(
                f"{target} exists already and is not overwritten. Choose an empty folder for --out."
            )
        self.taken.add(target)
        return target


def _write(crop: Pixels, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(target)
