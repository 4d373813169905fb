import pytest

from facegauge.names import Names

PATHS = ["a.jpg", "b/ü.jpg", "", "caf\udce9.jpg", "line\nbreak"]


def test_names_come_back_and_sort_as_bytes():
    names = Names.of(PATHS)
    assert list(names) == PATHS
    assert [names[row] for row in range(len(names))] == PATHS
    assert names.coded(3) == b"caf\xe9.jpg"
    assert sorted(["é", "z", "\U0001f600"]) == sorted(["é", "z", "\U0001f600"], key=str.encode)


def test_a_row_that_is_none_is_an_error():
    with pytest.raises(IndexError):
        Names.of(PATHS)[len(PATHS)]


def test_none():
    assert list(Names.of([])) == []
