"""Degraded pictures and their labels: what is written, chance, resuming, splits, errors."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from facegauge.errors import InputError, MissingExtra, OptionError
from facegauge.tables import read_labels
from facegauge.train import full_reference
from facegauge.train.full_reference import FullReference, label_folder
from facegauge.train.full_reference_metrics import nearness
from same_run import Killed
from toy_faces import drawn

pytest.importorskip("piq")
QUICK = ("metrics=gmsd,ssim", "versions=2")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in") / "clean"
    folder.mkdir()
    for number in range(5):
        cv2.imwrite(str(folder / f"{number}.png"), drawn(f"face{number}", 0)[0][:, :, ::-1])
    (folder / "broken.png").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "small.png"), drawn("p", 0)[0][:40])
    cv2.imwrite(str(folder / "blank.png"), np.full((64, 64, 3), 77, np.uint8))
    return folder


@pytest.fixture(scope="module")
def done(clean, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "spoiled.csv"
    label_folder(clean, out, QUICK, seed=3)
    return out


def rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_degraded_picture_has_a_label_and_says_what_befell_it(done, clean):
    found = rows(done)
    assert list(found[0]) == ["path", "label", "operation", "severity", "doubt", "source"]
    assert len(found) == 10
    for row in found:
        picture = cv2.imread(str(done.with_suffix("") / row["path"]))
        assert picture.shape == cv2.imread(str(clean / row["source"])).shape
        assert row["path"].startswith(row["source"] + "_")
        kinds, severities = row["operation"].split("+"), row["severity"].split("+")
        words = [f"{k}{100 * float(s):02.0f}" for k, s in zip(kinds, severities, strict=True)]
        assert row["path"].endswith("_" + "+".join(words) + ".png")
    assert all(0 <= label <= 1 for label in read_labels(done).values())


def test_the_label_is_the_mean_of_ranks_of_each_measure(done, clean):
    """Another way: sort by each measure, count places."""
    found = rows(done)
    measured = np.array(
        [
            nearness(
                cv2.imread(str(clean / r["source"]))[..., ::-1],
                cv2.imread(str(done.with_suffix("") / r["path"]))[..., ::-1],
                ("gmsd", "ssim"),
            )
            for r in found
        ]
    )
    places = [[(column < value).sum() / 9 for value in column] for column in measured.T]
    labels = np.array([float(r["label"]) for r in found])
    np.testing.assert_allclose(labels, np.mean(places, axis=0), atol=1e-6)
    doubts = np.array([float(r["doubt"]) for r in found])
    np.testing.assert_allclose(doubts, np.std(places, axis=0), atol=1e-4)


def test_what_cannot_be_degraded_is_told(clean, tmp_path):
    labels = label_folder(clean, tmp_path / "s.csv", QUICK)
    told = {each.path: each.reason for each in labels.left_out}
    assert told.keys() == {"broken.png", "small.png", "blank.png"}
    assert "48 are needed" in told["small.png"]
    assert "blank" in told["blank.png"]


def test_the_facts_stand_beside(done):
    facts = json.loads(done.with_suffix(".json").read_text())
    assert facts["technique"] == "full-reference"
    assert facts["seed"] == 3
    assert facts["constants"]["metrics"] == ["gmsd", "ssim"]
    assert facts["labels"] == 10
    assert facts["piq"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(done, clean, tmp_path):
    label_folder(clean, tmp_path / "spoiled.csv", QUICK, seed=3)
    assert contents(tmp_path) == contents(done.parent)
    label_folder(clean, tmp_path / "other.csv", QUICK, seed=4)
    assert (tmp_path / "other.csv").read_bytes() != done.read_bytes()


@pytest.mark.parametrize("count", [0, 1, 5, 9])
def test_killed_and_resumed_it_is_the_same(done, clean, tmp_path, monkeypatch, count):
    calls = []

    def dying(*words):
        calls.append(words)
        if len(calls) > count:
            raise Killed
        return nearness(*words)

    with monkeypatch.context() as patch:
        patch.setattr(full_reference, "nearness", dying)
        with pytest.raises(Killed):
            label_folder(clean, tmp_path / "spoiled.csv", QUICK, seed=3)
    with pytest.raises(OptionError, match="--resume"):
        label_folder(clean, tmp_path / "spoiled.csv", QUICK, seed=3)
    label_folder(clean, tmp_path / "spoiled.csv", QUICK, seed=3, resume=True)
    assert contents(tmp_path) == contents(done.parent)


def test_sigkill_leaves_what_can_be_resumed(done, clean, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, str(clean), str(tmp_path / "spoiled.csv")]
    killed = subprocess.run(command, env=environment, timeout=120, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    label_folder(clean, tmp_path / "spoiled.csv", QUICK, seed=3, resume=True)
    assert contents(tmp_path) == contents(done.parent)


def test_a_finished_set_stays_as_it_is(done, clean, monkeypatch):
    before = contents(done.parent)
    monkeypatch.setattr(full_reference, "nearness", None)
    labels = label_folder(clean, done, QUICK, seed=3, resume=True)
    assert len(labels.paths) == 10
    assert contents(done.parent) == before
    with pytest.raises(OptionError, match="other seed"):
        label_folder(clean, done, QUICK, seed=4, resume=True)


def test_a_ladder_has_every_kind_alone_and_labels_fall(clean, tmp_path):
    out = tmp_path / "ladder.csv"
    label_folder(clean, out, ("ladder=3", "only=blur,noise", "metrics=gmsd", "clean=1"))
    found = rows(out)
    assert {row["operation"] for row in found} == {"", "blur", "noise"}
    assert len(found) == 5 * (1 + 2 * 3)
    for source in ("0.png", "1.png"):
        blurred = [r for r in found if r["source"] == source and r["operation"] == "blur"]
        labels = [float(r["label"]) for r in sorted(blurred, key=lambda r: r["severity"])]
        assert labels == sorted(labels, reverse=True)
        [whole] = [r for r in found if r["source"] == source and not r["operation"]]
        assert float(whole["label"]) > labels[0]
        same = cv2.imread(str(out.with_suffix("") / whole["path"]))
        np.testing.assert_array_equal(same, cv2.imread(str(clean / source)))


def test_people_and_splits_are_handed_on_and_test_people_left_alone(clean, tmp_path):
    table = tmp_path / "who.csv"
    table.write_text("path,identity,split\n0.png,a,train\n1.png,b,validation\n2.png,c,test\n")
    label_folder(clean, tmp_path / "s.csv", QUICK, identities=table)
    found = {(r["source"], r["identity"], r["split"]) for r in rows(tmp_path / "s.csv")}
    assert found == {("0.png", "a", "train"), ("1.png", "b", "validation")}
    label_folder(clean, tmp_path / "t.csv", (*QUICK, "splits=test"), identities=table)
    assert {r["source"] for r in rows(tmp_path / "t.csv")} == {"2.png"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("versions=-1", "versions and ladder"),
        ("versions=0", "something to make"),
        ("clean=2", "clean 0 or 1"),
        ("longest=10", "longest side"),
        ("without=fog", "kinds of degradation"),
        ("metrics=beauty", "measures, some of ssim"),
        ("metrics=", "measures.*got none"),
        ("colour=1", "known constant"),
    ],
)
def test_constants_that_make_no_sense_are_refused(clean, tmp_path, setting, message):
    with pytest.raises(OptionError, match=message):
        label_folder(clean, tmp_path / "s.csv", (setting,))
    assert not list(tmp_path.iterdir())


def test_places_that_do_not_do_are_refused(clean, tmp_path):
    with pytest.raises(OptionError, match="degraded again"):
        label_folder(clean, clean / "sub" / "s.csv", QUICK)
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "something.png").touch()
    with pytest.raises(OptionError, match="has something in it"):
        label_folder(clean, tmp_path / "s.csv", QUICK)


def test_one_picture_is_no_set(tmp_path):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), drawn("a", 0)[0])
    with pytest.raises(InputError, match="two or more"):
        label_folder(tmp_path / "in", tmp_path / "s.csv", ("versions=1", "metrics=gmsd"))


def test_without_piq_the_line_that_installs_it_is_told(clean, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "piq", None)
    with pytest.raises(MissingExtra, match=r"needs piq.*facegauge\[train\]"):
        label_folder(clean, tmp_path / "s.csv", QUICK)


def test_the_constants_of_the_defaults():
    assert FullReference().metrics == ("ssim", "vif", "haarpsi", "mdsi", "gmsd", "dss")
    assert FullReference().splits == ("train", "validation")


def dying_for_good(*words):
    _calls.append(words)
    if len(_calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return nearness(*words)


_calls: list = []
if __name__ == "__main__":
    full_reference.nearness = dying_for_good
    label_folder(Path(sys.argv[1]), Path(sys.argv[2]), QUICK, seed=3)
