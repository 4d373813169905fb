import builtins
import csv
import dataclasses
import errno
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from facegauge import score_parquet, score_table
from facegauge.errors import InputError, MissingExtra, OptionError, TableError, UnwritablePlace
from facegauge.score_row import SCORE_COLUMNS, ScoreRow, escaped, one_line, unescaped
from facegauge.score_table import ScoreTable, open_scores, read_scores
from facegauge.values import Assessment, Box, Face, Measure, Outcome

SUFFIXES = (".csv", ".jsonl", ".parquet")
NOT_UTF8 = b"caf\xe9\xff.jpg".decode("utf-8", "surrogateescape")
NAMES = (
    *("plain.jpg", "a,b.jpg", 'say "x".jpg', '"', "two\nlines.jpg", "mac\rreturn.jpg"),
    *("back\\slash.jpg", "not a\\nbreak.jpg", "\\", "\\\\n", " spaces ", "müller/日本 😀.jpg"),
    *(NOT_UTF8, "\\xe9.jpg", "u2028\u2028x85\x85.jpg", "tab\t.jpg", "=1+1.jpg", "\udce9\\\n,"),
)


def scored(path: str, face: int = 0, **changes: object) -> ScoreRow:
    row = ScoreRow(path=path, face=face, outcome=Outcome.SCORED, score=50, raw=0.5, model="m-1")
    return dataclasses.replace(row, **changes)


def write(out: Path, *images: list[ScoreRow], resume: bool = False) -> None:
    with open_scores(out, model="m-1", resume=resume) as table:
        for rows in images:
            if not table.done(rows[0].path):
                table.append(rows)


def test_a_row_is_made_from_an_assessment():
    face = Face(box=Box(x0=1.234, y0=-0.001, x1=30, y1=40.999), confidence=0.98765)
    row = ScoreRow.from_assessment(
        "a.jpg",
        2,
        Assessment(outcome=Outcome.SCORED, score=71.23456, raw=-1.23456789, face=face, model="m-1"),
    )
    assert list(row.to_dict()) == list(SCORE_COLUMNS)
    assert list(row.to_dict().values()) == (
        ["a.jpg", 2, "scored", 71.2346, -1.234568, "m-1", 1.23, 0.0, 30.0, 41.0, 0.988, ""]
    )


def test_numbers_are_printed_with_fixed_digits_and_nothing_is_an_empty_cell(tmp_path):
    out = tmp_path / "t.csv"
    rows = [
        [scored("a.jpg", x0=-0.001, y0=1, x1=2.345, y1=1e6, confidence=1)],
        [ScoreRow(path="b.jpg", face=0, outcome=Outcome.UNREADABLE, detail="not,\nan image")],
    ]
    write(out, *rows)
    assert out.read_text().splitlines() == [
        "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail",
        "a.jpg,0,scored,50.0000,0.500000,m-1,0.00,1.00,2.35,1000000.00,1.000,",
        'b.jpg,0,unreadable,,,,,,,,,"not, an image"',
    ]


