"""facegauge label through the command line: every technique, and what it says when it cannot."""

import csv
import hashlib
import json
import sys

import numpy as np
import pytest
from PIL import Image

from facegauge.tables import LANDMARK_COLUMNS, read_labels
from facegauge.techniques.catalogue import CONSTANTS
from toy_recognisers import SIZE, gemm_recogniser, make_people, toy_disturber

QUICK = {
    "ser-fiq": ["--set", "passes=5", "--set", "centre=.6"],
    "faceqan": ["--set", "copies=2", "--set", "steps=2"],
    "difiqa": ["--set", "repeats=2"],
}


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    return gemm_recogniser(tmp_path_factory.mktemp("recogniser") / "toy.onnx")


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Aligned pictures of toy people, and one that is broken."""
    make_people(tmp_path / "photos")
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words(technique, recogniser, *more) -> list:
    known = ["--images", "photos", "--recogniser", recogniser, "--out", "l.csv"]
    return ["label", technique, *known, *QUICK.get(technique, ()), *more]


MORE = {
    **{name: ["--identities", "who.csv"] for name in ("sdd-fiqa", "faceqnet", "cr-fiqa", "probe")},
    "difiqa": ["--diffusion", "run"],
}


@pytest.mark.parametrize("technique", list(CONSTANTS))
def test_every_technique_labels(work, console, recogniser, technique, monkeypatch):
    if technique == "difiqa":  # a run takes a training: see tests/train/test_diffusion.py
        labels = pytest.importorskip("facegauge.train.diffusion_labels")
        monkeypatch.setattr(labels, "disturber", lambda run, *given: toy_disturber(*given[:2]))
        (work / "run").mkdir()
        (work / "run" / "model.safetensors").write_bytes(b"weights")
    more = MORE.get(technique, [])
    done = console(*words(technique, recogniser, *more, "--aligned", "--seed", 3))
    assert done.code == 0, done.err
    assert done.out.strip() == "20 labels in l.csv, 1 left out"
    assert done.err.strip() == "broken.png: not an image in a supported format"
    labels = read_labels(work / "l.csv")
    assert len(labels) == 20
    assert len(set(labels.values())) > 5
    facts = json.loads((work / "l.json").read_text())
    assert (facts["technique"], facts["seed"]) == (technique, 3)
    weights = {"diffusion": hashlib.sha256(b"weights").hexdigest()}
    assert facts["sources"] == (weights if technique == "difiqa" else {})
    for setting in QUICK.get(technique, ())[1::2]:
        key, value = setting.split("=")
        assert facts["constants"][key] == float(value)


def test_labels_become_scores(work, console, recogniser, tiny):
    """What label writes, evaluate correlation takes."""
    assert console(*words("norm", recogniser, "--aligned")).code == 0
    scored = ("score", "photos", "--model", tiny, "--input", "aligned", "--out", "s.csv")
    assert console(*scored).code == 0
    options = ("--scores", "s.csv", "--labels", "l.csv", "--resamples", 0, "--out", "report")
    done = console("evaluate", "correlation", *options)
    assert done.code == 0, done.err


def test_faces_come_from_a_table_or_the_embedded_detector(work, console, recogniser, cells):
    points = np.array([(8, 8), (15, 8), (12, 12), (9, 17), (14, 17)], dtype=float).ravel()
    rows = [LANDMARK_COLUMNS, *((f"p0_{at}.png", *points) for at in range(4))]
    with (work / "marks.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    done = console(*words("norm", recogniser, "--landmarks", "marks.csv"))
    assert (done.code, done.out.strip()) == (0, "4 labels in l.csv, 17 left out")
    assert "p1_0.png: no landmarks in the table" in done.err
    facts = json.loads((work / "l.json").read_text())
    assert facts["faces"].startswith("landmarks ")
    for name in ("l.csv", "l.json"):
        (work / name).unlink()
    bright = np.full((64, 64, 3), 250, dtype=np.uint8)
    bright[::3] -= 90
    Image.fromarray(bright).save(work / "photos" / "bright.png")
    done = console(*words("norm", recogniser))
    assert done.code == 0, done.err
    assert "bright.png" in read_labels(work / "l.csv")
    assert "detector cells-1" in json.loads((work / "l.json").read_text())["faces"]


def test_a_killed_run_goes_on(work, console, recogniser, monkeypatch):
    from facegauge.techniques.norm import NormLabels

    command, calls = words("norm", recogniser, "--aligned", "--batch-size", 6), []
    assert console(*command).code == 0
    whole = (work / "l.csv").read_bytes()
    again = console(*command)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert console(*command, "--resume").out == "20 labels in l.csv, 0 left out\n"
    for name in ("l.csv", "l.json"):
        (work / name).unlink()
    measure = NormLabels.measure

    def killed(self, names, crops):
        calls.append(len(names))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(self, names, crops)

    monkeypatch.setattr(NormLabels, "measure", killed)
    assert console(*command).code == 130
    assert not (work / "l.csv").exists()
    assert console(*command).code == 2
    done = console(*command, "--resume")
    assert (done.code, (work / "l.csv").read_bytes()) == (0, whole)


def test_nothing_to_label_is_1(work, console, recogniser):
    (work / "empty").mkdir()
    Image.new("RGB", (SIZE, SIZE)).save(work / "empty" / "black.png")
    done = console(
        *("label", "norm", "--images", "empty", "--recogniser", recogniser),
        *("--out", "l.csv", "--aligned"),
    )
    assert done.code == 1
    assert "black.png: blank" in done.err
    assert not (work / "l.csv").exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("label nonesuch {known} --aligned", "one of: ser-fiq, faceqan, sdd-fiqa"),
        ("label sdd-fiqa {known} --aligned", "--identities"),
        ("label norm {known} --aligned --detector x", "Give one at most"),
        ("label norm {known} --aligned --set a=1", "no constants"),
        ("label ser-fiq {known} --aligned --set rate=2", "Correct --set"),
        ("label norm {known} --aligned --seed -1", "--seed"),
        ("label norm {known} --aligned --batch-size 0", "--batch-size"),
        ("label norm {known} --aligned --workers 0", "--workers"),
        ("label norm {known} --landmarks who.csv", "x_left_eye"),
        ("label norm {known} --identities none.csv --aligned", "none.csv"),
        ("label norm --images who.csv --recogniser {net} --out l.csv", "Correct --images"),
        ("label norm --images photos --recogniser {tiny} --out l.csv --aligned", "models wrap"),
        ("label norm --images photos --recogniser {net} --out l.txt --aligned", ".csv"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(work, console, recogniser, tiny, command, told):
    known = f"--images photos --recogniser {recogniser} --out l.csv"
    done = console(*command.format(known=known, net=recogniser, tiny=tiny).split())
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert not (work / "l.csv").exists()


def test_faceqan_without_torch_says_what_to_install(work, console, recogniser, monkeypatch):
    for name in [each for each in sys.modules if each.startswith("facegauge.train")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    done = console(*words("faceqan", recogniser, "--aligned"))
    assert done.code == 2
    assert "pip install 'facegauge[train]'" in " ".join(done.err.split())


def test_full_reference_degrades_and_labels_without_a_recogniser(work, console):
    pytest.importorskip("piq")
    settings = ["--set", "versions=1", "--set", "metrics=gmsd", "--set", "without=webp"]
    words = ["label", "full-reference", "--images", "photos", "--out", "d/spoiled.csv", *settings]
    small = console(*words)
    assert small.code == 1
    assert "48 are needed on both sides" in small.err
    assert not list((work / "d").iterdir())
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(work / "photos" / f"large{number}.png")
    done = console(*words)
    assert done.code == 0, done.err
    assert done.out.strip() == "3 labels in d/spoiled.csv, 21 left out"
    assert "broken.png: not an image in a supported format" in done.err
    with (work / "d" / "spoiled.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all((work / "d" / "spoiled" / row["path"]).is_file() for row in rows)
    assert not any("webp" in row["operation"] for row in rows)
    assert console(*words, "--resume").code == 0
    refused = console(*words)
    assert refused.code == 2
    assert "exists already" in refused.err


def test_full_reference_refuses_what_it_does_not_use(work, console):
    words = ["label", "full-reference", "--images", "photos", "--out", "l.csv"]
    done = console(*words, "--recogniser", "r.onnx", "--landmarks", "l.csv")
    assert done.code == 2
    assert "asks no recogniser, got --recogniser, --landmarks. Leave it out" in done.err


def test_other_techniques_need_a_recogniser(work, console):
    done = console("label", "norm", "--images", "photos", "--out", "l.csv")
    assert done.code == 2
    assert "norm asks a recogniser, got none. Pass --recogniser FILE" in done.err
