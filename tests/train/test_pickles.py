"""AI-KD's pickles: the tables they stand for, and those that try more."""

import os
import pickle

import numpy as np
import pytest

from facegauge.errors import TrainingError
from facegauge.train.faces import read_faces
from facegauge.train.labels import doubts_of, labels_of
from facegauge.train.pickles import is_pickle, pickled_labels, pickled_landmarks
from toy_faces import read_table, write_table


@pytest.fixture
def put(tmp_path):
    def write(value, protocol=4):
        path = tmp_path / "table.pkl"
        path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value, protocol))
        return path

    return write


POINTS = np.arange(10.0).reshape(5, 2) ** 2


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_labels_of_any_kind_of_number_are_read(put, protocol):
    values = {"a/1.jpg": 0.5, "b\\2.jpg": np.float64(1.5), "c": np.float32(2), "d": np.array([3.0])}
    found = pickled_labels(put(values, protocol))
    assert found == {"a/1.jpg": 0.5, "b/2.jpg": 1.5, "c": 2.0, "d": 3.0}


@pytest.mark.parametrize("first", [None, 0.9, [1, 2, 3, 4], np.zeros(4)])
@pytest.mark.parametrize(
    "points", [POINTS, POINTS.astype(np.float32), POINTS.tolist(), POINTS.ravel()]
)
def test_landmarks_are_the_second_part(put, first, points):
    assert pickled_landmarks(put({"a.jpg": (first, points)})) == {"a.jpg": tuple(POINTS.ravel())}


class Evil:
    def __reduce__(self):
        return os.mkdir, ("made-by-a-pickle",)


def test_a_pickle_that_would_run_something_is_refused(put, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (pickled_labels, pickled_landmarks):
        with pytest.raises(
            TrainingError, match=r"got one that asks for posix\.mkdir, which was not"
        ):
            read(put({"a": Evil()}))
    assert not (tmp_path / "made-by-a-pickle").exists()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"nothing of the kind", "no such pickle"),
        (b"", "no such pickle"),
        ([1, 2], "a pickled list"),
        ({}, "a pickled dict, or an empty one"),
        ({"a": "good"}, "'a' with a str in place of numbers"),
        ({"a": float("nan")}, "'a' with the label nan"),
        ({"a": np.array([1.0, 2.0])}, "'a' with cannot reshape"),
        ({3: 1.0}, "'3' with a int in place of a name"),
        ({"a": np.array(["x"])}, "'a' with an array of U1 in place of numbers"),
    ],
)
def test_labels_in_another_form_are_told(put, value, message):
    with pytest.raises(
        TrainingError, match=f"Expected a pickled dictionary {{name: quality}}.*{message}"
    ):
        pickled_labels(put(value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": POINTS}, "in place of two parts"),
        ({"a": (None,)}, "'a' with"),
        ({"a": (None, POINTS[:4])}, "'a' with Landmarks need 5 points"),
        ({"a": (None, np.ones((5, 2)))}, "five different points"),
    ],
)
def test_landmarks_in_another_form_are_told(put, value, message):
    with pytest.raises(TrainingError, match=f"5×2 landmarks.*{message}.*write a csv"):
        pickled_landmarks(put(value))


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(TrainingError, match="got no file to read"):
        pickled_labels(tmp_path / "absent.pkl")
    assert is_pickle(tmp_path / "absent.pkl")
    assert is_pickle(tmp_path / "ABSENT.PICKLE")
    assert not is_pickle(tmp_path / "absent.csv")


def test_the_authors_tables_serve_in_the_place_of_ours(own):
    rows = read_table(own / "strangers.csv")
    columns = list(rows[0])[1:11]
    marks = {
        row["path"]: (None, np.array([float(row[c]) for c in columns]).reshape(5, 2))
        for row in rows
    }
    wanted = read_faces(own, ("strangers",))
    (own / "strangers.csv").unlink()
    (own / "strangers.pkl").write_bytes(pickle.dumps(marks))
    found = read_faces(own, ("strangers",))
    assert found.paths == wanted.paths
    np.testing.assert_array_equal(found.landmarks, wanted.landmarks)
    np.testing.assert_array_equal(found.validation, wanted.validation)
    assert "strangers" not in {p.parent.name for p in read_faces(own).paths}  # only when asked for


def test_labels_of_a_pickle_are_those_of_a_csv(own):
    faces = read_faces(own)
    names = [path.relative_to(own).as_posix() for path in faces.paths]
    values = np.random.default_rng(0).uniform(size=len(names)).astype(np.float32)
    write_table(
        own / "a.csv", [{"path": n, "label": v} for n, v in zip(names, values, strict=True)]
    )
    (own / "a.pkl").write_bytes(pickle.dumps(dict(zip(names, values, strict=True))))
    np.testing.assert_array_equal(labels_of(faces, own, "a.csv"), labels_of(faces, own, "a.pkl"))
    assert not doubts_of(faces, own, "a.pkl").any()
