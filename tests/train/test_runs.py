"""A run folder: begun once, taken up with the same recipe only, readable at every moment."""

import dataclasses
import json
import subprocess

import pytest

from facegauge.errors import TrainingError
from facegauge.train import runs
from facegauge.train.recipe_detector import Detector
from facegauge.train.recipe_first import First
from facegauge.train.runs import Run, begin, revision, write_json


def test_a_new_run_holds_its_recipe(tmp_path):
    chosen = First(tables=("a", "b"), batch=8)
    run = begin(tmp_path / "deep" / "run", chosen, resume=False)
    assert run.folder == tmp_path / "deep" / "run"
    assert run.recipe() == chosen
    assert run.facts() == {}
    text = (run.folder / "recipe.json").read_text()
    assert text.endswith("\n")
    assert json.loads(text)["tables"] == ["a", "b"]


def test_an_empty_folder_may_become_a_run(tmp_path):
    assert begin(tmp_path, First(), resume=False).recipe() == First()


def test_resume_without_a_run_begins_one(tmp_path):
    assert begin(tmp_path / "run", First(), resume=True).recipe() == First()


def test_a_run_is_taken_up_with_the_same_recipe(tmp_path):
    chosen = First(tables=("a",))
    begin(tmp_path, chosen, resume=False)
    assert begin(tmp_path, chosen, resume=True).recipe() == chosen


def test_a_run_is_not_begun_twice(tmp_path):
    begin(tmp_path, First(), resume=False)
    with pytest.raises(TrainingError, match=r"holds a run already\. Pass --resume"):
        begin(tmp_path, First(), resume=False)


def test_another_recipe_is_refused_with_the_fields_that_differ(tmp_path):
    run = begin(tmp_path, First(batch=8, tables=("a",)), resume=False)
    run.state.write_bytes(b"a leg")
    with pytest.raises(TrainingError, match=r"these fields differ: tables, batch, seed\."):
        begin(tmp_path, First(tables=("b",), seed=1), resume=True)
    assert Run(folder=tmp_path).recipe().batch == 8


def test_before_the_first_leg_a_recipe_may_be_corrected(tmp_path):
    begin(tmp_path, First(batch=8), resume=False)
    begin(tmp_path, First(batch=9), resume=True)
    assert Run(folder=tmp_path).recipe().batch == 9


@pytest.mark.parametrize("chosen", [First(batch=8), Detector(batch=8, widths=(1, 2, 3, 4, 5))])
def test_a_run_knows_its_kind_of_recipe(tmp_path, chosen):
    run = begin(tmp_path, chosen, resume=False)
    own, other = (run.first, run.detector)[:: 1 if isinstance(chosen, First) else -1]
    assert own() == run.recipe() == chosen
    kind = type(chosen).__name__.lower()
    with pytest.raises(TrainingError, match=f"is a run of the recipe {kind}.*; expected a"):
        other()


def test_a_run_from_before_there_were_kinds_is_a_first(tmp_path):
    values = {**dataclasses.asdict(First()), "batch": 7}
    write_json(tmp_path / "recipe.json", values)
    assert Run(folder=tmp_path).first() == First(batch=7)
    (tmp_path / "state.ckpt").write_bytes(b"a leg")
    assert begin(tmp_path, First(batch=7), resume=True).folder == tmp_path


def test_another_kind_of_recipe_is_refused(tmp_path):
    begin(tmp_path, First(), resume=False).state.write_bytes(b"a leg")
    with pytest.raises(TrainingError, match="these fields differ: kind, name, version, batch"):
        begin(tmp_path, Detector(), resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_with_something_else_is_left_alone(tmp_path, resume):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(TrainingError, match="not empty and not a run"):
        begin(tmp_path, First(), resume)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_is_no_run_has_no_recipe(tmp_path):
    with pytest.raises(TrainingError, match=r"is not a training run.*facegauge train"):
        Run(folder=tmp_path / "nowhere").recipe()


def test_facts_replace_one_another(tmp_path):
    run = begin(tmp_path, First(), resume=False)
    run.write_facts({"legs": 1, "data": "Zoë"})
    run.write_facts({"legs": 2})
    assert run.facts() == {"legs": 2}
    assert not list(tmp_path.glob("*.draft"))


def test_a_writer_that_dies_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    write_json(path, {"legs": 1})
    monkeypatch.setattr(
        runs.json, "dumps", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        write_json(path, {"legs": 2})
    assert json.loads(path.read_text()) == {"legs": 1}


def test_names_of_files(tmp_path):
    run = Run(folder=tmp_path)
    names = [path.name for path in (run.weights, run.state, run.reference, run.targets)]
    assert names == ["model.safetensors", "state.ckpt", "reference.npz", "targets"]


def test_the_revision_is_that_of_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert revision() == ""
    as_someone = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    for command in (["init", "-q"], [*as_someone, "commit", "-q", "--allow-empty", "-m", "m"]):
        subprocess.run(["git", *command], check=True)
    clean = revision()
    assert len(clean) == 12
    assert int(clean, 16) >= 0
    (tmp_path / "new.txt").write_text("x")
    subprocess.run(["git", "add", "new.txt"], check=True)
    assert revision() == f"{clean}-dirty"


def test_without_git_there_is_no_revision(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert revision() == ""
