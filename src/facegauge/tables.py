"""Tables people hand in: landmarks, identities, labels and plain scores, as csv.

All name images by ``path``: relative to the folder given, with ``/``. A backslash becomes
``/`` and a leading ``./`` is dropped, so that a table made on Windows or with ``find .`` fits.
Extra columns and any order of columns are allowed; a byte order mark is tolerated; bytes that are
not UTF-8 survive, as Python's ``surrogateescape``, and so do the file names they stand for.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.errors import TableError
from facegauge.values import Landmarks

LANDMARK_COLUMNS = (
    "path",
    "x_left_eye",
    "y_left_eye",
    "x_right_eye",
    "y_right_eye",
    "x_nose",
    "y_nose",
    "x_left_mouth",
    "y_left_mouth",
    "x_right_mouth",
    "y_right_mouth",
)
IDENTITY_COLUMNS = ("path", "identity")
LABEL_COLUMNS = ("path", "label")
DOUBT_COLUMNS = ("path", "doubt")
SCORE_COLUMNS = ("path", "score")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LandmarkTable:
    """Landmarks of many images, in pixels, looked up by path.

    Compact, because it stays in memory for a whole batch: 84 bytes a face and one dictionary entry
    an image. The faces of an image are chained: ``following[i]`` is the next face of the same
    image after row ``i``, or -1.
    """

    points: npt.NDArray[np.float64]
    following: npt.NDArray[np.int32]
    first: dict[str, int]

    def of(self, path: str) -> tuple[Landmarks, ...]:
        """The faces of one image in the order of the table; empty when it is not in there."""
        faces = []
        row = self.first.get(same_path(path), -1)
        while row >= 0:
            faces.append(Landmarks.from_array(self.points[row]))
            row = int(self.following[row])
        return tuple(faces)

    def __len__(self) -> int:
        """How many images have landmarks."""
        return len(self.first)

    def __contains__(self, path: str) -> bool:
        return same_path(path) in self.first


def read_landmarks(path: Path | str) -> LandmarkTable:
    """Read a csv of landmarks; several rows with one path are several faces.

    Raises:
        TableError: columns missing, or a cell that is no finite number, with its line.
    """
    numbers, following = array("d"), array("i")
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for row, record in enumerate(records(Path(path), LANDMARK_COLUMNS)):
        numbers.extend(_points(record))
        following.append(-1)
        if record.path in last:
            following[last[record.path]] = row
        last[record.path] = row
        first.setdefault(record.path, row)
    points = np.frombuffer(numbers, dtype=np.float64) if numbers else np.empty(0)
    return LandmarkTable(
        points=points.reshape(-1, 5, 2),
        following=np.array(following, dtype=np.int32),
        first=first,
    )


def read_identities(path: Path | str) -> dict[str, str]:
    """Read a csv ``path,identity``: who is in which image.

    Raises:
        TableError: columns missing, an empty identity, or two identities for one path.
    """
    identities: dict[str, str] = {}
    for record in records(Path(path), IDENTITY_COLUMNS):
        identity = record.cells[0].strip()
        if not identity:
            raise record.error("an identity", "an empty cell", "Fill it in or remove the line.")
        if identities.setdefault(record.path, identity) != identity:
            raise record.twice(identities[record.path], identity)
    return identities


def read_labels(path: Path | str) -> dict[str, float]:
    """Read a csv ``path,label``: a quality label for each image, any finite number.

    Raises:
        TableError: columns missing, a cell that is no finite number, or two labels for one path.
    """
    labels: dict[str, float] = {}
    for record in records(Path(path), LABEL_COLUMNS):
        label = record.number(0)
        if labels.setdefault(record.path, label) != label:
            raise record.twice(labels[record.path], label)
    return labels


def read_doubts(path: Path | str) -> dict[str, float]:
    """Read the column ``doubt`` of a csv ``path,label,doubt``, if it has one: 0 or more.

    Raises:
        TableError: no such table, or a cell that is no finite number of 0 or more.
    """
    doubts: dict[str, float] = {}
    if not has_column(Path(path), DOUBT_COLUMNS[1]):
        return doubts
    for record in records(Path(path), DOUBT_COLUMNS):
        doubts[record.path] = record.number(0)
        if doubts[record.path] < 0:
            raise record.error("a doubt of 0 or more", repr(record.cells[0]), "Correct it.")
    return doubts


def read_plain_scores(path: Path | str) -> dict[str, float | None]:
    """Read a csv ``path,score`` of any method: any finite number, or an empty cell for no score.

    Raises:
        TableError: columns missing, a cell that is no finite number, or two rows for one path.
    """
    scores: dict[str, float | None] = {}
    for record in records(Path(path), SCORE_COLUMNS):
        score = record.number(0) if record.cells[0].strip() else None
        if record.path in scores:
            raise record.twice(scores[record.path], score)
        scores[record.path] = score
    return scores


def same_path(path: str) -> str:
    r"""The form in which tables compare paths: ``/`` between folders, no leading ``./``.

    Example:
        >>> same_path(".\\anna\\1.jpg")
        'anna/1.jpg'
    """
    return path.replace("\\", "/").removeprefix("./")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of a table: its path, and the other cells in the order of the columns asked for."""

    table: Path
    line: int
    path: str
    columns: tuple[str, ...]
    cells: tuple[str, ...]

    def number(self, index: int) -> float:
        """Cell ``index`` as a finite number."""
        try:
            value = float(self.cells[index])
        except ValueError:
            value = math.nan
        if math.isfinite(value):
            return value
        expected = f"a finite number for {self.columns[index]}"
        raise self.error(expected, repr(self.cells[index]), "Correct it or remove the line.")

    def error(self, expected: str, got: str, remedy: str) -> TableError:
        """What is wrong with this line."""
        return TableError(
            f"{self.table}, line {self.line}: expected {expected}, got {got}. {remedy}"
        )

    def twice(self, before: object, now: object) -> TableError:
        """That an earlier line of the same path says something else."""
        expected = f"one value for {self.path!r}"
        return self.error(expected, f"{before!r} before and {now!r} here", "Keep one of the lines.")


