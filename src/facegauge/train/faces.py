"""The faces a training run may see: landmark tables in a folder become one list of faces.

``DIR/NAME.csv`` (landmarks; optionally ``identity`` and ``split``) describes the pictures in
``DIR/NAME/``; in its place ``DIR/NAME.pkl``, as AI-KD's authors publish landmarks, for a NAME that
is asked for. Rows whose split is ``test`` are never loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge import images
from facegauge.errors import LandmarkError, TrainingError
from facegauge.tables import LANDMARK_COLUMNS, same_path
from facegauge.train.data_tables import read_rows, split_of, tables_with
from facegauge.train.pickles import pickled_landmarks
from facegauge.values import Landmarks, Pixels

UNKNOWN = -1
"""Identity code of a face nobody has named."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Faces:
    """N faces: picture paths, landmarks (N×5×2 pixels), identity codes, who is for validation."""

    paths: tuple[Path, ...]
    landmarks: npt.NDArray[np.float64]
    identities: npt.NDArray[np.int64]
    validation: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.paths)

    def pixels(self, index: int) -> Pixels:
        """The whole picture of a face, uint8 RGB."""
        return images.read(self.paths[index]).pixels

    def points(self, index: int) -> Landmarks:
        """The landmarks of a face in its picture."""
        return Landmarks.from_array(self.landmarks[index])


def read_faces(folder: Path, tables: tuple[str, ...] = ()) -> Faces:
    """Read the named tables of a folder, or every table there that has landmarks.

    Without a ``split`` column every tenth person (every tenth picture where nobody is named) is for
    validation.

    Raises:
        TrainingError: no usable table, or no faces for training or validation.
    """
    names = tables or tables_with(folder, LANDMARK_COLUMNS)
    rows = [row for name in names for row in _rows(folder, name)]
    validation = np.array([row.validation for row in rows], dtype=bool)
    if not validation.any() or validation.all():
        raise TrainingError(
            f"Expected faces for training and for validation in {folder}, got "
            f"{int((~validation).sum())} and {int(validation.sum())} from tables "
            f"{', '.join(names) or 'none'}. A table is NAME.csv with the columns "
            f"{', '.join(LANDMARK_COLUMNS)}, beside a folder NAME."
        )
    codes = {name: code for code, name in enumerate(sorted({r.identity for r in rows} - {""}))}
    return Faces(
        paths=tuple(row.path for row in rows),
        landmarks=np.array([row.points for row in rows]).reshape(-1, 5, 2),
        identities=np.array([codes.get(row.identity, UNKNOWN) for row in rows]),
        validation=validation,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    path: Path
    points: tuple[float, ...]
    identity: str
    validation: bool


def _rows(folder: Path, name: str) -> list[_Row]:
    table, pictures = folder / f"{name}.csv", folder / name
    pickle = table.with_suffix(".pkl")
    if not table.is_file() and not pickle.is_file():
        raise TrainingError(f"Expected a landmark table {table}, found none. Check --data.")
    if not pictures.is_dir():
        raise TrainingError(f"Expected the pictures of {table} in {pictures}, found no folder.")
    entries = read_rows(table, LANDMARK_COLUMNS) if table.is_file() else _pickled(pickle)
    rows = (_row(entry, number, pictures, table) for number, entry in enumerate(entries))
    return [row for row in rows if row is not None]


def _pickled(table: Path) -> list[dict[str, str]]:
    """The rows of a pickle as those of a table: nobody has a name there."""
    columns = LANDMARK_COLUMNS[1:]
    return [
        {"path": path, **dict(zip(columns, map(repr, points), strict=True))}
        for path, points in pickled_landmarks(table).items()
    ]


def _row(entry: dict[str, str], number: int, pictures: Path, table: Path) -> _Row | None:
    """One face; None for the test split, of which nothing else is even looked at."""
    split = split_of(entry, number, table)
    if split == "test":
        return None
    identity = (entry.get("identity") or "").strip()
    person = number if not identity else sum(identity.encode())
    try:
        points = tuple(float(entry[column]) for column in LANDMARK_COLUMNS[1:])
        Landmarks.from_array(points)
    except (TypeError, ValueError, LandmarkError) as error:
        raise TrainingError(
            f"{table}, row {number + 2}: expected ten finite landmark numbers ({error})."
        ) from error
    return _Row(
        path=pictures / same_path(entry["path"]),
        points=points,
        identity=f"{table.stem}/{identity}" if identity else "",
        validation=split == "validation" if split else person % 10 == 0,
    )
