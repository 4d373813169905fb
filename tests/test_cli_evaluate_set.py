"""A benchmark set through the command line: its tables, then the commands that it prints."""

import csv
import json
import shlex

import numpy as np
import pytest

from facegauge import embeddings
from facegauge.baking import wrap_recogniser
from facegauge.evaluate import benchmark
from facegauge.evaluate.pairs import read_pairs
from facegauge.evaluate.recognition import mated_pairs
from facegauge.evaluate.set_steps import RECOGNISER
from facegauge.score_table import read_scores
from facegauge.tables import read_identities
from tiny_models import recogniser_file
from toy_sets import adience, folder, ijb, insightface, lfw, table, xqlfw


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    place = tmp_path_factory.mktemp("recogniser")
    bare = recogniser_file(place / "bare.onnx", size=48)
    wrap_recogniser(bare, "arcface", place / "tiny.onnx", size=48)
    return place / "tiny.onnx"


@pytest.fixture
def go_on(console, tiny, recogniser, tmp_path, monkeypatch, cells):
    """Writes a set's tables to ``my tables``, and runs the commands printed; the last one's end."""

    def run(make):
        monkeypatch.chdir(tmp_path)
        place = make(tmp_path / "the set").relative_to(tmp_path)
        done = console("evaluate", "set", place, "--out", "my tables")
        assert done.code == 0, done.err
        score, embed, compare = done.out.split("Go on with:\n")[1].splitlines()
        quick = ("--fmr", "0.1", "--resamples", "0")
        for line, extra in ((score, ("--model", tiny)), (embed, ()), (compare, quick)):
            words = shlex.split(line.replace(RECOGNISER, str(recogniser)))[1:]
            done = console(*words, *extra)
            assert done.code == 0, done.err
        return done

    return run


def results(place) -> dict:
    [found] = json.loads((place / "results.json").read_text())
    return found


def column(file, name) -> set[str]:
    with file.open(newline="") as handle:
        return {row[name] for row in csv.DictReader(handle)}


@pytest.mark.parametrize("make", [lfw, xqlfw, insightface, adience, folder])
def test_from_a_set_to_a_report_by_the_commands_printed(go_on, tmp_path, make):
    done = go_on(make)
    out = tmp_path / "my tables"
    scored = {row.path for row in read_scores(out / "scores.csv")}
    found = embeddings.read(out / "embeddings.npz")
    for name in ("pairs.csv", "identities.csv", "groups.csv", "landmarks.csv"):
        if (out / name).exists():
            columns = ("path_a", "path_b") if name == "pairs.csv" else ("path",)
            named = set().union(*(column(out / name, each) for each in columns))
            assert named <= scored
            assert named >= set(found.paths) or make in (lfw, xqlfw)
    compared = results(out / "report")["comparisons"]
    if (out / "pairs.csv").exists():
        mated = read_pairs(out / "pairs.csv").pairs.mated
        assert compared == mated.sum()
    else:
        people = read_identities(out / "identities.csv")
        assert compared == len(mated_pairs([people[path] for path in found.paths]))
    page = (out / "report/report.html").read_text()
    assert "data:image/jpeg" in page
    assert ("fold 2" in page) is (make is adience)
    assert "| tiny-1 |" in done.out


