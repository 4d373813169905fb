import csv
import json
import sys

import numpy as np
import pytest
from scipy import stats

from facegauge.errors import InputError, MissingExtra
from facegauge.evaluate.correlation_journey import evaluate_correlation
from facegauge.evaluate.score_files import ScoreFile

N = 60


def scores(seed: int = 0) -> ScoreFile:
    values = np.random.default_rng(seed).uniform(0, 100, N)
    found = {f"{at}.jpg": float(value) for at, value in enumerate(values)}
    return ScoreFile(method="m-1", scores=found | {"broken.jpg": None}, boxes={})


def labels(noise: float = 0.1) -> dict[str, float]:
    rng = np.random.default_rng(1)
    found = {path: score / 100 + noise * rng.normal() for path, score in scores().known.items()}
    return found | {"broken.jpg": 0.5, "other.jpg": 0.5}


def test_numbers_are_those_of_scipy_and_of_the_images_with_both(tmp_path):
    report = evaluate_correlation(scores(), labels(), resamples=100)
    known, wanted = scores().known, labels()
    x, y = list(known.values()), [wanted[path] for path in known]
    assert report.correlation.srcc == pytest.approx(stats.spearmanr(x, y).statistic)
    assert report.correlation.krcc == pytest.approx(stats.kendalltau(x, y).statistic)
    assert (report.joined.without_label, report.joined.without_score) == (0, 2)
    report.write(tmp_path / "out")
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert record == {"method": "m-1"} | report.correlation.to_dict()
    with (tmp_path / "out" / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["measure"] for row in rows] == ["srcc", "plcc", "krcc", "rmse"]
    assert float(rows[0]["low"]) == report.correlation.srcc_low
    assert (tmp_path / "out" / "table.md").read_text() == f"{report}\n"
    assert f"| SRCC | {report.correlation.srcc:.4f} |" in str(report)
    assert "60 images have a score and a label" in str(report)


def test_without_resamples_there_are_no_intervals(tmp_path):
    report = evaluate_correlation(scores(), labels(), resamples=0)
    assert str(report).count("| – | – |") == 4
    report.write(tmp_path)
    assert json.loads((tmp_path / "results.json").read_text())["srcc_low"] is None


def test_no_image_in_common():
    with pytest.raises(InputError, match="no path in common"):
        evaluate_correlation(scores(), {"strange.jpg": 1.0})


def test_without_matplotlib_nothing_is_written(tmp_path, monkeypatch):
    report = evaluate_correlation(scores(), labels(), resamples=0)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"facegauge\[evaluate\]"):
        report.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
