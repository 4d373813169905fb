"""The journey: every stage, killed in the middle of each and resumed, alone, and told."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facegauge import models
from facegauge.cards import Kind
from facegauge.errors import OptionError, TrainingError
from facegauge.train import distillation, efficient_fiqa, journeys, self_training
from facegauge.train.efficient_fiqa import MODEL, NETWORKS, STAGES
from facegauge.train.export import export_run
from facegauge.train.runs import Run
from facegauge.train.teacher import GraderLearner
from same_run import Killed, assert_same_run, dying
from toy_ratings import UNLABELLED, make_ratings, toy_journey


@pytest.fixture(scope="module", autouse=True)
def few_resamples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distillation, "RESAMPLES", 20)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_ratings(tmp_path_factory.mktemp("ratings") / "data")


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    return journeys.train(toy_journey(), data, out, workers=0)


def go_on(data, out, *stages):
    resume = (out / "recipe.json").is_file()
    return journeys.train(toy_journey(), data, out, resume=resume, workers=0, stages=stages)


def numbers(run):
    """What a journey wrote down, without the seconds."""
    facts = json.loads(json.dumps(run.facts()))
    for note in facts["stages"].values():
        del note["seconds"]
    return facts


def assert_same_journey(run, other):
    assert numbers(run) == numbers(other)
    for name in NETWORKS:
        assert_same_run(Run(folder=run.folder / name), Run(folder=other.folder / name))
    for name in ("labels-a.csv", "labels-b.csv", "evaluation/results.json"):
        assert (run.folder / name).read_bytes() == (other.folder / name).read_bytes()
    answers = [models.open(each.folder / MODEL).golden_answers(1) for each in (run, other)]
    assert (answers[0] == answers[1]).all()


def test_every_stage_leaves_its_part(finished):
    facts = finished.facts()
    assert tuple(facts["stages"]) == STAGES
    assert facts["complete"]
    assert facts["stages"]["labels-a"]["labels"] == UNLABELLED
    for name in NETWORKS:
        assert Run(folder=finished.folder / name).facts()["complete"]
        assert {"seconds", "srcc", "plcc"} <= facts["stages"][name].keys()
    assert facts["best"] == Run(folder=finished.folder / "student").facts()["best"]
    card = models.open(finished.folder / MODEL).card
    assert (card.identifier, card.kind) == ("perceptual-1", Kind.PERCEPTUAL)
    assert card.training.recipe == "efficient-fiqa-small of toy"


def test_the_student_has_seen_more_than_the_one_alone(finished):
    told = {
        name: Run(folder=finished.folder / name).facts()["data"].split(" ")[0] for name in NETWORKS
    }
    labelled = int(told["alone"])
    assert int(told["teacher"]) == labelled
    assert int(told["teacher-plus"]) == labelled + UNLABELLED
    assert int(told["student"]) == labelled + 2 * UNLABELLED


def test_the_self_trained_teacher_goes_on_from_the_teacher_or_afresh(data, tmp_path, monkeypatch):
    starts = []
    teach = efficient_fiqa.teach
    monkeypatch.setattr(
        efficient_fiqa, "teach", lambda *w, **f: starts.append(f["start"]) or teach(*w, **f)
    )
    for start in ("teacher", "fresh"):
        chosen, out = toy_journey(f"plus_start={start}", "legs=1"), tmp_path / start
        stages = ("teacher", "labels-a", "teacher-plus")
        journeys.train(chosen, data, out, workers=0, stages=stages)
    assert starts == [None, Run(folder=tmp_path / "teacher" / "teacher"), None, None]


class Midway:
    """Dies in the middle of every stage, once each."""

    def __init__(self, patch):
        self.died, self.calls = [], 0
        self.patch = patch
        step = GraderLearner.training_step
        patch.setattr(
            GraderLearner, "training_step", lambda *words: self._die(step, "taught", 3, words)
        )
        for module, name, calls in (
            (self_training, "raw_qualities", 2),
            (efficient_fiqa, "compare", 1),
            (efficient_fiqa, "export_perceptual", 1),
        ):
            patch.setattr(module, name, self._dying(getattr(module, name), name, calls))

    def _dying(self, function, name, calls):
        return lambda *words: self._die(function, name, calls, words)

    def _die(self, function, name, calls, words):
        self.calls += 1
        if not self.spent and self.calls == calls:
            self.spent = True
            self.died.append(name)
            raise Killed
        return function(*words)

    def go(self, data, out, stage):
        self.calls, self.spent = 0, False
        with pytest.raises(Killed):
            go_on(data, out, stage)
        assert stage not in Run(folder=out).facts().get("stages", {})
        return go_on(data, out, stage)


def test_killed_in_the_middle_of_every_stage_it_ends_with_the_same_numbers(
    finished, data, tmp_path, monkeypatch
):
    """Each stage alone, too: one call dies in it, the next one ends it."""
    midway = Midway(monkeypatch)
    for stage in STAGES:
        run = midway.go(data, tmp_path / "run", stage)
    taught, labelled = "taught", "raw_qualities"
    assert midway.died == [
        *(taught, labelled, taught, labelled, taught, taught),
        *("compare", "export_perceptual"),
    ]
    assert_same_journey(run, finished)


@pytest.mark.parametrize("place", ["labels-a", "student"])
def test_after_sigkill_it_goes_on_and_ends_with_the_same_numbers(finished, data, tmp_path, place):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(data), str(tmp_path / "run"), place]
    done = subprocess.run(command, env=environment, timeout=180, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    stages = Run(folder=tmp_path / "run").facts()["stages"]
    assert tuple(stages) == STAGES[: STAGES.index(place)]
    assert_same_journey(go_on(data, tmp_path / "run"), finished)


def test_a_finished_journey_does_nothing_again(finished, data, monkeypatch, capsys):
    for name in ("teach", "pseudo_label", "compare", "export_perceptual"):
        monkeypatch.setattr(efficient_fiqa, name, dying)
    before = numbers(finished)
    assert numbers(go_on(data, finished.folder)) == before
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in lines] == list(STAGES)
    assert re.fullmatch(r"teacher +[\d.]+ s  SRCC -?[\d.]{6}  PLCC -?[\d.]{6}", lines[0])
    assert lines[1].endswith(f"{UNLABELLED} labels")


def test_a_stage_needs_those_before_it(data, tmp_path):
    with pytest.raises(TrainingError, match="missing: teacher, labels-a"):
        go_on(data, tmp_path / "run", "teacher-plus")
    with pytest.raises(OptionError, match="some of teacher, labels-a.*got finetuning"):
        go_on(data, tmp_path / "other", "finetuning")


def test_other_recipes_have_no_stages(data, tmp_path):
    from toy_ratings import toy_recipe

    with pytest.raises(OptionError, match="Only efficient-fiqa is trained in stages"):
        journeys.train(toy_recipe(), data, tmp_path, stages=("teacher",))


def test_another_recipe_is_refused_once_a_stage_is_done(data, tmp_path):
    out = tmp_path / "run"
    go_on(data, out, "alone")
    with pytest.raises(TrainingError, match="these fields differ: teacher"):
        journeys.train(toy_journey("teacher.size=20"), data, out, resume=True, workers=0)
    with pytest.raises(TrainingError, match="holds a run already"):
        journeys.train(toy_journey(), data, out, workers=0)


def test_the_run_is_exported_under_another_name(finished, tmp_path):
    card = export_run(finished.folder, tmp_path / "m.onnx", ("name=mine",))
    assert card.identifier == "mine-1"
    with pytest.raises(TrainingError, match="not complete"):
        export_run(_unfinished(finished, tmp_path), tmp_path / "n.onnx")


def _unfinished(finished, tmp_path) -> Path:
    folder = tmp_path / "unfinished"
    folder.mkdir()
    (folder / "recipe.json").write_bytes((finished.folder / "recipe.json").read_bytes())
    (folder / "run.json").write_text('{"revision": "", "stages": {"teacher": {}}}')
    return folder


def test_the_papers_recipe_runs_too(data, tmp_path):
    chosen = toy_journey("teacher.weights=", "student.weights=", "legs=1", name="efficient-fiqa")
    run = journeys.train(chosen, data, tmp_path / "run", workers=0, stages=("teacher",))
    assert tuple(run.facts()["stages"]) == ("teacher",)
    assert Run(folder=run.folder / "teacher").recipe().schedule == "step"


def die_for_good(function, calls, when=lambda words: True):
    """The ``calls``-th call of a function ends the process."""
    seen = []

    def dying_function(*words):
        seen.extend([0] if when(words) else [])
        if len(seen) == calls and when(words):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*words)

    return dying_function


if __name__ == "__main__":
    torch.set_num_threads(1)
    distillation.RESAMPLES = 20
    if sys.argv[3] == "student":
        GraderLearner.training_step = die_for_good(
            GraderLearner.training_step, 4, lambda words: words[0].run.folder.name == "student"
        )
    else:
        self_training.raw_qualities = die_for_good(self_training.raw_qualities, 2)
    journeys.train(toy_journey(), Path(sys.argv[1]), Path(sys.argv[2]), workers=0)
