import pytest

from facegauge.curation.members import read_members
from facegauge.curation.rules import Per
from facegauge.errors import InputError, TableError
from facegauge.score_columns import ScoreColumns, read_score_columns

HEAD = "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail\n"


def table(tmp_path, text):
    (tmp_path / "who.csv").write_text(text)
    return tmp_path / "who.csv"


def faces(tmp_path):
    """Two faces of a.jpg and one of b.jpg, and c.jpg without one."""
    rows = [
        "a.jpg,0,scored,1,1,m",
        "a.jpg,1,scored,2,1,m",
        "b.jpg,0,scored,3,1,m",
        "c.jpg,0,no_face,,,",
    ]
    (tmp_path / "s.csv").write_text(HEAD + "".join(f"{row},,,,,,\n" for row in rows))
    return read_score_columns(tmp_path / "s.csv")


def test_pictures_have_the_number_of_their_group(tmp_path):
    who = read_members(
        table(tmp_path, "identity,path\nann,./b\\1.jpg\nbob,c.jpg\nann,a\n"), "identity"
    )
    columns = ScoreColumns.of(["a", "b/1.jpg", "c.jpg", "d"], [1.0, 2.0, 3.0, None])
    assert who.of(columns).tolist() == [0, 0, 1, -1]


def test_faces_have_tracks_of_their_own(tmp_path):
    text = "path,face,track\na.jpg,0,t1\na.jpg,1,t2\nb.jpg,0,t2\nb.jpg,5,t1\n"
    assert read_members(table(tmp_path, text), Per.TRACK).of(faces(tmp_path)).tolist() == [
        0,
        1,
        1,
        -1,
    ]


def test_a_table_of_pictures_does_not_say_whose_two_faces_are(tmp_path):
    who = read_members(table(tmp_path, "path,identity\na.jpg,x\nb.jpg,y\n"), Per.IDENTITY)
    with pytest.raises(InputError, match=r"2 faces of 'a.jpg'.*column face"):
        who.of(faces(tmp_path))
    other = read_members(table(tmp_path, "path,identity\nb.jpg,y\n"), Per.IDENTITY)
    assert other.of(faces(tmp_path)).tolist() == [-1, -1, 0, -1]


def test_a_table_that_fits_no_picture_is_an_error(tmp_path):
    who = read_members(table(tmp_path, "path,identity\nphotos/a.jpg,x\n"), Per.IDENTITY)
    with pytest.raises(InputError, match=r"has 'photos/a.jpg', they are called 'a.jpg'"):
        who.of(ScoreColumns.of(["a.jpg"], [1.0]))
    empty = read_members(table(tmp_path, "path,track\n"), Per.TRACK)
    with pytest.raises(InputError, match="has 'nothing'"):
        empty.of(ScoreColumns.of(["a.jpg"], [1.0]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,name\na,b\n", "Add identity"),
        ("path,identity\na, \n", "an identity"),
        ("path,identity\na,x\na,y\n", "'x' before and 'y' here"),
        ("path,face,identity\na,0,x\n./a,0,y\n", "line 3"),
        ("path,face,identity\na,first,x\n", "number of a face"),
        ("path,identity\n,x\n", "a path"),
        ("path,identity\na\n", "2 cells"),
    ],
)
def test_what_is_no_table_of_groups(tmp_path, text, told):
    with pytest.raises(TableError, match=told):
        read_members(table(tmp_path, text), Per.IDENTITY)


def test_no_file(tmp_path):
    with pytest.raises(TableError, match="Check the path"):
        read_members(tmp_path / "none.csv", Per.TRACK)


def test_the_same_row_twice_is_one(tmp_path):
    who = read_members(table(tmp_path, "path,identity\na,x\na,x\n"), Per.IDENTITY)
    assert who.numbers == {"a": 0}
