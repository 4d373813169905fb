"""What the student learns from, and the table that compares it with those who taught it."""

import json

import pytest

from facegauge.evaluate.correlation import correlate
from facegauge.train import distillation, teacher
from facegauge.train.distillation import compare, lessons
from facegauge.train.ratings import read_ratings
from facegauge.train.teacher import answers
from toy_ratings import TRAINING, VALIDATION, make_ratings, toy_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ratings(tmp_path_factory.mktemp("ratings") / "data")


@pytest.fixture
def ratings(data):
    return read_ratings(data, "labels", held_out=0.2, seed=0)


def test_the_student_learns_from_labels_and_from_both_tables(data, ratings, tmp_path):
    (tmp_path / "a.csv").write_text("path,label\na/1000.png,0.25\n")
    (tmp_path / "b.csv").write_text("path,label\nb/2000.png,0.75\nb/2001.png,0.5\n")
    found = lessons(ratings, data, tmp_path / "a.csv", tmp_path / "b.csv").learned()
    assert len(found) == TRAINING + 3
    assert found.labels[-3:].tolist() == [0.25, 0.75, 0.5]
    assert found.paths[-1] == data / "b" / "2001.png"


def test_the_table_has_what_correlate_says(data, ratings, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "RESAMPLES", 30)
    run = teacher.train(toy_recipe("steps=5"), data, tmp_path / "run", workers=0)
    found = compare({"one": run, "same": run}, ratings, tmp_path / "out")
    held = ratings.held_out()
    expected = correlate(answers(run, held.paths), held.labels, resamples=30)
    assert found["one"] == found["same"]
    assert found["one"]["count"] == VALIDATION
    for name in ("srcc", "plcc", "krcc", "rmse", "srcc_low", "rmse_high"):
        assert found["one"][name] == getattr(expected, name)
    assert found["one"]["score"] == (expected.srcc + expected.plcc) / 2
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == found
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert lines[2].startswith(f"| one | {expected.srcc:.4f} [{expected.srcc_low:.4f}, ")
