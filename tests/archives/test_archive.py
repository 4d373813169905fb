"""What archives hold is scored as the unpacked folder would be."""

import csv
import gzip
import io
import os
import re
import stat
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from broken_images import encoded, gradient, make_broken_folder
from facegauge.alignment import TEMPLATE
from facegauge.archives import archive as archives
from facegauge.archives.archive import LARGEST, LARGEST_PASSING, Archive, Stored, is_archive
from facegauge.archives.members import Container
from facegauge.batch import Summary, score_images
from facegauge.errors import MissingExtra
from facegauge.images import IMAGE_SUFFIXES
from facegauge.scoring import Scorer
from facegauge.tables import LANDMARK_COLUMNS, LandmarkTable, read_landmarks
from facegauge.walk import find_images
from packed import ENDINGS, files, packed, table

PICTURE = encoded(gradient(), "JPEG")


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    """A folder of odd pictures: no links, folders and pipes, which an archive has no bytes of."""
    folder = tmp_path_factory.mktemp("odd")
    make_broken_folder(folder / "deep" / "er")
    for path in files(folder):
        plain = stat.S_ISREG(path.lstat().st_mode)
        if not plain or path.suffix.lower() not in IMAGE_SUFFIXES:
            path.unlink()
    (folder / "deep" / "er" / "locked.jpg").chmod(0o600)
    (folder / "deep" / "er" / "directory.jpg").rmdir()
    return folder


