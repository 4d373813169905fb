"""A score table as columns is what ``read_scores`` reads, without the objects."""

import math
import sys

import numpy as np
import pytest

from facegauge import score_columns
from facegauge.errors import MissingExtra, OptionError, TableError
from facegauge.score_columns import OUTCOMES, ScoreColumns, read_score_columns
from facegauge.score_row import SCORE_COLUMNS, ScoreRow
from facegauge.score_table import open_scores, read_scores
from facegauge.values import Outcome

SUFFIXES = (".csv", ".jsonl", ".parquet")
NAMES = ("plain.jpg", "a,b.jpg", 'say "x".jpg', "two\nlines.jpg", "back\\slash.jpg", "ü/日本.jpg")
NAMES += (b"caf\xe9\xff.jpg".decode("utf-8", "surrogateescape"),)


def table(out, rows):
    with open_scores(out, model="m-1") as target:
        for row in rows:
            target.append([row])
    return out


def rows():
    found = []
    for at, name in enumerate(NAMES):
        known = {"score": 10.5 * at, "raw": 0.1, "model": "m-1"}
        found.append(ScoreRow(path=name, face=0, outcome=Outcome.SCORED, **known))
        found.append(ScoreRow(path=f"{name}.none", face=0, outcome=OUTCOMES[1 + at % 5]))
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_columns_are_the_rows(tmp_path, suffix):
    out = table(tmp_path / f"t{suffix}", rows())
    found = read_score_columns(out)
    for at, row in enumerate(read_scores(out)):
        assert (found.paths[at], found.faces[at]) == (row.path, row.face)
        assert OUTCOMES[found.outcomes[at]] is row.outcome
        assert (None if math.isnan(found.scores[at]) else found.scores[at]) == row.score
    assert (len(found), found.models, found.plain) == (2 * len(NAMES), ("m-1",), False)
    assert found.scored.tolist() == [True, False] * len(NAMES)


def test_any_order_of_columns_a_mark_and_windows_lines(tmp_path):
    out = tmp_path / "t.csv"
    head = ["mine", *reversed(SCORE_COLUMNS)]
    cells = dict.fromkeys(head, "") | {"path": "a.jpg", "face": "0", "outcome": "scored"}
    cells |= {"score": "5", "raw": "1", "mine": "x,y"}
    line = ",".join(f'"{cells[name]}"' for name in head)
    out.write_bytes(b"\xef\xbb\xbf" + ",".join(head).encode() + b"\r\n" + line.encode())
    found = read_score_columns(out)
    assert (found.paths[0], found.scores.tolist()) == ("a.jpg", [5.0])


def test_plain_scores_of_any_method(tmp_path):
    out = tmp_path / "p.csv"
    out.write_text("score,path,more\n-3.5,a\\b.jpg,\n ,c.jpg,x\n")
    found = read_score_columns(out)
    assert (list(found.paths), found.plain) == (["a\\b.jpg", "c.jpg"], True)
    assert found.scored.tolist() == [True, False]
    assert found.scores[0] == -3.5


def test_pictures_of_several_faces(tmp_path):
    known = {"outcome": Outcome.SCORED, "score": 1, "raw": 1, "model": "m"}
    faces = [("a", 0), ("a", 1), ("b", 0), ("c", 1), ("d", 1)]
    with open_scores(tmp_path / "t.csv", model="m") as target:
        for path, face in faces:
            target.append([ScoreRow(path=path, face=face, **known)])
    found = read_score_columns(tmp_path / "t.csv")
    assert found.new_image.tolist() == [True, False, True, True, True]
    assert [found.name(row) for row in (0, 1)] == ["'a'", "'a' face 1"]


HEAD = ",".join(SCORE_COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("t.csv", "", "needs the columns path,face"),
        ("t.csv", "path,identity\na,b\n", "Add face, outcome"),
        ("t.csv", HEAD + "a,0,scored,nan,1,m,,,,,,\n", "row 1.*finite score"),
        ("t.csv", HEAD + "a,0,scored,inf,1,m,,,,,,\n", "finite score"),
        ("t.csv", HEAD + "a,0,scored,,,m,,,,,,\n", "row 1"),
        ("t.csv", HEAD + "a,0,no_face,5,,m,,,,,,\n", "exactly when it is scored"),
        ("t.csv", HEAD + "a,0,nice,5,1,m,,,,,,\n", "nice"),
        ("t.csv", HEAD + ",0,scored,5,1,m,,,,,,\n", "needs a path"),
        ("t.csv", HEAD + "a,-1,scored,5,1,m,,,,,,\n", "face >= 0"),
        ("t.csv", HEAD + "a,x,scored,5,1,m,,,,,,\n", "row 1"),
        ("t.csv", HEAD + "a,0,scored,5,1,m,,,,,,\n\n", "line 3: expected 12 cells.*got 0"),
        ("t.csv", HEAD + "a,0,sco", "line 2.*--resume"),
        ("t.csv", HEAD + 'a,0,"scored\n', "not csv"),
        ("t.csv", HEAD + 2 * "a,0,no_face,,,,,,,,,\n", "'a' in row 1 and again in row 2"),
        ("t.csv", "path,score\na,1\na,2\n", "'a' in row 1 and again in row 2"),
        ("t.csv", "path,score\na,nan\n", "path,score.*finite score"),
        ("t.jsonl", '{"path": "a"}\n', "row 1"),
        ("t.jsonl", "no json\n", "row 1"),
        ("t.parquet", "no parquet", "parquet file of scores"),
    ],
)
def test_what_is_no_score_table(tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match=f"(?s){told}"):
        read_score_columns(tmp_path / name)


def test_no_file_and_another_suffix(tmp_path):
    with pytest.raises(TableError, match="Check the path"):
        read_score_columns(tmp_path / "none.csv")
    with pytest.raises(OptionError, match="three suffixes"):
        read_score_columns(tmp_path / "t.txt")


def test_parquet_without_its_columns_or_without_pyarrow(tmp_path, monkeypatch):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"path": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="Add face"):
        read_score_columns(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra):
        read_score_columns(tmp_path / "t.parquet")


def test_equal_keys_of_different_faces_are_told_apart(monkeypatch):
    monkeypatch.setattr(score_columns, "hash", lambda key: 7, raising=False)
    assert len(ScoreColumns.of(["a", "b", "c"], [1.0, 2.0, 3.0])) == 3
    with pytest.raises(TableError, match="again in row 3"):
        ScoreColumns.of(["a", "b", "a"], [1.0, 2.0, 3.0])


def test_a_row_takes_no_python_object(tmp_path):
    found = ScoreColumns.of([f"{at:08d}" for at in range(1000)], [1.0] * 1000)
    columns = (found.faces, found.outcomes, found.scores, found.paths.ends)
    assert sum(each.nbytes for each in columns) + len(found.paths.data) == 1000 * (21 + 8)
    assert all(each.dtype != np.object_ for each in columns)
