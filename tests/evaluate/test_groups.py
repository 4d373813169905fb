import pytest

from facegauge.errors import TableError
from facegauge.evaluate.groups import read_groups


def test_groups_by_path(tmp_path):
    table = tmp_path / "g.csv"
    table.write_text("\ufeffage, group ,path\n3,young,./a\\1.jpg\n4, old ,b.jpg\n5,,c.jpg\n")
    assert read_groups(table) == {"a/1.jpg": "young", "b.jpg": "old"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the first line ''"),
        ("path,label\na,1\n", "path,label"),
        ("path,group,group\na,1,2\n", "path,group,group"),
        ("path,group\na\n", "line 2.*a line without one"),
        ("path,group\n,x\n", "line 2.*a line without one"),
        ("path,group\na,x\n./a,y\n", "line 3.*one group for './a', got 'x' before and 'y' here"),
        ('path,group\n"a"b,c\n', "not csv"),
    ],
)
def test_what_is_no_table_of_groups(tmp_path, text, told):
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(TableError, match=told):
        read_groups(tmp_path / "g.csv")


def test_a_missing_file(tmp_path):
    with pytest.raises(TableError, match=r"none.csv, got No such file.*Check the path"):
        read_groups(tmp_path / "none.csv")
