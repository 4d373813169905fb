"""Landmark tables become faces; the test split stays unseen; wrong tables are told clearly."""

import numpy as np
import pytest

from facegauge.errors import TrainingError
from facegauge.tables import LANDMARK_COLUMNS
from facegauge.train.faces import UNKNOWN, read_faces
from toy_faces import (
    STRANGERS,
    TRAINING,
    VALIDATION,
    change_table,
    drawn,
    read_table,
    write_table,
)


def without(*columns):
    return lambda row: {key: value for key, value in row.items() if key not in columns}


def test_all_tables_of_a_folder_are_read(data):
    faces = read_faces(data)
    assert len(faces) == len(faces.paths) == TRAINING + VALIDATION + STRANGERS
    assert faces.landmarks.shape == (len(faces), 5, 2)
    known = np.array([path.parent.name == "known" for path in faces.paths])
    assert faces.validation[known].sum() == VALIDATION
    assert (~faces.validation[known]).sum() == TRAINING
    assert (faces.identities[known] != UNKNOWN).all()
    assert (faces.identities[~known] == UNKNOWN).all()
    assert len(np.unique(faces.identities[known])) == 12


def test_pictures_landmarks_and_people_belong_together(data):
    faces = read_faces(data, ("known",))
    for index in (0, 7, len(faces) - 1):
        person, number = faces.paths[index].stem.split("_")
        pixels, points = drawn(person, int(number))
        np.testing.assert_array_equal(faces.pixels(index), pixels)
        np.testing.assert_allclose(faces.points(index).array(), points, atol=0.006)
    people = [path.stem.split("_")[0] for path in faces.paths]
    pairs = set(zip(people, faces.identities.tolist(), strict=True))
    assert len(pairs) == 12


def test_rows_of_the_test_split_are_never_loaded(data):
    listed = [row["path"] for row in read_table(data / "known.csv") if row["split"] == "test"]
    assert listed
    assert not any((data / "known" / name).exists() for name in listed)
    faces = read_faces(data)
    assert not {path.name for path in faces.paths} & set(listed)
    assert all(path.is_file() for path in faces.paths)


@pytest.mark.parametrize("split", ["Test", " test", "val", "holdout"])
def test_an_unknown_split_is_refused(own, split):
    change_table(
        own / "known.csv", lambda row: {**row, "split": row["split"].replace("test", split)}
    )
    with pytest.raises(TrainingError, match="split"):
        read_faces(own)


def test_an_empty_split_is_as_no_split(own):
    change_table(own / "strangers.csv", lambda row: {**row, "split": ""})
    assert read_faces(own, ("strangers",)).validation.sum() == 2


def test_without_a_split_every_tenth_picture_of_nobody_is_for_validation(data):
    faces = read_faces(data, ("strangers",))
    assert np.flatnonzero(faces.validation).tolist() == [0, 10]


def test_without_a_split_whole_people_are_for_validation(own):
    rows = read_table(own / "known.csv")
    rows = [dict(rows[i % 6], identity=f"p{i // 6:02}") for i in range(240)]
    write_table(own / "known.csv", list(map(without("split"), rows)))
    faces = read_faces(own, ("known",))
    for person in np.unique(faces.identities):
        assert len(set(faces.validation[faces.identities == person])) == 1
    assert 0.05 < faces.validation.mean() < 0.2


def test_the_same_name_in_two_tables_is_two_people(own):
    (own / "again").symlink_to(own / "known")
    change_table(own / "known.csv", lambda row: None if row["split"] == "test" else row)
    write_table(own / "again.csv", read_table(own / "known.csv"))
    faces = read_faces(own, ("known", "again"))
    assert len(np.unique(faces.identities)) == 24


def test_extra_columns_other_csv_files_and_a_byte_order_mark_are_tolerated(own):
    change_table(own / "strangers.csv", lambda row: {"note": "x", **row})
    text = (own / "strangers.csv").read_text()
    (own / "strangers.csv").write_text(text, encoding="utf-8-sig")
    (own / "labels.csv").write_text("path,label\na.png,1\n")
    (own / "empty.csv").write_text("")
    assert len(read_faces(own)) == TRAINING + VALIDATION + STRANGERS


def test_a_folder_without_tables_is_told_what_a_table_is(tmp_path):
    with pytest.raises(TrainingError, match=r"0 and 0 from tables none.*x_left_eye"):
        read_faces(tmp_path)


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(TrainingError, match="nowhere"):
        read_faces(tmp_path / "nowhere")


def test_a_table_that_does_not_exist_is_named(data):
    with pytest.raises(TrainingError, match=r"absent\.csv"):
        read_faces(data, ("known", "absent"))


def test_a_table_without_its_pictures_is_named(own):
    (own / "strangers").rename(own / "elsewhere")
    with pytest.raises(TrainingError, match=r"strangers\.csv.*no folder"):
        read_faces(own)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_faces_are_needed_for_training_and_for_validation(own, split):
    change_table(own / "known.csv", lambda row: row if row["split"] == split else None)
    with pytest.raises(TrainingError, match="for training and for validation"):
        read_faces(own, ("known",))


def test_a_landmark_that_is_no_number_is_told_with_its_row(own):
    rows = read_table(own / "strangers.csv")
    rows[3]["x_nose"] = "middle"
    write_table(own / "strangers.csv", rows)
    with pytest.raises(TrainingError, match=r"strangers\.csv, row 5.*middle"):
        read_faces(own)


def test_a_named_table_without_landmarks_is_told(own):
    change_table(own / "strangers.csv", without("x_nose"))
    with pytest.raises(TrainingError, match="x_nose"):
        read_faces(own, ("known", "strangers"))


def test_a_line_that_is_cut_off_is_told(own):
    table = own / "strangers.csv"
    table.write_text(table.read_text().rstrip().rsplit(",", 3)[0] + "\n")
    with pytest.raises(TrainingError, match=r"strangers\.csv"):
        read_faces(own)


def test_a_named_table_without_paths_is_told(own):
    change_table(own / "strangers.csv", without("path"))
    with pytest.raises(TrainingError, match="path"):
        read_faces(own, ("known", "strangers"))


@pytest.mark.parametrize("cell", ["nan", "inf"])
def test_a_landmark_that_is_not_finite_is_told_with_its_row(own, cell):
    change_table(own / "strangers.csv", lambda row: {**row, "y_nose": cell})
    with pytest.raises(TrainingError, match=r"strangers\.csv, row 2"):
        read_faces(own)


def test_a_table_made_on_windows_fits(own):
    change_table(own / "strangers.csv", lambda row: {**row, "path": ".\\" + row["path"]})
    assert all(path.is_file() for path in read_faces(own).paths)


def test_the_columns_are_those_of_landmark_tables(data):
    assert tuple(read_table(data / "strangers.csv")[0]) == LANDMARK_COLUMNS
