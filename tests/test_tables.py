from pathlib import Path

import numpy as np
import pytest

from facegauge.errors import TableError
from facegauge.tables import (
    LANDMARK_COLUMNS,
    read_doubts,
    read_identities,
    read_labels,
    read_landmarks,
    same_path,
)

HEADER = ",".join(LANDMARK_COLUMNS)
POINTS = "30,40,70,40,50,60,35,80,65,80"
READERS = {"landmarks": read_landmarks, "identities": read_identities, "labels": read_labels}


def csv(folder: Path, text: str | bytes) -> Path:
    table = folder / "table.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    return table


def test_landmarks_keep_points_and_the_order_of_faces(tmp_path):
    second = "31,41,71,41,51,61,36,81,66,81.5"
    table = read_landmarks(
        csv(tmp_path, f"{HEADER}\na.jpg,{POINTS}\nb.jpg,{POINTS}\na.jpg,{second}\n")
    )
    first, other = table.of("a.jpg")
    assert first.left_eye == (30, 40)
    assert first.right_mouth == (65, 80)
    assert other.right_mouth == (66, 81.5)
    assert len(table.of("b.jpg")) == 1
    assert table.of("c.jpg") == ()
    assert len(table) == 2
    assert "a.jpg" in table
    assert "c.jpg" not in table


def test_many_faces_of_one_image_stay_in_order(tmp_path):
    lines = [f"crowd.jpg,{face},40,70,40,50,60,35,80,65,80" for face in range(500)]
    table = read_landmarks(csv(tmp_path, "\n".join([HEADER, *lines])))
    assert [face.left_eye[0] for face in table.of("crowd.jpg")] == list(range(500))


def test_landmark_columns_are_found_by_name(tmp_path):
    columns = [*reversed(LANDMARK_COLUMNS), "camera"]
    values = dict(zip(LANDMARK_COLUMNS, ["a.jpg", *POINTS.split(",")], strict=True))
    line = ",".join(values.get(column, "front") for column in columns)
    (face,) = read_landmarks(csv(tmp_path, f"{','.join(columns)}\n{line}\n")).of("a.jpg")
    assert face.array().ravel().tolist() == [float(value) for value in POINTS.split(",")]


def test_a_table_without_rows_has_no_landmarks(tmp_path):
    table = read_landmarks(csv(tmp_path, HEADER + "\n"))
    assert len(table) == 0
    assert table.of("a.jpg") == ()


def test_landmarks_are_compact(tmp_path):
    table = read_landmarks(csv(tmp_path, "\n".join([HEADER] + [f"a.jpg,{POINTS}"] * 100)))
    assert table.points.nbytes + table.following.nbytes == 84 * 100
    assert table.points.dtype == np.float64


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("anna\\1.jpg", "anna/1.jpg"),
        ("anna/1.jpg", "anna\\1.jpg"),
        ("./1.jpg", "1.jpg"),
        ('"a,b.jpg"', "a,b.jpg"),
        ('"say ""cheese"".jpg"', 'say "cheese".jpg'),
        ('"two\nlines.jpg"', "two\nlines.jpg"),
        ("müller 日本.jpg", "müller 日本.jpg"),
    ],
)
def test_paths_are_compared_in_one_form(tmp_path, written, asked):
    text = f"{HEADER}\n{written},{POINTS}\n"
    assert len(read_landmarks(csv(tmp_path, text)).of(asked)) == 1
    assert read_labels(csv(tmp_path, f"path,label\n{written},1\n")) == {same_path(asked): 1.0}


def test_bytes_that_are_not_utf8_become_the_file_name_they_stand_for(tmp_path):
    labels = read_labels(csv(tmp_path, b"path,label\ncaf\xe9.jpg,2\n"))
    assert labels == {b"caf\xe9.jpg".decode("utf-8", "surrogateescape"): 2.0}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_byte_order_mark_blank_lines_and_spaces_are_tolerated(tmp_path, ending):
    text = ending.join(["\ufeffpath, identity ", "a.jpg, anna ", "", "b.jpg,bob", ""])
    assert read_identities(csv(tmp_path, text)) == {"a.jpg": "anna", "b.jpg": "bob"}