def test_templates_are_pooled_before_they_are_compared(go_on, tmp_path):
    go_on(ijb)
    out = tmp_path / "my tables"
    found = results(out / "report")
    pairs = read_pairs(out / "pairs.csv")
    assert found["comparisons"] == pairs.pairs.mated.sum() == 6
    with (out / "templates.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    values = embeddings.read(out / "embeddings.npz")
    by_path = dict(zip(values.paths, np.float64(values.values), strict=True))
    pooled = {}
    for name in {row["template"] for row in rows}:
        media = {row["media"] for row in rows if row["template"] == name}
        own = [
            np.mean(
                [by_path[r["path"]] for r in rows if (r["template"], r["media"]) == (name, m)], 0
            )
            for m in media
        ]
        assert len(own) == 2
        pooled[name] = sum(own) / np.linalg.norm(sum(own))
    similar = [
        float(pooled[pairs.paths[a]] @ pooled[pairs.paths[b]])
        for a, b, mated in zip(
            pairs.pairs.first, pairs.pairs.second, pairs.pairs.mated, strict=True
        )
        if not mated
    ]
    passed = sum(value >= found["threshold"] - 1e-6 for value in similar)
    assert passed <= 0.1 * len(similar) + 1
    assert min(abs(value - found["threshold"]) for value in similar) < 1e-6


def test_templates_of_one_picture_are_the_pictures(go_on, console, tmp_path):
    go_on(lambda root: ijb(root, alone=True))
    out = tmp_path / "my tables"
    with (out / "templates.csv").open(newline="") as handle:
        names = {row["template"]: row["path"] for row in csv.DictReader(handle)}
    with (out / "pairs.csv").open(newline="") as handle:
        rows = [
            (names[r["path_a"]], names[r["path_b"]], r["mated"]) for r in csv.DictReader(handle)
        ]
    table(out / "plain.csv", ("path_a", "path_b", "mated"), *rows)
    files = ("--scores", out / "scores.csv", "--embeddings", out / "embeddings.npz")
    options = ("--pairs", out / "plain.csv", "--fmr", "0.1", "--resamples", "0")
    done = console("evaluate", "edc", *files, *options, "--out", out / "plain")
    assert done.code == 0, done.err
    plain, of_templates = results(out / "plain"), results(out / "report")
    assert (plain.pop("set_name"), of_templates.pop("set_name")) == ("plain", "ijbc")
    assert plain.pop("threshold") == pytest.approx(of_templates.pop("threshold"), abs=1e-6)
    assert plain == of_templates
    assert plain["errors"] > 0


@pytest.mark.parametrize("layout", ["insightface", None])
def test_a_set_is_counted(console, tmp_path, layout):
    words = () if layout is None else ("--layout", layout)
    done = console("evaluate", "set", insightface(tmp_path), "--out", tmp_path / "out", *words)
    assert done.code == 0
    assert "24 pictures, 24 pairs (12 mated, 12 non-mated)" in done.out
    assert f"pictures in {tmp_path / 'out/pictures'} (new)" in done.out
    assert "pairs.csv" in done.out


def test_the_pictures_may_be_elsewhere(console, tmp_path):
    place = folder(tmp_path / "set")
    (tmp_path / "tables").mkdir()
    (place / "identities.csv").rename(tmp_path / "tables/identities.csv")
    words = ("evaluate", "set", tmp_path / "tables", "--out", tmp_path / "out")
    assert console(*words).code == 2
    assert not (tmp_path / "out").exists()
    done = console(*words, "--images", place)
    assert done.code == 0, done.err
    assert f"facegauge score {place} --out" in done.out
    assert benchmark.open(tmp_path / "tables", images=place).landmarks is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("set {lfw} --out used", "new or empty folder, and used has something in it"),
        ("set nowhere --out used", "new or empty folder"),  # said before a set is read
        ("set {lfw} --out used/mine.txt", "new or empty folder"),
        ("set {lfw} --out o --layout megaface", "layout must be one of lfw, xqlfw"),
        ("set {lfw} --out o --layout ijb", "Expected the layout ijb"),
        ("set {lfw}/P0 --out o", "Known layouts"),
        ("edc {edc} --templates t.csv", "--pairs or from --identities"),
        ("edc {edc} --templates t.csv --identities i.csv", "got --identities"),
        ("edc {edc} --templates t.csv --pairs p.csv --images used", "got --images"),
        ("edc {edc} --templates i.csv --pairs p.csv", "columns path,template,media in i.csv"),
        ("edc {edc} --templates t.csv --pairs q.csv", "the first 'a.png'"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(console, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    place = lfw(tmp_path / "set")
    (tmp_path / "used").mkdir()
    (tmp_path / "used/mine.txt").write_text("mine")
    table(tmp_path / "t.csv", ("path", "template", "media"), ("a.png", 1, 1), ("b.png", 2, 1))
    table(tmp_path / "i.csv", ("path", "identity"), ("a.png", "A"))
    table(tmp_path / "p.csv", ("path_a", "path_b", "mated"), (1, 2, 1))
    table(tmp_path / "q.csv", ("path_a", "path_b", "mated"), ("a.png", 2, 1))
    edc = "--scores s.csv --embeddings e.npz --out o"
    done = console("evaluate", *words.format(lfw=place, edc=edc).split())
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert not (tmp_path / "o").exists()
    assert (tmp_path / "used/mine.txt").read_text() == "mine"
