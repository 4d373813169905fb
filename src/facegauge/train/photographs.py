"""Photographs with their faces: what a detector learns from.

``DIR/NAME.csv`` has one row per face (``path``, box ``x0..y1``, five landmarks; optionally
``confidence`` and ``split``) and describes the pictures in ``DIR/NAME/``. Pictures with a row whose
split is ``test`` are never loaded. Faces of low confidence are doubtful: nothing is learned of
them.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import images
from facegauge.errors import InputError, TrainingError
from facegauge.tables import LANDMARK_COLUMNS, same_path
from facegauge.train.data_tables import read_rows, split_of, tables_with
from facegauge.values import Box, Landmarks, Pixels

BOX_COLUMNS = ("x0", "y0", "x1", "y1")
HELD_OUT = 10
"""Without a validation split, one picture in so many is held out."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Photograph:
    """One picture's path and faces: boxes F×4, landmarks F×5×2 in pixels, confidence F, sure F."""

    path: Path
    table: str
    validation: bool
    boxes: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    sure: npt.NDArray[np.bool_]


def read_photographs(folder: Path, tables: tuple[str, ...], surest: float) -> list[Photograph]:
    """The photographs of the named tables, or of every table that has boxes and landmarks.

    Args:
        folder: the data folder.
        tables: names of tables; empty takes all that fit.
        surest: faces of at least this confidence are learned; all where there is no such column.

    Raises:
        TrainingError: no usable table, or none for training or validation.
    """
    names = tables or tables_with(folder, _COLUMNS)
    photographs = [each for name in names for each in _photographs(folder, name, surest)]
    held_out = sum(each.validation for each in photographs)
    if not 0 < held_out < len(photographs):
        raise TrainingError(
            f"Expected photographs for training and for validation in {folder}, got "
            f"{len(photographs) - held_out} and {held_out} from tables {', '.join(names) or 'none'}"
            f". A table is NAME.csv with the columns {', '.join(_COLUMNS)}, beside a folder NAME."
        )
    return photographs


def read_backgrounds(folder: Path, names: tuple[str, ...]) -> list[Photograph]:
    """Pictures without faces: every picture in the named folders.

    Raises:
        TrainingError: a folder that is not there or holds no picture.
    """
    found = []
    for name in names:
        paths = sorted(p for p in (folder / name).glob("*") if _is_picture(p))
        if not paths:
            raise TrainingError(f"Expected pictures without faces in {folder / name}, got none.")
        found += [_photograph(path, name, False, [], 0.0) for path in paths]
    return found


@dataclass(slots=True)
class Shelf:
    """Decoded pictures, kept while they fit: a training run sees each of them many times."""

    room: int = 2 * 1024**3
    """Bytes that may be kept."""
    kept: OrderedDict[Path, Pixels] = field(default_factory=OrderedDict)
    taken: int = 0

    def __reduce__(self) -> tuple[type[Shelf], tuple[int]]:
        """Processes that are not forked begin with an empty shelf."""
        return Shelf, (self.room,)

    def fill(self, paths: Iterable[Path]) -> None:
        """Decode pictures until the shelf is full: what is here before a fork is shared."""
        for path in paths:
            if self.taken > 0.9 * self.room:
                return
            self.pixels(path)

    def pixels(self, path: Path) -> Pixels:
        """The picture, uint8 RGB H×W×3."""
        if path in self.kept:
            self.kept.move_to_end(path)
            return self.kept[path]
        pixels = images.read(path).pixels
        self.kept[path] = pixels
        self.taken += pixels.nbytes
        while self.taken > self.room and len(self.kept) > 1:
            self.taken -= self.kept.popitem(last=False)[1].nbytes
        return pixels


_COLUMNS = (*LANDMARK_COLUMNS, *BOX_COLUMNS)


def _photographs(folder: Path, name: str, surest: float) -> list[Photograph]:
    table, pictures = folder / f"{name}.csv", folder / name
    if not table.is_file() or not pictures.is_dir():
        raise TrainingError(f"Expected a table {table} and its pictures in {pictures}.")
    faces: dict[str, list[dict[str, str]]] = {}
    splits: dict[str, set[str]] = {}
    for number, row in enumerate(read_rows(table, _COLUMNS)):
        path = same_path(row["path"])
        faces.setdefault(path, []).append(row)
        splits.setdefault(path, set()).add(split_of(row, number, table))
    drawn = not any("validation" in found for found in splits.values())
    return [
        _photograph(pictures / path, name, _held_out(path, found, drawn), faces[path], surest)
        for path, found in splits.items()
        if "test" not in found
    ]


def _held_out(path: str, splits: set[str], drawn: bool) -> bool:
    return "validation" in splits or (drawn and zlib.crc32(path.encode()) % HELD_OUT == 0)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in images.IMAGE_SUFFIXES


def _photograph(
    path: Path, name: str, validation: bool, rows: list[dict[str, str]], surest: float
) -> Photograph:
    try:
        boxes = [[float(row[key]) for key in BOX_COLUMNS] for row in rows]
        points = [[float(row[key]) for key in LANDMARK_COLUMNS[1:]] for row in rows]
        confidence = [float(row.get("confidence") or 1.0) for row in rows]
        for box, numbers in zip(boxes, points, strict=True):
            Box(**dict(zip(BOX_COLUMNS, box, strict=True)))
            Landmarks.from_array(numbers)
    except (TypeError, ValueError, InputError) as error:
        raise TrainingError(
            f"Expected boxes and landmarks in the rows of {path}: {error}"
        ) from error
    return Photograph(
        path=path,
        table=name,
        validation=validation,
        boxes=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        landmarks=np.array(points, dtype=np.float64).reshape(-1, 5, 2),
        confidence=np.array(confidence, dtype=np.float64),
        sure=np.array(confidence, dtype=np.float64) >= surest,
    )
