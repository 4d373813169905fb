"""Chosen rows are copied as they are, in every format, and the result is a score table."""

import json
from dataclasses import replace
from itertools import compress

import numpy as np
import pytest

from facegauge.curation.excerpt import write_excerpt
from facegauge.errors import OptionError, TableError
from facegauge.score_cells import Further
from facegauge.score_columns import read_score_columns
from facegauge.score_parquet import read_notes, write_parquet
from facegauge.score_row import ScoreRow
from facegauge.score_table import open_scores, read_scores
from facegauge.values import Measure, Outcome

SUFFIXES = (".csv", ".jsonl", ".parquet")
NAMES = ("a.jpg", "b,b.jpg", 'c"c.jpg', "d\nd.jpg", "e\\e.jpg", "f\udce9.jpg")
MEASURE = Measure(name="noise", score=12.5, value=30, unit="grey levels", advice="grainy")


def scored(path: str, face: int) -> ScoreRow:
    return ScoreRow(
        path=path,
        face=face,
        outcome=Outcome.SCORED,
        score=10 * face + 1,
        raw=0.25,
        model="m-1",
        detail="x, y",
    )


@pytest.fixture(params=SUFFIXES)
def table(tmp_path, request):
    """Three faces of each picture, in each format."""
    out = tmp_path / f"t{request.param}"
    with open_scores(out, model="m-1") as target:
        for name in NAMES:
            target.append([scored(name, face) for face in range(3)])
    return read_score_columns(out)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_of_parts_is_one_table(tmp_path, suffix):
    folder, whole = tmp_path / "parts", tmp_path / "whole.parquet"
    folder.mkdir()
    rows = [scored(name, face) for name in NAMES for face in range(3)]
    for number, part in enumerate((rows[:9], rows[9:12], rows[12:])):
        write_parquet(folder / f"part-{number:08}.parquet", iter(part), {"part": str(number)})
    (folder / "run.json").write_text("{}")
    write_parquet(whole, iter(rows), {})
    kept = chosen(len(rows), 1)
    outs = []
    for name, table in (("parts", folder), ("whole", whole)):
        outs.append(tmp_path / f"{name}-out{suffix}")
        write_excerpt(read_score_columns(table), kept, outs[-1])
    assert list(read_scores(outs[0])) == list(read_scores(outs[1])) == list(compress(rows, kept))
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_notes_of_a_file_stay_and_those_of_a_part_do_not(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    part = folder / "part-00000000.parquet"
    write_parquet(part, iter([scored("a.jpg", 0)]), {"mine": "1"})
    for table, notes in ((part, {"mine": "1"}), (folder, {})):
        out = tmp_path / f"{table.name}-out.parquet"
        write_excerpt(read_score_columns(table), np.ones(1, dtype=np.bool_), out)
        assert read_notes(out) == notes


def test_a_part_that_came_meanwhile_is_noticed(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    write_parquet(folder / "part-00000000.parquet", iter([scored("a.jpg", 0)]), {})
    columns = read_score_columns(folder)
    write_parquet(folder / "part-00000001.parquet", iter([scored("b.jpg", 0)]), {})
    with pytest.raises(TableError, match="Expected 1 rows in .*parts as when"):
        write_excerpt(columns, np.ones(1, dtype=np.bool_), tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def chosen(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(count) < 0.5


@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_is_what_a_table_of_those_rows_would_be(table, tmp_path, seed):
    """To the byte, and so also the mark that another face of the picture follows."""
    kept = chosen(len(table), seed)
    out, wanted = (tmp_path / f"{name}{table.table.suffix}" for name in ("out", "wanted"))
    write_excerpt(table, kept, out)
    rows = [row for row, keep in zip(read_scores(table.table), kept, strict=True) if keep]
    assert list(read_scores(out)) == rows
    with open_scores(wanted, model="m-1") as target:
        for name in NAMES:
            if own := [row for row in rows if row.path == name]:
                target.append(own)
    if out.suffix != ".parquet":
        assert out.read_bytes() == wanted.read_bytes()


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("seed", [0, 1])
def test_another_suffix_converts(table, tmp_path, target, seed):
    kept = chosen(len(table), seed)
    write_excerpt(table, kept, tmp_path / f"out{target}")
    rows = [row for row, keep in zip(read_scores(table.table), kept, strict=True) if keep]
    assert list(read_scores(tmp_path / f"out{target}")) == rows
    assert {path.name for path in tmp_path.iterdir()} == {table.table.name, f"out{target}"}


def test_none_and_all(table, tmp_path):
    for name, kept in (("none", np.zeros(18, bool)), ("all", np.ones(18, bool))):
        out = tmp_path / f"{name}{table.table.suffix}"
        write_excerpt(table, kept, out)
        assert len(read_score_columns(out)) == kept.sum()
    if out.suffix != ".parquet":
        assert out.read_bytes() == table.table.read_bytes()


def test_an_empty_selection_of_each_format_converts(table, tmp_path):
    for suffix in SUFFIXES:
        write_excerpt(table, np.zeros(18, bool), tmp_path / f"none{suffix}")
        assert len(read_score_columns(tmp_path / f"none{suffix}")) == 0


def test_columns_of_ones_own_and_measures_stay(tmp_path):
    head = "mine,path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail"
    lines = ["1,a.jpg,0,scored,50,1,m,,,,,,", '"2,3",b.jpg,0,scored,60.50,1,m,,,,,,']
    (tmp_path / "t.csv").write_text("\r\n".join([head, *lines]))
    write_excerpt(
        read_score_columns(tmp_path / "t.csv"), np.array([False, True]), tmp_path / "o.csv"
    )
    assert (tmp_path / "o.csv").read_bytes() == f"{head}\r\n{lines[1]}\n".encode()
    row = ScoreRow(
        path="a", face=0, outcome=Outcome.SCORED, score=1, raw=1, model="m", measures=(MEASURE,)
    )
    with open_scores(tmp_path / "t.jsonl", model="m") as target:
        target.append([row])
    write_excerpt(read_score_columns(tmp_path / "t.jsonl"), np.array([True]), tmp_path / "o.jsonl")
    assert json.loads((tmp_path / "o.jsonl").read_text())["measures"] == [MEASURE.to_dict()]


def test_parquet_of_many_row_groups(tmp_path, monkeypatch):
    from facegauge.curation import excerpt

    monkeypatch.setattr(excerpt, "ROW_GROUP", 7)
    with open_scores(tmp_path / "t.parquet", model="m-1") as target:
        for at in range(100):
            target.append([scored(f"{at}.jpg", 0)])
    table = read_score_columns(tmp_path / "t.parquet")
    kept = chosen(100, 3)
    write_excerpt(table, kept, tmp_path / "o.parquet")
    names = [f"{at}.jpg" for at in np.flatnonzero(kept)]
    assert list(read_score_columns(tmp_path / "o.parquet").paths) == names


def test_a_table_that_changed_meanwhile(table, tmp_path):
    other = tmp_path / f"other{table.table.suffix}"
    write_excerpt(table, chosen(18, 0), other)
    table.table.unlink()
    other.rename(table.table)
    with pytest.raises(TableError, match="Expected 18 rows"):
        write_excerpt(table, np.ones(18, bool), tmp_path / f"o{table.table.suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [table.table.name]


def test_nothing_is_overwritten_and_no_rest_is_left(table, tmp_path):
    kept = np.ones(18, bool)
    with pytest.raises(OptionError, match="exists already"):
        write_excerpt(table, kept, table.table)
    with pytest.raises(OptionError, match="three suffixes"):
        write_excerpt(table, kept, tmp_path / "o.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="place to write"):
        write_excerpt(table, kept, tmp_path / "file" / "o.csv")
    (tmp_path / "plain.csv").write_text("path,score\na,1\n")
    plain = read_score_columns(tmp_path / "plain.csv")
    with pytest.raises(OptionError, match="Plain scores"):
        write_excerpt(plain, np.ones(1, bool), tmp_path / "o.jsonl")
    assert {path.name for path in tmp_path.iterdir()} == {table.table.name, "file", "plain.csv"}


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    from facegauge.curation import excerpt

    with open_scores(tmp_path / "t.csv", model="m-1") as target:
        target.append([scored("a.jpg", 0)])
    table = read_score_columns(tmp_path / "t.csv")

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(excerpt, "compress", full)
    for suffix in (".jsonl", ".parquet"):
        with pytest.raises(OptionError, match="No space left"):
            write_excerpt(table, np.ones(1, bool), tmp_path / f"o{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_scores_of_several_models_keep_their_columns(tmp_path):
    further = (Further(model="n-2", score=70.0, raw=0.7),)
    rows = [replace(scored("a.jpg", face), further=further) for face in range(2)]
    with open_scores(tmp_path / "t.csv", model="m-1", further=["n-2"]) as target:
        target.append(rows)
    table = read_score_columns(tmp_path / "t.csv")
    for suffix in SUFFIXES:
        write_excerpt(table, np.array([True, False]), tmp_path / f"o{suffix}")
        assert list(read_scores(tmp_path / f"o{suffix}")) == rows[:1]
    assert b'"scored"' in (tmp_path / "t.csv").read_bytes()
    assert b'"scored"' not in (tmp_path / "o.csv").read_bytes()
