"""Aligned crops as files: what ``facegauge align`` writes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from facegauge import alignment, images
from facegauge.alignment import Mode
from facegauge.errors import InputError, LandmarkError, OptionError, UnreadableImage
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

    The faces of a picture with several get ``-1``, ``-2``, ... behind the name. The noise of a face
    depends on seed, name and number alone, not on the order of the pictures.

    Raises:
        OptionError: ``size`` or ``jitter`` out of range, or a crop that would fall outside ``out``.
    """
    if size < 1 or jitter < 0:
        raise OptionError(f"Expected size >= 1 and jitter >= 0, got {size} and {jitter}.")
    crops, problems = 0, []
    for found in find_images(paths):
        try:
            for number, points in enumerate(_points(found, landmarks)):
                rng = np.random.default_rng((seed, zlib.crc32(found.name.encode()), number))
                moved = alignment.jitter(points, rng, pixels=jitter)
                crop = alignment.align(images.read(found.path).pixels, moved, size, mode)
                _write(crop, _target(out, found.name, number))
                crops += 1
        except (UnreadableImage, LandmarkError) as error:
            problems.append(f"{found.name}: {error}")
        progress(1)
    return WrittenCrops(crops=crops, problems=tuple(problems))


def _points(found: Found, landmarks: LandmarkTable) -> Sequence[Landmarks]:
    points = landmarks.of(found.name)
    if not points:
        raise LandmarkError("no landmarks in the table")
    return points


def _target(out: Path, name: str, number: int) -> Path:
    relative = Path(name.lstrip("/"))
    if ".." in relative.parts:
        raise InputError(f"{name} would be written outside {out}; pass its folder instead.")
    ending = f"-{number}" if number else ""
    return out / relative.parent / f"{relative.stem}{ending}.png"


def _write(crop: Pixels, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(crop).save(target)
