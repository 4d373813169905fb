from contextlib import nullcontext

import numpy as np
import pytest

from facegauge.errors import InputError, TableError
from facegauge.evaluate.pairs import Pairs, people_of_pairs, read_pairs


def some(**changes) -> Pairs:
    fields = {"first": [0, 1, 3, 2], "second": [1, 2, 0, 3], "mated": [True, False, True, False]}
    return Pairs(**{**fields, **changes})


def test_pairs_are_compact():
    pairs = some(fold=[0, 0, 1, 1])
    assert (pairs.first.dtype, pairs.mated.dtype, pairs.fold.dtype) == (np.int32, bool, np.int32)
    assert (len(pairs), pairs.highest) == (4, 3)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, nullcontext()),
        ({"first": [], "second": [], "mated": []}, nullcontext()),
        ({"first": [0]}, pytest.raises(InputError, match="one length")),
        ({"fold": [0]}, pytest.raises(InputError, match="one length")),
        ({"first": [0, 1, -1, 2]}, pytest.raises(InputError, match="negative")),
    ],
)
def test_wrong_pairs_never_exist(changes, expected):
    with expected:
        assert len(some(**changes)) in (0, 4)


def test_pairs_are_placed_and_absent_ones_counted():
    placed = some(fold=[0, 0, 1, 1], absent_mated=2).placed([5, -1, 7, 9])
    assert placed.first.tolist() == [9, 7]
    assert placed.second.tolist() == [5, 9]
    assert placed.mated.tolist() == [True, False]
    assert placed.fold.tolist() == [1, 1]
    assert (placed.absent_mated, placed.absent_nonmated) == (3, 1)


def test_every_picture_needs_a_row():
    with pytest.raises(InputError, match="each of 4 pictures"):
        some().placed([0, 1, 2])


def test_a_table_of_pairs(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_bytes(
        b"\xef\xbb\xbfnote,path_a,mated,path_b\r\n"
        b'x,./a.jpg,1,"b,1.jpg"\r\n'
        b"y,sub\\c.jpg,FALSE,a.jpg\r\n\r\n"
        b"z,caf\xe9.jpg,true,sub/c.jpg\r\n"
    )
    table = read_pairs(path)
    names = [
        (table.paths[a], table.paths[b], bool(same))
        for a, b, same in zip(table.pairs.first, table.pairs.second, table.pairs.mated, strict=True)
    ]
    assert names == [
        ("a.jpg", "b,1.jpg", True),
        ("sub/c.jpg", "a.jpg", False),
        ("caf\udce9.jpg", "sub/c.jpg", True),
    ]
    assert len(set(table.paths)) == len(table.paths) == 4


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the first line ''"),
        ("path_a,path_b\na,b\n", "first line 'path_a,path_b'"),
        ("path_a,path_b,mated,mated\na,b,1,1\n", "first line"),
        ("path_a,path_b,mated\na,b\n", "as row 2"),
        ("path_a,path_b,mated\na,b,1\na,,1\n", "as row 3"),
        ("path_a,path_b,mated\na,b,2\n", "as row 2"),
        ("path_a,path_b,mated\na,b,\n", "as row 2"),
        ('path_a,path_b,mated\n"a"x,b,1\n', "not csv"),
    ],
)
def test_other_tables_are_refused(tmp_path, text, match):
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(TableError, match=match) as caught:
        read_pairs(tmp_path / "pairs.csv")
    assert "path_a,path_b,mated" in str(caught.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(TableError, match="No such file"):
        read_pairs(tmp_path / "pairs.csv")


def test_people_of_pairs_are_connected_parts():
    rng = np.random.default_rng(1)
    for count in (2, 9, 60):
        first, second = rng.integers(0, count, (2, count // 2))
        kept = first != second
        pairs = Pairs(
            first=first[kept], second=second[kept], mated=rng.uniform(size=kept.sum()) < 0.8
        )
        labels = list(range(count))
        for a, b, mated in zip(pairs.first, pairs.second, pairs.mated, strict=True):
            if mated:
                low, high = sorted((labels[a], labels[b]))
                labels = [low if each == high else each for each in labels]
        assert people_of_pairs(count, pairs).tolist() == labels
