"""The same faces as other detectors see them: their landmarks, from tables or pickles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from facegauge import alignment
from facegauge.errors import TrainingError
from facegauge.tables import read_landmarks
from facegauge.train.faces import Faces
from facegauge.train.labels import known_of
from facegauge.train.pickles import is_pickle, pickled_landmarks
from facegauge.values import Landmarks

Others = tuple[tuple[Landmarks, ...], ...]
"""Of each face, its landmarks by other detectors."""
SAME_FACE = 0.5
"""Mean distance of two detectors' landmarks, in inter-eye distances, above which they are those of
two faces."""


def read_others(faces: Faces, data: Path, tables: tuple[str, ...]) -> Others:
    """The landmarks of each face by other detectors, of each table the nearest that fit.

    Raises:
        TrainingError: no such table, or one that knows none of the faces.
        TableError: a table that is not in the expected form.
    """
    columns = [_nearest(faces, data, table) for table in tables]
    return tuple(
        tuple(column[face] for column in columns if column[face] is not None)
        for face in range(len(faces))
    )


def _nearest(faces: Faces, data: Path, table: str) -> list[Landmarks | None]:
    known = known_of(faces, data, _landmarks(data / table))
    found = [_same_face(faces.points(face), several or ()) for face, several in enumerate(known)]
    if not any(found):
        raise TrainingError(
            f"Expected landmarks of the faces of the run in {data / table}, got those of none. "
            "Make them with: facegauge detect PICTURES --faces largest --out FILE. Paths are "
            "relative to the data folder, or to the pictures."
        )
    return found


def _landmarks(path: Path) -> dict[str, tuple[Landmarks, ...]]:
    if is_pickle(path):
        return {
            name: (Landmarks.from_array(points),)
            for name, points in pickled_landmarks(path).items()
        }
    table = read_landmarks(path)
    return {name: table.of(name) for name in table.first}


def _same_face(own: Landmarks, several: tuple[Landmarks, ...]) -> Landmarks | None:
    """Of another detector's faces the nearest; None where that is another face."""
    array = own.array()
    distances = [float(np.hypot(*(each.array() - array).T).mean()) for each in several]
    limit = SAME_FACE * alignment.frontal_eye_distance(own)
    if not distances or min(distances) > limit:
        return None
    return several[int(np.argmin(distances))]