def _points(record: Record) -> list[float]:
    numbers = [record.number(index) for index in range(len(record.cells))]
    if len(set(numbers[0::2])) == 1 and len(set(numbers[1::2])) == 1:
        raise record.error("five different points", "the same point five times", "Correct it.")
    return numbers


def records(table: Path, columns: tuple[str, ...]) -> Iterator[Record]:
    """The lines of a csv one by one; of ``columns`` the first is the path.

    Raises:
        TableError: no such file, columns missing, or a line that has no path or is no csv.
    """
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            yield from _parsed(table, columns, handle)
    except OSError as error:
        raise TableError(
            f"Expected a csv with the columns {','.join(columns)} in {table}, got: "
            f"{error.strerror or error}. Check the path."
        ) from error


def _parsed(table: Path, columns: tuple[str, ...], lines: Iterator[str]) -> Iterator[Record]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        places = _places(table, columns, header)
        for cells in reader:
            if cells:
                yield _record(table, reader.line_num, columns, cells, places, len(header))
    except csv.Error as error:
        raise TableError(
            f"{table}, line {reader.line_num}: expected cells separated by commas, got text that "
            f"is not csv ({error}). Quote cells that hold commas or quotes."
        ) from error


def has_column(table: Path, column: str) -> bool:
    """Whether a csv has a column; True for a file that cannot be read, so that a reader says so."""
    try:
        with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
            return column in [cell.strip() for cell in next(csv.reader(handle), [])]
    except (OSError, csv.Error):
        return True


def _places(table: Path, columns: tuple[str, ...], header: Sequence[str]) -> list[int]:
    if all(header.count(column) == 1 for column in columns):
        return [header.index(column) for column in columns]
    got = "an empty file" if not header else repr(",".join(header)[:300])
    missing = [column for column in columns if column not in header] or ["a column only once"]
    raise TableError(
        f"{table} needs the columns {','.join(columns)} in its first line, got {got}. "
        f"Add {', '.join(missing)}, separated by commas."
    )


def _record(
    table: Path,
    line: int,
    columns: tuple[str, ...],
    cells: Sequence[str],
    places: Sequence[int],
    width: int,
) -> Record:
    if len(cells) != width:
        raise TableError(
            f"{table}, line {line}: expected {width} cells as in the first line, got {len(cells)}. "
            "Quote a cell that holds a comma, or complete the line."
        )
    path, *others = (cells[place] for place in places)
    record = Record(
        table=table, line=line, path=same_path(path), columns=columns[1:], cells=tuple(others)
    )
    if not record.path:
        raise record.error("a path", "an empty cell", "Fill it in or remove the line.")
    return record