def test_the_same_value_twice_is_no_contradiction(tmp_path):
    text = "label,note,path\n1.5,x,a.jpg\n1.50,y,a.jpg\n-2e1,z,b.jpg\n"
    assert read_labels(csv(tmp_path, text)) == {"a.jpg": 1.5, "b.jpg": -20.0}


LABELS, PEOPLE = "path,label", "path,identity"


@pytest.mark.parametrize(
    ("reader", "text", "expected"),
    [
        ("labels", "", "needs the columns path,label .* an empty file"),
        ("landmarks", "", "an empty file"),
        ("labels", "path;label\na;1\n", "got 'path;label'. Add path, label, separated by commas"),
        ("labels", "path,score\na,1\n", "got 'path,score'. Add label"),
        ("labels", "path,label,label\na,1,2\n", "once"),
        ("landmarks", HEADER.replace("x_nose", "nose_x"), "Add x_nose"),
        ("identities", "identity\nanna\n", "Add path"),
        ("labels", f"{LABELS}\na,1\nb,good\n", "line 3: expected a finite number .* 'good'"),
        ("labels", f"{LABELS}\na,nan\n", "line 2: .*'nan'"),
        ("labels", f"{LABELS}\na,-inf\n", "line 2: .*'-inf'"),
        ("labels", f"{LABELS}\na,\n", "line 2: .*''"),
        ("landmarks", f"{HEADER}\na,{POINTS}\nb,x{POINTS}\n", "line 3: .*x_left_eye.*'x30'"),
        ("landmarks", f"{HEADER}\na,{POINTS[:-2]}inf\n", "line 2: .*y_right_mouth.*'inf'"),
        ("landmarks", f"{HEADER}\na,{','.join(['7'] * 10)}\n", "line 2: .*same point"),
        ("labels", f"{LABELS}\na,1\n\na,2\n", "line 4: expected one value for 'a'.*1.0.*2.0"),
        ("labels", f"{LABELS}\nb/a,1\nb\\a,2\n", "line 3: expected one value for 'b/a'"),
        ("identities", f"{PEOPLE}\na,anna\na,bob\n", "line 3: .*'anna' before and 'bob' here"),
        ("identities", f"{PEOPLE}\na, \n", "line 2: expected an identity"),
        ("labels", f"{LABELS}\n,1\n", "line 2: expected a path"),
        ("labels", f"{LABELS}\na,b.jpg,1\n", "line 2: expected 2 cells .* got 3"),
        ("labels", f"{LABELS}\na\n", "line 2: expected 2 cells .* got 1"),
        ("labels", f'{LABELS}\n"a,1\n', "not csv"),
        ("labels", f'{LABELS}\n"a"b,1\n', "line 2: .*not csv"),
        ("labels", b"\xff\xfep\x00a\x00t\x00h\x00", "Add path, label"),
    ],
)
def test_errors_name_place_and_remedy(tmp_path, reader, text, expected):
    table = csv(tmp_path, text)
    with pytest.raises(TableError, match=expected) as caught:
        READERS[reader](table)
    assert str(table) in str(caught.value)
    str(caught.value).encode()  # can be printed


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_file_or_a_folder_is_a_table_error(tmp_path, reader):
    with pytest.raises(TableError, match=r"none.csv, got: No such file.* Check the path"):
        READERS[reader](tmp_path / "none.csv")
    with pytest.raises(TableError, match="Is a directory"):
        READERS[reader](str(tmp_path))


def test_doubts_are_read_where_the_column_is(tmp_path):
    assert read_doubts(csv(tmp_path, "path,label,doubt\na.jpg,1,0.5\nb.jpg,2,0\n")) == {
        "a.jpg": 0.5,
        "b.jpg": 0.0,
    }
    assert read_doubts(csv(tmp_path, "path,label\na.jpg,1\n")) == {}
    assert read_doubts(csv(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label,doubt\na.jpg,1,-1\n", "line 2: expected a doubt of 0 or more, got '-1'"),
        ("path,label,doubt\na.jpg,1,\n", "line 2: expected a finite number for doubt"),
        ("path,label,doubt,doubt\na.jpg,1,1,1\n", "needs the columns path,doubt"),
    ],
)
def test_a_doubt_that_is_none_is_told(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        read_doubts(csv(tmp_path, text))


def test_doubts_of_an_absent_table_are_told(tmp_path):
    with pytest.raises(TableError, match=r"absent\.csv, got"):
        read_doubts(tmp_path / "absent.csv")