def tar(out: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(out, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out


def found(path: Path) -> list[Stored]:
    return list(Archive(archives.local(path)))


def scored(tiny: Path, out: Path, *paths: Path | str, **options) -> tuple[bytes, Summary]:
    scorer = Scorer(tiny, input="crop", detector=options.pop("detector", None))
    options = {"batch_size": 4, "workers": 2, **options}
    summary = score_images(paths, scorer=scorer, out=out, **options)
    return out.read_bytes(), summary


def landmarks_of(folder: Path, out: Path) -> LandmarkTable:
    """A face somewhere in each picture of a folder."""
    with out.open("w", newline="", encoding="utf-8", errors="surrogateescape") as lines:
        rows = csv.writer(lines)
        rows.writerow(LANDMARK_COLUMNS)
        for at, path in enumerate(files(folder)):
            points = (TEMPLATE - TEMPLATE.mean(0)) * 0.4 + [20, 12 + at % 9]
            rows.writerow([path.relative_to(folder).as_posix(), *points.ravel().tolist()])
    return read_landmarks(out)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_gives_the_table_of_the_unpacked_folder(odd, tiny, cells, tmp_path, ending):
    archive = packed(odd, tmp_path / f"odd.{ending}")
    table, summary = scored(tiny, tmp_path / "folder.csv", odd)
    assert scored(tiny, tmp_path / "archive.csv", archive) == (table, summary)
    assert summary.images > 50
    assert len(summary.outcomes) > 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_landmarks_match_by_the_names_in_the_archive(odd, tiny, tmp_path, ending):
    archive = packed(odd, tmp_path / f"odd.{ending}")
    points = landmarks_of(odd, tmp_path / "landmarks.csv")
    table, summary = scored(tiny, tmp_path / "folder.csv", odd, landmarks=points)
    assert scored(tiny, tmp_path / "a.csv", archive, landmarks=points) == (table, summary)
    assert summary.landmarks_matched == summary.images
    assert summary.scored > 20


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_table_cut_off_is_resumed_to_the_same_bytes(odd, tiny, tmp_path, ending):
    archive, out = packed(odd, tmp_path / f"odd.{ending}"), tmp_path / "t.csv"
    points = landmarks_of(odd, tmp_path / "landmarks.csv")
    table, _ = scored(tiny, out, archive, landmarks=points)
    for length in (100, len(table) // 3, len(table) - 1):
        out.write_bytes(table[:length])
        again, summary = scored(tiny, out, archive, resume=True, landmarks=points)
        assert again == table, length
        assert summary.images == table.count(b"\n") - 1


def test_several_archives_and_folders_begin_with_their_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tar(Path("a.tar"), ("x/1.jpg", PICTURE))
    tar(Path("b.tar"), ("x/1.jpg", PICTURE), ("note.txt", b""))
    Path("in").mkdir()
    Path("in/2.jpg").write_bytes(PICTURE)
    tar(Path("in/c.tar"), ("3.jpg", PICTURE))

    def names(*paths: str) -> list[str]:
        return [each.name for each in find_images(paths)]

    assert names("a.tar") == ["x/1.jpg"]
    assert names("a.tar", "./a.tar") == ["x/1.jpg"]
    assert names("a.tar", "b.tar") == ["a.tar/x/1.jpg", "b.tar/x/1.jpg"]
    assert names("in", "a.tar") == ["in/2.jpg", "a.tar/x/1.jpg"]
    assert names("in") == ["2.jpg"]
    assert names("in/c.tar", "in") == ["in/c.tar/3.jpg", "in/2.jpg"]
    assert names("in", "in/c.tar") == ["in/2.jpg", "in/c.tar/3.jpg"]
    assert names("none.tar") == ["none.tar"]
    walk = find_images(["in", "b.tar"])
    assert sum(1 for _ in walk) == 2
    assert (walk.archives, walk.passed_over) == (1, 1)


def test_folders_named_like_archives_are_folders(tmp_path):
    (tmp_path / "x.tar").mkdir()
    (tmp_path / "x.tar" / "1.jpg").touch()
    assert [each.name for each in find_images([tmp_path / "x.tar"])] == ["1.jpg"]


def test_pipes_named_like_archives_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "x.tar")
    (only,) = find_images([tmp_path / "x.tar"])
    assert only.source == tmp_path / "x.tar"


def test_what_cannot_be_scored_in_an_archive_is_a_row(tiny, tmp_path):
    inner = tar(tmp_path / "inner.tar", ("1.jpg", PICTURE)).read_bytes()
    path = tar(
        tmp_path / "t.tar",
        *(("./a//1.jpg", PICTURE), ("../2.jpg", PICTURE), ("/etc/3.jpg", PICTURE)),
        *(("a/1.jpg", PICTURE), ("note.txt", b""), ("inner.tar", inner), ("inner.zip", b"")),
        *(("a/1.jpg", PICTURE), ("a/1.jpg#2", PICTURE), ("broken.jpg", PICTURE[:300])),
    )
    table, summary = scored(tiny, tmp_path / "t.csv", path)
    rows = {row["path"]: row for row in csv.DictReader(io.StringIO(table.decode()))}
    assert {name: row["detail"] for name, row in rows.items() if not row["score"]} == {
        "../2.jpg": "a name that leads out of the archive",
        "/etc/3.jpg": "a name that leads out of the archive",
        "broken.jpg": rows["broken.jpg"]["detail"],
    }
    assert "truncated" in rows["broken.jpg"]["detail"]
    assert {"a/1.jpg", "a/1.jpg#2", "a/1.jpg#3"} <= set(rows)
    assert len({rows[f"a/1.jpg{end}"]["score"] for end in ("", "#2", "#3")}) == 1
    assert (summary.images, summary.passed_over, summary.archives) == (6, 2, 2)


def test_rows_of_one_name_in_parquet_are_told_apart(tmp_path):
    path = table(tmp_path / "t.parquet", {"/x/a.jpg": b"1", "../b": b"2"})
    assert [(each.name, each.content) for each in found(path)] == [
        ("/x/a.jpg", b"1"),
        ("../b", b"2"),
    ]
    path = packed_twice(tmp_path / "u.parquet")
    assert [each.name for each in found(path)] == ["a", "a#2", "a#2#2", "row-3"]


def packed_twice(path: Path) -> Path:
    import pyarrow
    import pyarrow.parquet

    columns = {"path": ["a", "a#2", "a", None], "image": [b"1", b"2", b"3", b"4"]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return path


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.tar", b"", "no picture|end mark"),
        ("t.tar", bytes(10240), "no picture in this archive; 0 other files"),
        ("t.tar", b"no archive" * 99, "cannot be read on: damaged header"),
        ("t.zip", b"no archive" * 99, "cannot be read on: File is not a zip file"),
        ("t.zip", b"PK\5\6" + bytes(18), "no picture in this archive"),
        ("t.tgz", b"no archive" * 99, "cannot be read on: Not a gzipped file"),
        ("t.tar.gz", gzip.compress(bytes(9999))[:-9], "cannot be read on"),
        ("t.parquet", b"no archive" * 99, "cannot be read on: .*magic"),
        ("t.parquet", b"", "cannot be read on"),
    ],
)
def test_an_archive_that_is_none_is_one_row(tiny, tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    (only,) = found(tmp_path / name)
    assert only.whole
    table, _ = scored(tiny, tmp_path / "t.csv", tmp_path / name)
    (row,) = csv.DictReader(io.StringIO(table.decode()))
    assert (row["path"], row["outcome"]) == ((tmp_path / name).as_posix(), "unreadable")
    assert re.search(told, row["detail"])


@pytest.mark.parametrize("ending", ["tar", "tgz"])
def test_a_truncated_archive_has_rows_and_says_that_it_is(odd, tiny, tmp_path, ending):
    whole = packed(odd, tmp_path / f"odd.{ending}")
    content = whole.read_bytes()
    whole.write_bytes(content[: len(content) // 2])
    table, summary = scored(tiny, tmp_path / "t.csv", whole)
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert rows[-1]["path"] == whole.as_posix()
    assert rows[-1]["detail"].startswith("cannot be read on: ")
    assert 5 < summary.images < 75


def test_large_members_are_refused_unread(tmp_path):
    """Zeros: 300 MB of them are 300 kB in a zip, and 33 MB of them 33 kB in a .tgz."""
    bomb, stream = tmp_path / "t.zip", tmp_path / "t.tgz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("bomb.jpg", "w") as file:
            for _ in range(257):
                file.write(bytes(1 << 20))
        archive.writestr("a.jpg", PICTURE)
    with tarfile.open(stream, "w:gz", compresslevel=1) as archive:
        for name, size in (("bomb.jpg", LARGEST_PASSING + 1), ("a.jpg", 9)):
            info = tarfile.TarInfo(name)
            info.size = size
            archive.addfile(info, io.BytesIO(bytes(size)))
    for path, most in ((bomb, LARGEST), (stream, LARGEST_PASSING)):
        tracemalloc.start()
        first, second = found(path)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        tracemalloc.stop()
        assert f"pictures in this archive may have {most / 1e6:.1f}" in first.problem
        assert first.content == b""
        assert not second.problem


def test_a_picture_of_too_many_pixels_is_refused_as_in_folders(odd, tiny, tmp_path):
    bomb = (odd / "deep" / "er" / "bomb.png").read_bytes()
    table, _ = scored(tiny, tmp_path / "t.csv", tar(tmp_path / "t.tar", ("bomb.png", bomb)))
    assert b"too large: 100000x100000 = 10000.0 megapixels" in table


def test_parquet_needs_pyarrow_before_any_work(tiny, tmp_path, monkeypatch):
    path = table(tmp_path / "t.parquet", {"a": PICTURE})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"pip install 'facegauge\[scale\]'"):
        scored(tiny, tmp_path / "t.csv", path)
    assert not (tmp_path / "t.csv").exists()


def test_an_archive_without_a_path_is_read_as_it_passes(tmp_path):
    for ending in ("tar", "zip"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "a.jpg").write_bytes(PICTURE)
        path = packed(tmp_path / "in", tmp_path / f"t.{ending}")
        far = Container(name=f"t.{ending}", open=lambda path=path: path.open("rb"))
        assert [each.content for each in Archive(far)] == [PICTURE]
        assert callable(found(path)[0].content)


@pytest.mark.parametrize("name", ["a.tar", "A.TGZ", "a.tar.gz", "x/a.zip", "a.parquet"])
def test_archives_are_known_by_their_ends(name):
    assert is_archive(name)
    assert not is_archive(name + "x")


@pytest.mark.parametrize("ending", ENDINGS)
def test_memory_does_not_grow_with_the_number_of_pictures(tiny, tmp_path, ending):
    """But by their names: two hundred bytes each, and what a zip's directory takes."""
    peaks = []
    noise = np.random.default_rng(0).bytes(120_000)
    content = encoded(gradient(20, 20), "PNG") + noise  # which is no part of the picture
    for count in (40, 120):
        folder = tmp_path / str(count)
        folder.mkdir()
        for at in range(count):
            (folder / f"{at:04}.png").write_bytes(content)
        path = packed(folder, tmp_path / f"{count}.{ending}")
        tracemalloc.start()
        scored(tiny, tmp_path / f"{count}.csv", path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000  # 80 more would be 10 MB
