"""The recipe ``first``, killed and resumed: it is the run that was not.

Run as a program, this file trains and kills itself in the middle of the second leg.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facegauge.models import Model
from facegauge.train import first
from facegauge.train.learner import Learner
from facegauge.train.runs import Run
from facegauge.train.students import Student
from facegauge.train.views import Views
from same_run import Killed, assert_same_run, dying, dying_at
from toy_faces import toy_recipe


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_stopped_at_any_step_and_resumed_it_is_the_same_run(
    finished, data, tmp_path, monkeypatch, step
):
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(Learner, step))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert Run(folder=tmp_path).state.is_file() == (step >= 2)
    assert not Run(folder=tmp_path).facts().get("complete")
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


@pytest.mark.parametrize("leg", [1, 2])
def test_stopped_between_weights_and_state_and_resumed_it_is_the_same_run(
    finished, data, tmp_path, monkeypatch, leg
):
    keeping = Learner.on_save_checkpoint

    def dying_after(self, checkpoint):
        if len(self.history) == leg:
            raise Killed
        keeping(self, checkpoint)

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "on_save_checkpoint", dying_after)
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert Run(folder=tmp_path).facts()["legs"] == leg
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


def test_stopped_before_the_reference_and_resumed_it_is_complete(
    finished, data, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(first, "_write_reference", dying)
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path, workers=0)
    assert not Run(folder=tmp_path).facts().get("complete")
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), finished)


def test_legs_see_one_visit_after_the_other_and_a_step_has_its_own_chance(
    data, tmp_path, monkeypatch
):
    """Also for networks with dropout: what a step draws does not depend on what was before."""
    visits, draws = [], []
    visited, answers = Views.visited, Student.answers

    def counting(self, face, view, visit):
        visits.append(visit)
        return visited(self, face, view, visit)

    def drawing(self, image):
        draws.append(torch.rand(1).item())
        return answers(self, image)

    monkeypatch.setattr(Views, "visited", counting)
    monkeypatch.setattr(Student, "answers", drawing)
    first.train(toy_recipe(), data, tmp_path / "whole", workers=0)
    assert visits == list(range(16))
    whole = draws[:]
    assert len(set(whole)) == 4
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(Learner, 3))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path / "cut", workers=0)
    visits.clear()
    draws.clear()
    first.train(toy_recipe(), data, tmp_path / "cut", resume=True, workers=0)
    assert visits == list(range(8, 16))
    assert draws == whole[2:]


def test_killed_in_the_second_leg_and_resumed_it_is_the_same_run(finished, data, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(data), str(tmp_path / "run")]
    done = subprocess.run(command, env=environment, timeout=120, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run = Run(folder=tmp_path / "run")
    assert run.state.is_file()
    assert run.facts()["legs"] == 1
    assert_same_run(first.train(toy_recipe(), data, run.folder, resume=True, workers=0), finished)


def test_resuming_a_complete_run_changes_nothing(finished, data, tmp_path, monkeypatch):
    run = first.train(toy_recipe(), data, tmp_path, workers=0)
    monkeypatch.setattr(Learner, "training_step", dying)
    monkeypatch.setattr(Model, "embed", dying_after_golden(Model.embed))
    assert_same_run(first.train(toy_recipe(), data, tmp_path, resume=True, workers=0), run)
    assert_same_run(run, finished)


def test_a_run_that_was_copied_goes_on_and_leaves_the_first_one_alone(
    finished, data, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "training_step", dying_at(Learner, 3))
        with pytest.raises(Killed):
            first.train(toy_recipe(), data, tmp_path / "old", workers=0)
    before = {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir() if p.is_file()}
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    run = first.train(toy_recipe(), data, tmp_path / "new", resume=True, workers=0)
    assert_same_run(run, finished)
    assert before == {p.name: p.read_bytes() for p in (tmp_path / "old").iterdir() if p.is_file()}


def dying_after_golden(embed):
    """Opening a model embeds its three golden pictures; nothing else may be embedded."""

    def embedding(self, images):
        assert len(images) == 3
        return embed(self, images)

    return embedding


def die(learner, batch, number):
    if learner.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return _training_step(learner, batch, number)


if __name__ == "__main__":
    torch.set_num_threads(1)
    _training_step, Learner.training_step = Learner.training_step, die
    first.train(toy_recipe(), Path(sys.argv[1]), Path(sys.argv[2]), workers=0)
