"""Labels of faces: a table ``path,label`` beside the faces of a data folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from facegauge.errors import TrainingError
from facegauge.tables import read_labels
from facegauge.train.faces import Faces

FEWEST = 2
"""Labelled faces for training and for validation, of different labels, below which none learns."""


def labels_of(faces: Faces, data: Path, table: str) -> npt.NDArray[np.float32]:
    """The label of each face, N; nan where the table has none.

    A path of the table begins with the folder of the pictures (``known/1.jpg``); where all faces
    are of one folder, it may also be relative to that (``1.jpg``).

    Raises:
        TrainingError: no such table, or too few labelled faces for training or validation.
        TableError: a table that is not in the expected form.
    """
    path = data / table
    if not path.is_file():
        raise TrainingError(
            f"Expected labels in {path}, found no file. Make them with: facegauge label TECHNIQUE "
            f"--images DIR --out {path}"
        )
    known = read_labels(path)
    names = [each.relative_to(data).as_posix() for each in faces.paths]
    alone = len({name.split("/")[0] for name in names}) == 1
    found = [
        known.get(name, known.get(name.partition("/")[2]) if alone else None) for name in names
    ]
    labels = np.array([np.nan if each is None else each for each in found], dtype=np.float32)
    _require(faces, labels, path)
    return labels


def _require(faces: Faces, labels: npt.NDArray[np.float32], path: Path) -> None:
    parts = (labels[~faces.validation], labels[faces.validation])
    counts = [int(np.isfinite(part).sum()) for part in parts]
    if min(counts) < FEWEST or any(np.nanmin(part) == np.nanmax(part) for part in parts):
        raise TrainingError(
            f"Expected {FEWEST} or more faces with different labels for training and for "
            f"validation, got {counts[0]} and {counts[1]} labelled ones from {path}. Paths are "
            "relative to the data folder, or to the pictures of the only table."
        )
