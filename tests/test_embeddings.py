import io
import os
import pickle
import zipfile
from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.embeddings import Embeddings, read
from facegauge.errors import InputError, OptionError, TableError


def unit(count: int = 5, width: int = 8, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(count, width))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


NAMES = ("a.jpg", "anna/b.png", "größe 1.png", "c,d.png", os.fsdecode(b"caf\xe9.png"))


def test_what_is_saved_is_read(tmp_path):
    out = tmp_path / "deep" / "embeddings.npz"
    Embeddings(paths=NAMES, values=unit()).save(out)
    back = read(out)
    assert back.paths == NAMES
    assert back.values.dtype == np.float32
    assert back.values.tobytes() == unit().tobytes()
    assert len(back) == 5


def test_the_file_is_what_the_design_promises(tmp_path):
    Embeddings(paths=NAMES, values=unit()).save(tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as stored:
        assert sorted(stored.files) == ["embeddings", "paths"]
        assert stored["paths"].dtype.kind == "U"
        assert stored["paths"].shape == (5,)
        assert stored["embeddings"].dtype == np.float32
        assert stored["embeddings"].shape == (5, 8)


def test_no_faces_are_a_file_too(tmp_path):
    Embeddings(paths=(), values=np.empty((0, 0), np.float32)).save(tmp_path / "e.npz")
    assert read(tmp_path / "e.npz").paths == ()


def test_a_file_is_not_overwritten(tmp_path):
    found = Embeddings(paths=NAMES, values=unit())
    found.save(tmp_path / "e.npz")
    with pytest.raises(OptionError, match="not overwritten"):
        found.save(tmp_path / "e.npz")
    with pytest.raises(OptionError, match="place to write"):
        found.save(tmp_path / "e.npz" / "below.npz")


ROW = unit()[0]


@pytest.mark.parametrize(
    ("paths", "values", "expected"),
    [
        (["a", "b"], unit(2), nullcontext()),
        (["a"], unit(2), pytest.raises(InputError, match="each of 1 paths")),
        (["a"], ROW, pytest.raises(InputError, match="N×D")),
        (["a", "a"], unit(2), pytest.raises(InputError, match="'a' twice")),
        (["a"], unit(1).astype(np.float64), pytest.raises(InputError, match="float32")),
        (["a", "b"], unit(2) * 1.01, pytest.raises(InputError, match="2 others")),
        (["a", "b"], unit(2) * np.float32([[1], [0]]), pytest.raises(InputError, match="row 1")),
        (["a"], np.full((1, 8), np.nan, np.float32), pytest.raises(InputError, match="length 1")),
        (["a"], np.full((1, 8), np.inf, np.float32), pytest.raises(InputError, match="length 1")),
        (["a"], np.full((1, 8), 1e30, np.float32), pytest.raises(InputError, match="length 1")),
    ],
)
def test_embeddings_are_of_length_one_and_have_one_name(paths, values, expected):
    with expected:
        assert Embeddings(paths=paths, values=values).paths == tuple(paths)


def test_any_length_is_brought_to_one():
    raw = np.random.default_rng(1).normal(size=(4, 3)) * 20
    found = Embeddings.normalised(["a", "b", "c", "d"], raw)
    for row, long in zip(found.values, raw, strict=True):
        assert row == pytest.approx(long / sum(x * x for x in long) ** 0.5, abs=1e-7)
    with pytest.raises(InputError, match="length 0"):
        Embeddings.normalised(["a"], [[0.0, 0.0]])


def test_rows_are_found_by_path():
    found = Embeddings(paths=("a.jpg", "./b/c.jpg"), values=unit(2))
    rows = found.rows(["b\\c.jpg", "missing", "./a.jpg", "b/c.jpg"])
    assert rows.tolist() == [1, -1, 0, 1]
    assert rows.dtype == np.int32


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


GOOD = {"paths": np.array(["a", "b"]), "embeddings": unit(2)}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (npz(**GOOD), None),
        (b"", "got another file"),
        (b"path,identity\n", "another file|pickled"),
        (npz(**GOOD)[:-50], "got"),
        (npy(unit(2)), "a single array"),
        (npz(embeddings=unit(2)), "Add paths"),
        (npz(names=np.array(["a"]), vectors=unit(1)), "Add paths and embeddings"),
        (npz(**{**GOOD, "paths": np.array(["a", "b"], dtype=object)}), "pickled objects"),
        (npz(**{**GOOD, "paths": np.array([b"a", b"b"])}), "paths of"),
        (npz(**{**GOOD, "paths": np.array([["a", "b"]])}), "paths of"),
        (npz(**{**GOOD, "paths": np.array(["a"])}), "each of 1 paths"),
        (npz(**{**GOOD, "paths": np.array(["a", "a"])}), "twice"),
        (npz(**{**GOOD, "embeddings": 2 * unit(2)}), "length 1"),
        (npz(**{**GOOD, "embeddings": unit(2).astype(np.float64)}), "float32"),
        (zipped(paths=b"", embeddings=b"nothing"), "got"),
        (pickle.dumps({"a": 1}), "got"),
    ],
)
def test_other_files_are_refused_with_what_is_expected(tmp_path, data, match):
    path = tmp_path / "e.npz"
    path.write_bytes(data)
    if match is None:
        assert read(path).paths == ("a", "b")
        return
    with pytest.raises(TableError, match=match) as caught:
        read(path)
    assert "Expected an .npz with paths (N strings) and embeddings" in str(caught.value)


def test_a_pickle_inside_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    trap = np.empty(2, dtype=object)
    trap[:] = [Trap(), Trap()]
    (tmp_path / "e.npz").write_bytes(npz(paths=trap, embeddings=unit(2)))
    with pytest.raises(TableError, match="pickled objects"):
        read(tmp_path / "e.npz")
    assert not (tmp_path / "sprung").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TableError, match=r"nowhere\.npz, got No such file"):
        read(tmp_path / "nowhere.npz")
