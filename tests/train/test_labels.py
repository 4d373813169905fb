"""Labels of faces from a table beside them."""

import numpy as np
import pytest

from facegauge.errors import TableError, TrainingError
from facegauge.train.faces import read_faces
from facegauge.train.labels import doubts_of, labels_of
from toy_faces import change_table, read_table, write_table


def rows_of(faces, data, start=0):
    names = [path.relative_to(data).as_posix() for path in faces.paths]
    return [{"path": name, "label": n + start} for n, name in enumerate(names)]


def test_each_face_has_the_label_of_its_path(own):
    faces = read_faces(own)
    rows = rows_of(faces, own)
    write_table(own / "labels.csv", [*rows[::-1][1:], {"path": "known/absent.png", "label": 99}])
    found = labels_of(faces, own, "labels.csv")
    np.testing.assert_array_equal(found[:-1], np.arange(len(faces) - 1))
    assert np.isnan(found[-1])


def test_paths_may_be_relative_to_the_pictures_of_the_only_table(own):
    faces = read_faces(own, ("known",))
    rows = [{**row, "path": row["path"].split("/")[1]} for row in rows_of(faces, own)]
    write_table(own / "labels.csv", rows)
    np.testing.assert_array_equal(labels_of(faces, own, "labels.csv"), np.arange(len(faces)))
    both = read_faces(own)  # no picture of one table is called as one of the other
    found = labels_of(both, own, "labels.csv")
    known = np.array([path.parent.name == "known" for path in both.paths])
    np.testing.assert_array_equal(found[known], np.arange(len(faces)))
    assert np.isnan(found[~known]).all()


def test_paths_that_two_tables_share_must_be_whole(own):
    stranger = read_table(own / "strangers.csv")[0]
    known = read_table(own / "known.csv")[0]["path"]
    (own / "strangers" / stranger["path"]).rename(own / "strangers" / known)
    change_table(own / "strangers.csv", lambda r: {**r, "path": known} if r == stranger else r)
    faces = read_faces(own)
    rows = [{**row, "path": row["path"].split("/")[1]} for row in rows_of(faces, own)]
    write_table(own / "labels.csv", rows[: -len(read_table(own / "strangers.csv"))])
    with pytest.raises(TrainingError, match="got 0 and 0 labelled ones"):
        labels_of(faces, own, "labels.csv")


def test_doubts_are_read_where_there_are_some(own):
    faces = read_faces(own)
    rows = rows_of(faces, own)
    write_table(own / "labels.csv", rows)
    assert not doubts_of(faces, own, "labels.csv").any()
    write_table(own / "labels.csv", [{**row, "doubt": row["label"] / 2} for row in rows[:-1]])
    wanted = [*np.arange(len(faces) - 1) / 2, 0]
    np.testing.assert_array_equal(doubts_of(faces, own, "labels.csv"), wanted)
    np.testing.assert_array_equal(
        labels_of(faces, own, "labels.csv")[:-1], np.arange(len(faces) - 1)
    )


def test_no_table_of_labels_is_told(own):
    with pytest.raises(TrainingError, match="found no file. Make them with: facegauge label"):
        labels_of(read_faces(own), own, "labels.csv")


def test_labels_that_teach_nothing_are_told(own):
    faces = read_faces(own)
    write_table(own / "labels.csv", rows_of(faces, own))
    change_table(own / "labels.csv", lambda row: {**row, "label": 1})
    with pytest.raises(TrainingError, match="Expected 2 or more faces with different labels"):
        labels_of(faces, own, "labels.csv")
    held = {path.name for path, out in zip(faces.paths, faces.validation, strict=True) if out}
    write_table(own / "labels.csv", rows_of(faces, own))
    change_table(own / "labels.csv", lambda r: None if r["path"].split("/")[1] in held else r)
    with pytest.raises(TrainingError, match="and 0 labelled ones"):
        labels_of(faces, own, "labels.csv")


def test_a_label_that_is_no_number_is_told(own):
    write_table(own / "labels.csv", [{"path": "known/a.png", "label": "good"}])
    with pytest.raises(TableError):
        labels_of(read_faces(own), own, "labels.csv")
