"""Pseudo-labels: through the logistic, resumed to the byte, doubtful ones left out on request."""

import csv
import json

import numpy as np
import pytest
import torch

from facegauge.errors import OptionError
from facegauge.evaluate.logistic import fit_logistic
from facegauge.train import self_training, teacher
from facegauge.train.graders import raw_qualities
from facegauge.train.ratings import Look, read_folder, read_ratings
from facegauge.train.self_training import fitted, pseudo_label, with_pseudo
from facegauge.train.teacher import answers, load_grader
from same_run import Killed
from toy_ratings import UNLABELLED, make_ratings, toy_journey, toy_recipe


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ratings(tmp_path_factory.mktemp("ratings") / "data")


@pytest.fixture(scope="module")
def grader(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "teacher"
    return teacher.train(toy_recipe("short_side=30", "steps=10"), data, out, workers=0)


@pytest.fixture(scope="module")
def known(data):
    return read_ratings(data, "labels", held_out=0.2, seed=0), read_folder(data, "a")


def labelled(grader, data, known, out, *changes):
    ratings, paths = known
    return pseudo_label(grader, toy_journey(*changes), ratings, data, paths, out)


def rows(table):
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("where", ["labelled", "held-out"])
def test_a_pseudo_label_is_the_prediction_through_the_fitted_logistic(
    grader, data, known, tmp_path, where
):
    ratings, paths = known
    labelled(grader, data, known, tmp_path / "a.csv", f"fitted_on={where}")
    found = rows(tmp_path / "a.csv")
    assert [row["path"] for row in found] == [f"a/{path.name}" for path in paths]
    raw = answers(grader, paths)
    np.testing.assert_allclose([float(row["raw"]) for row in found], raw, atol=1e-5)
    on = ratings if where == "labelled" else ratings.held_out()
    curve = fit_logistic(answers(grader, on.paths), on.labels)
    values = [float(row["label"]) for row in found]
    np.testing.assert_allclose(values, curve(raw), atol=1e-5)
    assert fitted(grader, toy_journey(f"fitted_on={where}"), ratings) == curve
    facts = json.loads((tmp_path / "a.json").read_text())
    assert facts["labels"] == UNLABELLED
    assert facts["fitted_on"] == where


@pytest.mark.parametrize("chunk", [0, 1])
def test_killed_and_resumed_the_table_is_the_same(
    grader, data, known, tmp_path, monkeypatch, chunk
):
    labelled(grader, data, known, tmp_path / "whole.csv")
    calls = []

    def dying(*words):
        calls.append(words)
        if len(calls) > chunk:
            raise Killed
        return raw_qualities(*words)

    with monkeypatch.context() as patch:
        patch.setattr(self_training, "raw_qualities", dying)
        with pytest.raises(Killed):
            labelled(grader, data, known, tmp_path / "a.csv")
    assert (tmp_path / "a.csv.partial.jsonl").is_file()
    labelled(grader, data, known, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not (tmp_path / "a.csv.partial.jsonl").exists()


def test_a_finished_table_stays_and_one_of_others_is_refused(grader, data, known, tmp_path):
    labelled(grader, data, known, tmp_path / "a.csv")
    before = (tmp_path / "a.csv").stat().st_mtime_ns
    again = labelled(grader, data, known, tmp_path / "a.csv")
    assert len(again.paths) == UNLABELLED
    assert (tmp_path / "a.csv").stat().st_mtime_ns == before
    ratings, paths = known
    with pytest.raises(OptionError, match="other pictures"):
        labelled(grader, data, (ratings, paths[1:]), tmp_path / "a.csv")


def test_doubtful_labels_are_left_out_on_request_alone(grader, data, known, tmp_path):
    everything = labelled(grader, data, known, tmp_path / "all.csv", "doubt=1000")
    doubts = np.array([float(row["doubt"]) for row in rows(tmp_path / "all.csv")])
    middle = float(np.median(doubts)) + 1e-9
    some = labelled(grader, data, known, tmp_path / "some.csv", f"doubt={middle}")
    assert len(everything.paths) == UNLABELLED
    assert 0 < len(some.paths) < UNLABELLED
    assert len(some.paths) + len(some.left_out) == UNLABELLED
    assert {each.reason for each in some.left_out} == {"the looks at it disagree"}
    values = {row["path"]: row["label"] for row in rows(tmp_path / "all.csv")}
    assert all(values[row["path"]] == row["label"] for row in rows(tmp_path / "some.csv"))
    off = rows_of_one_look(grader, data, known, tmp_path)
    assert {row["doubt"] for row in off} == {"0.0000"}


def rows_of_one_look(grader, data, known, tmp_path):
    labelled(grader, data, known, tmp_path / "off.csv")
    return rows(tmp_path / "off.csv")


def test_the_doubt_is_the_spread_of_four_looks_on_the_scale_of_labels(
    grader, data, known, tmp_path
):
    ratings, paths = known
    labelled(grader, data, known, tmp_path / "a.csv", "doubt=1000")
    four = Look.of(grader.recipe()).four(paths[3])
    raw = raw_qualities(load_grader(grader), [np.ascontiguousarray(four)], torch.device("cpu"))
    values = fitted(grader, toy_journey(), ratings)(raw)
    assert float(rows(tmp_path / "a.csv")[3]["doubt"]) == pytest.approx(values.std(), abs=1e-4)


def test_what_is_pseudo_labelled_is_learned_from(grader, data, known, tmp_path):
    ratings, paths = known
    labelled(grader, data, known, tmp_path / "a.csv")
    more = with_pseudo(ratings, data, tmp_path / "a.csv")
    assert more.paths[-UNLABELLED:] == paths
    assert len(more.learned()) == len(ratings.learned()) + UNLABELLED
    assert len(more.held_out()) == len(ratings.held_out())
