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
from facegauge.errors import LandmarkError, OptionError, UnreadableImage
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
    landmarks: LandmarkTable,
    *,
    size: int = alignment.TEMPLATE_SIZE,
    mode: Mode | str = Mode.SMOOTH,
    jitter: float = 0.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda count: None,
) -> WrittenCrops:
    """Align every face in the table and write it as PNG below ``out``, under its picture's path.

    The faces of a picture with several get ``-1``, ``-2``, ... behind the name; where two pictures
    would share a name (a.bmp and a.png), the later one keeps its ending (a.png.png). No file that
    was there before is overwritten. The noise of a face depends on seed, name and number alone.

    Raises:
        OptionError: ``size``, ``jitter``, ``seed`` or ``mode`` out of range, a crop that would fall
            outside ``out``, or one that is there already.
    """
    if size < 1 or seed < 0 or not 0 <= jitter < math.inf:
        raise OptionError(
            f"Expected size >= 1, jitter >= 0 and seed >= 0, got {size}, {jitter} and {seed}."
        )
    targets, problems = _Targets(out), []
    for found in find_images(paths):
        try:
            points = _points(found, landmarks)
            pixels = images.read(found.path).pixels
            for number, each in enumerate(points):
                rng = np.random.default_rng((seed, zlib.crc32(os.fsencode(found.name)), number))
                moved = alignment.jitter(each, rng, pixels=jitter)
                _write(alignment.align(pixels, moved, size, mode), targets.of(found.name, number))
        except (UnreadableImage, LandmarkError) as error:
            problems.append(f"{found.name}: {error}")
        progress(1)
    return WrittenCrops(crops=len(targets.taken), problems=tuple(problems))


def _points(found: Found, landmarks: LandmarkTable) -> Sequence[Landmarks]:
    points = landmarks.of(found.name)
    if not points:
        raise LandmarkError("no landmarks in the table")
    return points


class _Targets:
    """Hands out file names below a folder, each once, and none that exists."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.taken: set[Path] = set()

    def of(self, name: str, number: int) -> Path:
        """Where the crop of one face goes."""
        relative = Path(name.lstrip("/"))
        if ".." in relative.parts:
            raise OptionError(
                f"{name} would be written outside {self.out}; pass its folder instead."
            )
        folder, ending = self.out / relative.parent, f"-{number}.png" if number else ".png"
        target = folder / f"{relative.stem}{ending}"
        if target in self.taken:
            target = folder / f"{relative.name}{ending}"
        if target in self.taken or target.exists():
            raise OptionError(
                f"{target} exists already and is not overwritten. Choose an empty folder for --out."
            )
        self.taken.add(target)
        return target


def _write(crop: Pixels, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(target)
