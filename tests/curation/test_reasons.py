import csv

import pytest

from facegauge.curation.choice import choose
from facegauge.curation.reasons import write_reasons
from facegauge.curation.rules import Rules
from facegauge.errors import OptionError
from facegauge.score_cells import unescaped
from facegauge.score_columns import ScoreColumns

NAMES = ["a.jpg", "b,\nb.jpg", "c\udce9.jpg"]


def test_every_row_is_there_in_its_order(tmp_path):
    columns = ScoreColumns.of(NAMES, [80.0, 20.0, None])
    choice = choose(columns, Rules(min_score=50.0))
    write_reasons(columns, choice, tmp_path / "made" / "r.csv")
    with (tmp_path / "made" / "r.csv").open(
        encoding="utf-8", errors="surrogateescape", newline=""
    ) as file:
        rows = list(csv.DictReader(file))
    assert [unescaped(row["path"]) for row in rows] == NAMES
    assert [(row["face"], row["kept"], row["reason"]) for row in rows] == [
        ("0", "1", ""), ("0", "0", "min_score"), ("0", "0", "no_score"),
    ]  # fmt: skip
    with pytest.raises(OptionError, match="exists already"):
        write_reasons(columns, choice, tmp_path / "made" / "r.csv")


def test_no_place(tmp_path):
    columns = ScoreColumns.of(["a"], [1.0])
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="--reasons"):
        write_reasons(columns, choose(columns, Rules(keep=1)), tmp_path / "file" / "r.csv")