def test_jsonl_has_null_for_what_is_unknown(tmp_path):
    out = tmp_path / "t.jsonl"
    write(out, [ScoreRow(path="b.jpg", face=0, outcome=Outcome.NO_FACE)])
    record = json.loads(out.read_text())
    assert record == dict.fromkeys(SCORE_COLUMNS) | {
        "path": "b.jpg", "face": 0, "outcome": "no_face", "model": "", "detail": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"path": ""},
        {"face": -1},
        {"outcome": "fine"},
        {"score": None},
        {"raw": None},
        {"raw": float("nan")},
        {"x0": float("inf")},
        {"outcome": Outcome.NO_FACE},
    ],
)
def test_a_wrong_row_never_exists(values):
    with pytest.raises((InputError, ValueError)):
        dataclasses.replace(scored("a.jpg"), **values)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_any_file_name_and_every_value_comes_back(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    rows = [[scored(name, face, x0=face / 3) for face in range(2)] for name in NAMES]
    write(out, *rows)
    assert [row.path for row in read_scores(out)] == [name for name in NAMES for _ in range(2)]
    assert list(read_scores(out)) == [row for image in rows for row in image]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_one_record_is_one_line(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out, *[[scored(name, detail=f"\n{name}\r\n")] for name in NAMES])
    data = out.read_bytes()
    assert data.count(b"\n") == len(NAMES) + (suffix == ".csv")
    assert b"\r" not in data


def test_other_readers_understand_the_tables(tmp_path):
    rows = [[scored(name), scored(name, 1)] for name in NAMES]
    for suffix in SUFFIXES:
        write(tmp_path / f"t{suffix}", *rows)
    with (tmp_path / "t.csv").open(errors="surrogateescape", newline="") as handle:
        records = list(csv.DictReader(handle))
    assert [unescaped(record["path"]) for record in records[::2]] == list(NAMES)
    assert {record["outcome"] for record in records} == {"scored"}
    text = (tmp_path / "t.jsonl").read_text(encoding="utf-8")
    paths = [json.loads(line)["path"] for line in text.split("\n")[:-1:2]]
    assert paths == list(NAMES)
    arrow = score_parquet.load_pyarrow("this test")
    table = arrow.parquet.read_table(tmp_path / "t.parquet")
    assert table.column_names == list(SCORE_COLUMNS)
    assert b"caf\\xe9\\xff.jpg" in {path.encode() for path in table["path"].to_pylist()}


@pytest.mark.parametrize("name", NAMES)
def test_escaping_is_one_line_and_loses_nothing(name):
    assert not {"\n", "\r"} & set(escaped(name))
    assert unescaped(escaped(name)) == name


def test_details_are_one_printable_line():
    assert one_line(f" a\x00b\u2028c  d\n\n{NOT_UTF8} ") == "a b c d caf\\udce9\\udcff.jpg"
    assert len(one_line("x" * 5000)) == 1000


def test_rows_are_on_disk_as_soon_as_they_are_appended(tmp_path):
    with open_scores(tmp_path / "t.csv", model="m-1") as table:
        for count in range(3):
            table.append([scored(f"{count}.jpg")])
            assert len(list(read_scores(tmp_path / "t.csv"))) == count + 1


def test_all_rows_of_an_image_are_one_write(tmp_path):
    sizes = []

    class Watched:
        def write(self, data: memoryview) -> int:
            sizes.append(len(data))
            return len(data)

        def close(self) -> None:
            pass

    with open_scores(tmp_path / "t.csv", model="m-1") as table:
        table._file.close()
        table._file = Watched()
        table.append([scored("a.jpg", face) for face in range(100)])
    assert len(sizes) == 1


def test_a_short_write_is_continued(tmp_path):
    out = tmp_path / "t.jsonl"
    with open_scores(out, model="m-1") as table:
        file = table._file

        class Short:
            def write(self, data: memoryview) -> int:
                return file.write(data[:7])

            def close(self) -> None:
                file.close()

        table._file = Short()
        table.append([scored("a.jpg")])
    assert list(read_scores(out)) == [scored("a.jpg")]


IMAGES = (
    [scored("a.jpg")],
    [scored(NOT_UTF8, face) for face in range(3)],
    [ScoreRow(path="c,\n.jpg", face=0, outcome=Outcome.NO_FACE)],
    [scored("d.jpg", face, detail='so, "so"') for face in range(2)],
)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_cut_at_any_byte_a_resumed_table_is_the_same(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out, *IMAGES)
    whole = out.read_bytes()
    grown, lines = out, whole
    if suffix == ".parquet":
        write(tmp_path / "t.jsonl", *IMAGES)
        lines, grown = (tmp_path / "t.jsonl").read_bytes(), tmp_path / "t.parquet.partial.jsonl"
    for length in range(len(lines) + 1):
        out.unlink()
        grown.write_bytes(lines[:length])
        write(out, *IMAGES, resume=True)
        assert out.read_bytes() == whole, length
    assert {path.name for path in tmp_path.iterdir()} <= {out.name, "t.jsonl"}


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_only_an_image_with_missing_rows_is_scored_again(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out, *IMAGES)
    lines = out.read_bytes().splitlines(keepends=True)
    header = len(lines) - 7
    done_after = [0, 1, 1, 1, 2, 3, 3, 4]  # complete images after so many rows
    for rows, expected in enumerate(done_after):
        out.write_bytes(b"".join(lines[: header + rows]) + b"".join(lines[header + rows :])[:9])
        with open_scores(out, model="m-1", resume=True) as table:
            assert [table.done(image[0].path) for image in IMAGES] == [
                place < expected for place in range(4)
            ]
        assert len(list(read_scores(out))) == [0, 1, 4, 5, 7][expected]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_complete_table_is_left_as_it_is(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out, *IMAGES)
    before = out.read_bytes()
    with open_scores(out, model="m-1", resume=True) as table:
        assert all(table.done(image[0].path) for image in IMAGES)
        assert not table.done("new.jpg")
    assert out.read_bytes() == before
    write(out, *IMAGES, [scored("new.jpg")], resume=True)
    assert [row.path for row in read_scores(out)][-1] == "new.jpg"
    assert len(list(read_scores(out))) == 8
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_resume_without_a_table_starts_one_in_a_new_folder(tmp_path, suffix):
    out = tmp_path / "new" / "folder" / f"t{suffix.upper()}"
    write(out, *IMAGES, resume=True)
    assert len(list(read_scores(out))) == 7


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_without_images_can_be_read(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out)
    assert list(read_scores(out)) == []
    write(out, IMAGES[0], resume=True)
    assert list(read_scores(out)) == IMAGES[0]


HEADER = ",".join(SCORE_COLUMNS)
LINE = "a.jpg,0,scored,50.0000,0.500000,m-1,,,,,,"


@pytest.mark.parametrize(
    ("name", "text", "error", "expected"),
    [
        ("t.csv", "path,label\na,1\n", TableError, r"first line path,face.*'path,label'"),
        ("t.csv", "pat\n", TableError, "another --out"),
        ("t.csv", f"{HEADER}\r\n{LINE}\r\n", TableError, "first line"),
        ("t.csv", f"{HEADER}\n{LINE}\nnonsense\n{LINE}\n", TableError, "line 3: .*'nonsense"),
        ("t.csv", f"{HEADER}\n{LINE.replace('scored', 'good')}\n", TableError, "line 2"),
        ("t.csv", f"{HEADER}\n{LINE.replace('50.0000', 'x')}\n", TableError, "line 2"),
        ("t.csv", f'{HEADER}\n"{LINE}\n', TableError, "line 2"),
        ("t.csv", f"{HEADER}\n{LINE}\nx{LINE.replace('m-1', 'm-2')}\n", OptionError, "'m-2'"),
        ("t.jsonl", "[]\n", TableError, "line 1"),
        ("t.jsonl", '{"path": "a.jpg"}\n', TableError, "line 1"),
        ("t.jsonl", "a diary without line break", TableError, "beginning of a row"),
        ("t.jsonl", "5", TableError, "beginning of a row"),
        ("t.parquet", "no parquet", TableError, "to be a parquet file of scores"),
        ("t.parquet", "", TableError, "to be a parquet file of scores"),
    ],
)
def test_a_file_that_cannot_be_continued_stays_as_it_is(tmp_path, name, text, error, expected):
    out = tmp_path / name
    out.write_bytes(text.encode())
    with pytest.raises(error, match=expected):
        open_scores(out, model="m-1", resume=True)
    assert out.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_by_another_model_are_not_continued(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    write(out, *IMAGES)
    before = out.read_bytes()
    with pytest.raises(OptionError, match=r"'m-1'.*'m-2'.* same --model"):
        open_scores(out, model="m-2", resume=True)
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_exists_is_not_overwritten(tmp_path, suffix):
    out = tmp_path / f"t{suffix}"
    out.write_text("precious")
    with pytest.raises(OptionError, match=r"exists; pass --resume to continue it, or another"):
        open_scores(out, model="m-1")
    assert out.read_text() == "precious"


def test_an_interrupted_parquet_is_not_begun_anew(tmp_path):
    (tmp_path / "t.parquet.partial.jsonl").write_text("")
    with pytest.raises(OptionError, match="--resume"):
        open_scores(tmp_path / "t.parquet", model="m-1")


@pytest.mark.parametrize("name", ["t.txt", "t", "t.csv.gz", ".csv/t.tsv"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(OptionError, match=r"\.csv, \.jsonl or \.parquet"):
        open_scores(tmp_path / name, model="m-1")
    with pytest.raises(OptionError, match=r"\.csv, \.jsonl or \.parquet"):
        read_scores(tmp_path / name)


def test_a_place_that_cannot_be_written_is_an_option_error(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.csv").mkdir()
    for out, resume in [("file/t.csv", False), ("file/t.parquet", True), ("folder.csv", True)]:
        with pytest.raises(OptionError, match="another --out"):
            open_scores(tmp_path / out, model="m-1", resume=resume)


def test_parquet_without_pyarrow_fails_before_any_work(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"writing .parquet needs pyarrow.*facegauge\[scale\]"):
        open_scores(tmp_path / "new" / "t.parquet", model="m-1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("t.csv", "", "needs the columns"),
        ("t.csv", "path,score\na,1\n", "Add face"),
        ("t.csv", f"{HEADER}\n{LINE}\n{LINE[:20]}", "line 3: .*--resume"),
        ("t.jsonl", "{}\n", "line 1"),
        ("t.parquet", "x", "parquet"),
    ],
)
def test_reading_something_else_is_a_table_error(tmp_path, name, text, expected):
    (tmp_path / name).write_text(text)
    with pytest.raises(TableError, match=expected):
        list(read_scores(tmp_path / name))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_reading_a_missing_table_is_a_table_error(tmp_path, suffix):
    with pytest.raises(TableError, match="No such file"):
        list(read_scores(tmp_path / f"t{suffix}"))


def test_parquet_with_other_columns_is_refused(tmp_path):
    arrow = score_parquet.load_pyarrow("this test")
    arrow.parquet.write_table(arrow.table({"path": ["a"]}), tmp_path / "t.parquet")
    with pytest.raises(TableError, match="Add face"):
        list(read_scores(tmp_path / "t.parquet"))


def test_a_csv_saved_by_a_spreadsheet_can_be_read(tmp_path):
    columns = ",".join(["note", *reversed(SCORE_COLUMNS)])
    line = ",".join(["mine", *reversed(LINE.split(","))])
    (tmp_path / "t.csv").write_bytes(f"\ufeff{columns}\r\n{line}\r\n".encode())
    assert list(read_scores(tmp_path / "t.csv")) == [scored("a.jpg")]


def test_parquet_of_several_row_groups_is_the_same_after_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(score_parquet, "ROW_GROUP", 4)
    images = [[scored(f"{count}.jpg", face) for face in range(3)] for count in range(9)]
    write(tmp_path / "whole.parquet", *images)
    write(tmp_path / "t.parquet", *images[:5])
    write(tmp_path / "t.parquet", *images, resume=True)
    assert (tmp_path / "t.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert list(read_scores(tmp_path / "t.parquet")) == [row for rows in images for row in rows]


def test_what_is_done_takes_8_bytes_an_image(tmp_path):
    out = tmp_path / "t.csv"
    with open_scores(out, model="m-1") as table:
        for count in range(4000):
            table.append([scored(f"a/rather/long/folder/name/{count:06}.jpg")])
    tracemalloc.start()
    with open_scores(out, model="m-1", resume=True) as table:
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert table.done("a/rather/long/folder/name/003999.jpg")
        assert not table.done("a/rather/long/folder/name/004000.jpg")
    assert held < 4000 * 8 + 40_000


@pytest.mark.parametrize("finished", [False, True])
def test_killed_while_parquet_is_made_it_is_made_again(tmp_path, finished):
    out = tmp_path / "t.parquet"
    write(out, *IMAGES)
    whole = out.read_bytes()
    write(tmp_path / "t.jsonl", *IMAGES)
    (tmp_path / "t.jsonl").rename(tmp_path / "t.parquet.partial.jsonl")
    (tmp_path / "t.parquet.partial.parquet").write_bytes(whole[:50])
    if not finished:
        out.unlink()
    write(out, *IMAGES, resume=True)
    assert out.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [out]


def test_killed_while_parquet_becomes_a_journal_nothing_is_lost(tmp_path):
    out = tmp_path / "t.parquet"
    write(out, *IMAGES[:3])
    (tmp_path / "t.parquet.partial.tmp").write_bytes(b'{"path": "a.jpg", "fa')
    write(out, *IMAGES, resume=True)
    assert list(read_scores(out)) == [row for rows in IMAGES for row in rows]
    assert list(tmp_path.iterdir()) == [out]


def test_a_journal_is_ahead_of_its_parquet_file(tmp_path):
    out = tmp_path / "t.parquet"
    write(out, *IMAGES[:1])
    write(tmp_path / "t.jsonl", *IMAGES[:3])
    (tmp_path / "t.jsonl").rename(tmp_path / "t.parquet.partial.jsonl")
    with open_scores(out, model="m-1", resume=True) as table:
        assert table.done(IMAGES[2][0].path)
    assert list(read_scores(out)) == [row for rows in IMAGES[:3] for row in rows]


DIM = Measure(name="noise", score=12.345678, value=-0.00001, unit="grey levels", advice="grainy")


def explained(path: str, face: int = 0, outcome: str = "scored") -> ScoreRow:
    numbers = {"score": 50.0, "raw": 0.5} if outcome == "scored" else {}
    found = Assessment(outcome=outcome, model="m-1", measures=(DIM,), detail="told", **numbers)
    return ScoreRow.from_assessment(path, face, found)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("cut", [0, 1, 90])
def test_explained_rows_are_read_back_and_continued(tmp_path, suffix, cut):
    out = tmp_path / f"t{suffix}"
    images = [[explained("a.jpg"), explained("a.jpg", 1)], [explained("b.jpg", 0, "too_small")]]

    def run(resume):
        with open_scores(out, model="m-1", explain=True, resume=resume) as table:
            for rows in images:
                if not table.done(rows[0].path):
                    table.append(rows)

    run(resume=False)
    whole = out.read_bytes()
    if suffix != ".parquet":
        out.write_bytes(whole[: len(whole) - cut])
    run(resume=True)
    assert out.read_bytes() == whole
    for row in read_scores(out):
        assert row.detail == "told; worst: noise 12 (grainy)"
        kept = dataclasses.replace(DIM, score=12.3457, value=0.0)
        assert row.measures == ((kept,) if suffix == ".jsonl" else ())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("explain", [False, True])
def test_a_table_explains_all_of_its_faces_or_none(tmp_path, suffix, explain):
    out = tmp_path / f"t{suffix}"
    with open_scores(out, model="m-1", explain=explain) as table:
        table.append([explained("a.jpg") if explain else scored("a.jpg")])
    before = out.read_bytes()
    said = "with --explain" if explain else "without --explain"
    with pytest.raises(OptionError, match=f"all of its faces or none.*{said}"):
        open_scores(out, model="m-1", explain=not explain, resume=True)
    assert out.read_bytes() == before


class Full:
    """A file on a disk with room for so many bytes more."""

    def __init__(self, file: object, room: int) -> None:
        self._file, self._room = file, room

    def write(self, data: memoryview) -> int:
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(len(data), self._room)
        self._room -= taken
        return self._file.write(data[:taken])

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("room", [0, 1, 150, 151, 250])
def test_on_a_full_disk_whole_images_stay_and_can_be_continued(tmp_path, suffix, room):
    out, whole = tmp_path / f"t{suffix}", tmp_path / f"whole{suffix}"
    write(whole, *IMAGES)
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    with pytest.raises(UnwritablePlace) as caught, open_scores(out, model="m-1") as table:
        table._file = Full(table._file, room)
        for rows in IMAGES:
            table.append(rows)
    for part in ("a place where it can grow", "No space left on device", "--resume", str(grown)):
        assert part in str(caught.value)
    found = list(read_scores(grown))
    images = [rows for rows in IMAGES if rows[0] in found]
    assert found == [row for rows in images for row in rows]
    assert len(images) < len(IMAGES)
    write(out, *IMAGES, resume=True)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_that_cannot_even_begin_leaves_nothing(tmp_path, suffix, monkeypatch):
    def fail(self, data: bytes) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(ScoreTable, "_write", fail)
    with pytest.raises(OptionError, match="Read-only file system"):
        open_scores(tmp_path / f"t{suffix}", model="m-1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_read_only_place_is_refused(tmp_path, suffix, monkeypatch):
    def opened(self, *_args, **_options) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(OptionError, match=r"got .*: Read-only file system\. Pass another --out"):
        open_scores(tmp_path / f"t{suffix}", model="m-1")


def test_without_room_for_parquet_the_journal_stays(tmp_path, monkeypatch):
    out = tmp_path / "t.parquet"

    def full(path: Path, rows: object) -> None:
        path.write_bytes(b"PAR1")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as without_room:
        without_room.setattr(score_table, "write_parquet", full)
        with pytest.raises(UnwritablePlace, match=r"partial\.jsonl is complete.*--resume"):
            write(out, *IMAGES)
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet.partial.jsonl"]
    write(out, resume=True)
    assert list(read_scores(out)) == [row for rows in IMAGES for row in rows]
    assert list(tmp_path.iterdir()) == [out]


FILLER = """
import resource, sys
from facegauge.errors import UnwritablePlace
from facegauge.score_row import ScoreRow
from facegauge.score_table import open_scores
from facegauge.values import Outcome

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with open_scores(sys.argv[1], model="m-1", resume=True) as table:
        for number in range(1000):
            row = ScoreRow(path=f"{number}.jpg", face=0, outcome=Outcome.NO_FACE, detail="x" * 50)
            if not table.done(row.path):
                table.append([row])
except UnwritablePlace as error:
    sys.exit(f"{error}")
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_where_files_may_not_grow_any_more_the_table_is_whole(tmp_path, suffix):
    """As a quota: the kernel itself refuses the write."""
    pytest.importorskip("resource")
    out = tmp_path / f"t{suffix}"
    grown = out.with_name(out.name + ".partial.jsonl") if suffix == ".parquet" else out
    for limit in (10_001, 30_003):
        done = filled(out, limit)
        assert done.returncode == 1
        assert "File too large" in done.stderr
        rows = list(read_scores(grown))
        assert [row.path for row in rows] == [f"{number}.jpg" for number in range(len(rows))]
        assert 0.9 * limit < grown.stat().st_size <= limit
    assert filled(out, 10_000_000).returncode == 0
    assert len(list(read_scores(out))) == 1000


def filled(out: Path, limit: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", FILLER, out, str(limit)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
