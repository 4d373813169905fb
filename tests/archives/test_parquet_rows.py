import tracemalloc
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from facegauge.archives import archive as archives
from facegauge.archives.members import DamagedArchive
from facegauge.archives.parquet_rows import parquet_rows

BYTES = [b"one", b"", b"three"]
PICTURE = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])


def written(path: Path, columns: dict[str, pyarrow.Array], **options) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path, **options)
    return path


def read(path: Path) -> list[tuple[str, bytes]]:
    return [(each.name, each.read()) for each in parquet_rows(archives.local(path))]


def huggingface(*paths: str | None) -> pyarrow.Array:
    rows = [{"bytes": content, "path": path} for content, path in zip(BYTES, paths, strict=True)]
    return pyarrow.array(rows, PICTURE)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"image": pyarrow.array(BYTES)}, ["row-0", "row-1", "row-2"]),
        ({"what": pyarrow.array(BYTES, pyarrow.large_binary())}, ["row-0", "row-1", "row-2"]),
        ({"jpg": pyarrow.array(BYTES), "hash": pyarrow.array(BYTES)}, ["row-0", "row-1", "row-2"]),
        ({"label": pyarrow.array([1, 2, 3]), "image": huggingface("a", "b/c", None)},
         ["a", "b/c", "row-2"]),
        ({"image": huggingface("a", "b", "c"), "path": pyarrow.array(["x", "", None])},
         ["x", "b", "c"]),
        ({"id": pyarrow.array([7, 8, 9]), "key": pyarrow.array(["k", "l", "m"]),
          "image": pyarrow.array(BYTES)}, ["k", "l", "m"]),
        ({"id": pyarrow.array([0, 8, 9]), "image": pyarrow.array(BYTES)}, ["0", "8", "9"]),
        ({"path": pyarrow.array([0.5, 1, 2]), "image": pyarrow.array(BYTES)},
         ["row-0", "row-1", "row-2"]),
    ],
)  # fmt: skip
def test_a_row_is_a_picture_with_a_name(tmp_path, columns, names):
    path = written(tmp_path / "t.parquet", columns, row_group_size=2)
    assert read(path) == list(zip(names, BYTES, strict=True))


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"path": pyarrow.array(["a"])}, "got none in path; name one of them image"),
        ({"x": pyarrow.array([b"a"]), "y": pyarrow.array([b"b"])}, "got 2 of them in x, y"),
        ({"image": pyarrow.array([{"path": "a"}])}, "got none in image"),
    ],
)
def test_a_table_without_pictures_says_what_it_has(tmp_path, columns, told):
    with pytest.raises(DamagedArchive, match=told):
        read(written(tmp_path / "t.parquet", columns))


def test_an_empty_cell_is_a_problem_of_its_row(tmp_path):
    none = {"bytes": None, "path": "elsewhere.jpg"}
    rows = pyarrow.array([none, None, {"bytes": b"x", "path": "y"}], PICTURE)
    found = list(parquet_rows(archives.local(written(tmp_path / "t.parquet", {"image": rows}))))
    assert [(each.name, bool(each.problem)) for each in found] == (
        [("elsewhere.jpg", True), ("row-1", True), ("y", False)]
    )


@pytest.mark.parametrize("keep", [0, 3, 50, -1])
def test_what_is_cut_off_is_no_parquet(tmp_path, keep):
    path = written(tmp_path / "t.parquet", {"image": pyarrow.array(BYTES)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises((pyarrow.ArrowException, OSError)):
        read(path)


@pytest.mark.parametrize("paged", [{"row_group_size": 16}, {"write_batch_size": 4}])
def test_a_page_of_rows_is_in_memory(tmp_path, paged):
    noise = [at.to_bytes(4, "little") * 25_000 for at in range(400)]  # 40 MB
    path = written(
        tmp_path / "t.parquet",
        {"image": pyarrow.array(noise)},
        use_dictionary=False,
        compression="none",
        **paged,
    )
    assert path.stat().st_size > 40_000_000
    before = pyarrow.total_allocated_bytes()
    highest = 0
    tracemalloc.start()
    for _ in parquet_rows(archives.local(path)):
        highest = max(highest, pyarrow.total_allocated_bytes() - before)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()
    assert highest < 12_000_000
