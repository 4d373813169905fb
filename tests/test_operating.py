"""Operating tables as values: checked, stored in a card, read from a report's folder."""

import json

import pytest

from facegauge.errors import InputError, TableError
from facegauge.operating import OperatingPoint, OperatingTable, read_operating

POINTS = (
    OperatingPoint(score=0.0, discarded=0.1, comparisons=20, errors=4),
    OperatingPoint(score=50.0, discarded=1.0, comparisons=0, errors=0),
)
TABLE = OperatingTable(
    recogniser="r", threshold=0.3, samples=10, failures=1, points=POINTS, data="ten faces"
)


def test_a_table_comes_back_from_json():
    stored = json.loads(json.dumps(TABLE.to_dict(), allow_nan=False))
    assert [point["fnmr"] for point in stored["points"]] == [0.2, None]
    assert OperatingTable(**stored) == TABLE


@pytest.mark.parametrize(
    "change",
    [
        {"discarded": 1.1},
        {"discarded": float("nan")},
        {"score": float("inf")},
        {"errors": 21},
        {"errors": -1},
    ],
)
def test_a_point_that_cannot_be_is_refused(change):
    with pytest.raises(InputError, match="0 <= errors <= comparisons"):
        OperatingPoint(**{"score": 0.0, "discarded": 0.1, "comparisons": 20, "errors": 4, **change})


@pytest.mark.parametrize(
    "change", [{"points": ()}, {"points": POINTS[::-1]}, {"threshold": float("nan")}]
)
def test_a_table_that_cannot_be_is_refused(change):
    fields = {"recogniser": "r", "threshold": 0.3, "samples": 10, "failures": 1, "points": POINTS}
    with pytest.raises(InputError, match="rising scores"):
        OperatingTable(**{**fields, **change})


def test_tables_are_read_by_method(tmp_path):
    file = tmp_path / "operating.json"
    file.write_text(json.dumps([{"method": m, **TABLE.to_dict()} for m in ("a-1", "b-1", "a-1")]))
    assert read_operating(file) == {"a-1": (TABLE, TABLE), "b-1": (TABLE,)}


@pytest.mark.parametrize("text", ["", '{"a": 1}', "[1]", "[{}]", '[{"method": "a"}]', None])
def test_what_is_no_operating_json_is_refused(tmp_path, text):
    file = tmp_path / "operating.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TableError, match=r"Expected an operating.json .* Run the evaluation again"):
        read_operating(file)
