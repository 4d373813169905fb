"""Labels of faces: a table ``path,label`` beside the faces of a data folder.

A third column, ``doubt``, may say how uncertain a label is. A pickle of AI-KD's authors serves as
well (see ``pickles``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from facegauge.errors import TrainingError
from facegauge.tables import read_doubts, read_labels
from facegauge.train.faces import Faces
from facegauge.train.pickles import is_pickle, pickled_labels

Value = TypeVar("Value")

FEWEST = 2
"""Labelled faces for training and for validation, of different labels, below which none learns."""


def labels_of(faces: Faces, data: Path, table: str) -> npt.NDArray[np.float32]:
    """The label of each face, N; nan where the table has none.

    Paths of the table are those that ``known_of`` looks up.

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
    known = pickled_labels(path) if is_pickle(path) else read_labels(path)
    labels = _numbers(known_of(faces, data, known), missing=np.nan)
    _require(faces, labels, path)
    return labels


def doubts_of(faces: Faces, data: Path, table: str) -> npt.NDArray[np.float32]:
    """How uncertain the label of each face is, N, in its unit; 0 where nothing is said.

    Raises:
        TableError: a table that is not in the expected form.
    """
    path = data / table
    known = {} if is_pickle(path) else read_doubts(path)
    return _numbers(known_of(faces, data, known), missing=0.0)


def known_of(faces: Faces, data: Path, known: Mapping[str, Value]) -> list[Value | None]:
    """What is known of each of N faces by path; None where nothing is.

    A path begins with the folder of the pictures (``known/1.jpg``); it may also be relative to that
    (``1.jpg``) where no two faces of the run share such a path.
    """
    names = [each.relative_to(data).as_posix() for each in faces.paths]
    short = [name.partition("/")[2] for name in names]
    alone = max(Counter(short).values(), default=0) <= 1
    return [
        known.get(name, known.get(end) if alone else None)
        for name, end in zip(names, short, strict=True)
    ]


def _numbers(found: list[float | None], missing: float) -> npt.NDArray[np.float32]:
    return np.array([missing if each is None else each for each in found], dtype=np.float32)


def _require(faces: Faces, labels: npt.NDArray[np.float32], path: Path) -> None:
    parts = (labels[~faces.validation], labels[faces.validation])
    counts = [int(np.isfinite(part).sum()) for part in parts]
    if min(counts) < FEWEST or any(np.nanmin(part) == np.nanmax(part) for part in parts):
        raise TrainingError(
            f"Expected {FEWEST} or more faces with different labels for training and for "
            f"validation, got {counts[0]} and {counts[1]} labelled ones from {path}. Paths are "
            "relative to the data folder, or to the pictures where those of all tables differ."
        )
