"""Landmarks of the same faces by other detectors."""

import pickle

import numpy as np
import pytest

from facegauge.errors import TableError, TrainingError
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.faces import read_faces
from facegauge.train.swaps import read_others
from toy_faces import write_table


@pytest.fixture
def faces(own):
    return read_faces(own)


def table_of(faces, own, path, off=0.5, rows=None, short=False):
    (own / "swaps").mkdir(exist_ok=True)
    found = []
    for face in range(len(faces)) if rows is None else rows:
        name = faces.paths[face].relative_to(own).as_posix()
        numbers = (faces.landmarks[face] + off).ravel().tolist()
        found.append(
            {
                "path": name.split("/")[1] if short else name,
                **dict(zip(LANDMARK_COLUMNS[1:], numbers, strict=True)),
            }
        )
    write_table(own / "swaps" / path, found)
    return f"swaps/{path}"


@pytest.mark.parametrize("short", [False, True])
def test_each_face_has_the_landmarks_of_its_path(faces, own, short):
    tables = (
        table_of(faces, own, "a.csv", 0.5, short=short),
        table_of(faces, own, "b.csv", -0.5, rows=[3], short=short),
    )
    found = read_others(faces, own, tables)
    assert [len(each) for each in found] == [2 if n == 3 else 1 for n in range(len(faces))]
    for face, each in enumerate(found):
        np.testing.assert_allclose(each[0].array(), faces.landmarks[face] + 0.5)
    np.testing.assert_allclose(found[3][1].array(), faces.landmarks[3] - 0.5)


def test_without_a_table_there_are_none(faces, own):
    assert read_others(faces, own, ()) == ((),) * len(faces)


def test_another_face_is_none_and_of_several_the_nearest_counts(faces, own):
    table = table_of(faces, own, "far.csv", 40.0, rows=[0, 1])
    more = table_of(faces, own, "near.csv", 1.0, rows=[0, 2])
    both = (own / table).read_text() + "".join((own / more).read_text().splitlines(True)[1:])
    (own / table).write_text(both)
    found = read_others(faces, own, (table,))
    assert [len(each) for each in found[:4]] == [1, 0, 1, 0]
    np.testing.assert_allclose(found[0][0].array(), faces.landmarks[0] + 1)


def test_a_pickle_serves_as_well(faces, own):
    entries = {
        path.relative_to(own).as_posix(): (None, faces.landmarks[face] + 1)
        for face, path in enumerate(faces.paths)
    }
    (own / "swaps.pkl").write_bytes(pickle.dumps(entries))
    found = read_others(faces, own, ("swaps.pkl",))
    np.testing.assert_allclose(found[7][0].array(), faces.landmarks[7] + 1)


def test_a_table_of_other_pictures_is_told(faces, own):
    table = table_of(faces, own, "far.csv", 40.0)
    with pytest.raises(TrainingError, match=r"far\.csv, got those of none\. Make them with"):
        read_others(faces, own, (table,))
    with pytest.raises(TableError, match=r"absent\.csv"):
        read_others(faces, own, ("absent.csv",))
