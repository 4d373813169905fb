import csv
import io
import json

import numpy as np
import pytest

from facegauge.errors import InputError, OptionError
from facegauge.evaluate.contrast_report import compare_sets
from facegauge.evaluate.spread import Spread

FILES = {"table.md", "table.csv", "differences.csv", "results.json", "report.html"}


def spread(name, middle, *, models=("m-1",), missing=0, plain=False) -> Spread:
    rng = np.random.default_rng(middle)
    scores = np.sort(np.clip(rng.normal(middle, 12, 120), 0, 100))
    outcomes = {"scored": 120} | ({"no_face": missing} if missing else {})
    return Spread(name=name, scores=scores, outcomes=outcomes, models=models, plain=plain)


def three() -> list[Spread]:
    return [spread("gate", 50), spread("de|sk", 70, missing=30), spread("hall", 50)]


def test_files_say_the_same(tmp_path):
    report = compare_sets(three())
    report.write(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert record == report.to_dict()
    assert [each["reference"] for each in record["differences"]] == ["gate", "gate"]
    assert [each["scores_are"] for each in record["differences"]] == ["higher", "not told apart"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "table.csv").read_text())))
    assert [row["set"] for row in rows] == ["gate", "de|sk", "hall"]
    assert (rows[1]["rows"], rows[1]["scored"], rows[1]["no_face"]) == ("150", "120", "30")
    assert float(rows[0]["q50"]) == record["sets"][0]["quantiles"]["0.5"]
    below = record["sets"][1]["below"]
    assert [each["score"] for each in below] == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert float(rows[1]["discarded_below_50"]) == below[4]["discarded"]
    lines = list(csv.DictReader(io.StringIO((tmp_path / "out" / "differences.csv").read_text())))
    assert float(lines[0]["higher"]) == record["differences"][0]["higher"]
    assert (tmp_path / "out" / "table.md").read_text() == f"{report}\n"
    assert r"| de\|sk | higher |" in str(report)


def test_scores_of_different_models_are_refused_or_told():
    sets = [spread("a", 50), spread("b", 50, models=("n-2",))]
    with pytest.raises(InputError, match=r"m-1, n-2.*--different-models"):
        compare_sets(sets)
    report = compare_sets(sets, different_models=True)
    assert "by different models (m-1, n-2)" in report.warning
    assert report.warning in str(report)
    assert report.warning in report.html()
    assert report.to_dict()["warning"] == report.warning
    with pytest.raises(InputError, match="an unnamed one, m-1"):
        compare_sets([spread("a", 50), spread("b", 50, models=(), plain=True)])


def test_plain_scores_are_asked_at_their_tenths():
    sets = [spread(name, 50 + at, models=(), plain=True) for at, name in enumerate("ab")]
    report = compare_sets(sets)
    known = np.concatenate([each.scores for each in sets])
    assert len(report.thresholds) == 9
    assert np.mean(known < report.thresholds[4]) == pytest.approx(0.5, abs=0.01)
    assert report.warning == ""
    assert report.facts.startswith("Sets: a (120 scores)")


def test_one_set_is_no_comparison():
    with pytest.raises(OptionError, match="two sets"):
        compare_sets(three()[:1])


def test_no_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="folder to write"):
        compare_sets(three()).write(tmp_path / "file")
