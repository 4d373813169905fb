"""The commands of curation through the command line."""

import csv
import json

import numpy as np
import pytest

from facegauge.embeddings import Embeddings
from facegauge.score_row import ScoreRow
from facegauge.score_table import open_scores, read_scores
from facegauge.values import Outcome

PEOPLE, EACH = 6, 5
FILES = {"table.md", "table.csv", "differences.csv", "results.json", "report.html"}


def score_table(path, seed: int, model: str = "m-1", shift: float = 0.0) -> None:
    rng = np.random.default_rng(seed)
    with open_scores(path, model=model) as table:
        for person in range(PEOPLE):
            for at in range(EACH):
                value = float(np.clip(rng.normal(50 + shift, 15), 0, 100))
                known = {"score": value, "raw": value / 100, "model": model}
                name = f"p{person}/{at}.png"
                table.append([ScoreRow(path=name, face=0, outcome=Outcome.SCORED, **known)])
        table.append([ScoreRow(path="broken.png", face=0, outcome=Outcome.UNREADABLE)])


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Score tables s.csv and t.csv, who is in them, embeddings and pictures; the folder."""
    monkeypatch.chdir(tmp_path)
    score_table(tmp_path / "s.csv", 0)
    score_table(tmp_path / "t.csv", 1, shift=25.0)
    score_table(tmp_path / "u.csv", 1, model="other-2")
    names = [f"p{person}/{at}.png" for person in range(PEOPLE) for at in range(EACH)]
    for kind in ("identity", "track"):
        rows = [["path", kind], *([name, name[:2]] for name in names)]
        with (tmp_path / f"{kind}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    (tmp_path / "strange.csv").write_text("path,identity\nphotos/p0/0.png,p0\n")
    points = np.random.default_rng(0).normal(size=(len(names), 3))
    Embeddings.normalised(names, points).save(tmp_path / "e.npz")
    Embeddings.normalised(names[:4], points[:4]).save(tmp_path / "few.npz")
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_text("a picture")
    return tmp_path


def test_select_keeps_the_best_of_each_person(work, console):
    options = ("--per", "identity", "--keep", 2, "--identities", "identity.csv")
    more = ("--reasons", "why.csv", "--link-to", "best", "--images", "photos")
    done = console("select", "--scores", "s.csv", *options, *more, "--out", "best.csv")
    assert (done.code, done.out) == (0, "")
    assert "31 rows; 12 kept; 1 without a score; 18 dropped by --keep" in done.err
    assert "6 of 6 identities have a face left" in done.err
    rows, all_rows = list(read_scores("best.csv")), list(read_scores("s.csv"))
    assert [row for row in all_rows if row in rows] == rows
    for person in range(PEOPLE):
        scores = sorted(row.score for row in all_rows if row.path.startswith(f"p{person}/"))
        assert {row.score for row in rows if row.path.startswith(f"p{person}/")} == set(scores[-2:])
    with (work / "why.csv").open(newline="") as file:
        reasons = [row["reason"] for row in csv.DictReader(file)]
    assert (reasons.count(""), reasons.count("keep"), reasons[-1]) == (12, 18, "no_score")
    assert sum(path.is_symlink() for path in (work / "best").rglob("*.png")) == 12


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("--discard 0.2", 25),
        ("--discard 0", 30),
        ("--min-score 0", 30),
        ("--keep 4", 4),
        ("--discard 0.2 --unscored", 26),
        ("--per track --keep 1 --tracks track.csv", 6),
        ("--per identity --discard 0.4 --identities identity.csv", 18),
        ("--apart -1 --embeddings e.npz", 1),
        ("--per track --apart -1 --embeddings e.npz --tracks track.csv", 6),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_select_by_every_rule(work, console, words, kept, suffix):
    done = console("select", "--scores", "s.csv", *words.split(), "--out", f"o{suffix}")
    assert done.code == 0, done.err
    assert f"31 rows; {kept} kept" in done.err
    assert sum(1 for _ in read_scores(f"o{suffix}")) == kept


def test_select_of_nothing_is_1_and_a_table_without_rows(work, console):
    done = console("select", "--scores", "s.csv", "--min-score", 101, "--out", "o.csv")
    assert done.code == 1
    assert "31 rows; 0 kept" in done.err
    assert list(read_scores("o.csv")) == []


def test_compare_writes_a_report(work, console):
    done = console("compare", "s.csv", "t.csv", "--names", "gate, desk", "--out", "report")
    assert done.code == 0, done.err
    assert {path.name for path in (work / "report").iterdir()} == FILES
    record = json.loads((work / "report" / "results.json").read_text())
    assert [each["name"] for each in record["sets"]] == ["gate", "desk"]
    [difference] = record["differences"]
    assert difference["scores_are"] == "higher"
    assert difference["higher_low"] > 0.5
    assert done.out.strip() == (work / "report" / "table.md").read_text().strip()


def test_compare_of_different_models_warns(work, console):
    refused = console("compare", "s.csv", "u.csv", "--out", "report")
    assert refused.code == 2
    assert "m-1, other-2" in " ".join(refused.err.split())
    assert not (work / "report").exists()
    done = console("compare", "s.csv", "u.csv", "--out", "report", "--different-models")
    assert done.code == 0
    for text in (done.err, done.out, (work / "report" / "report.html").read_text()):
        assert "by different models (m-1, other-2)" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("select --scores s.csv --out o.csv", "got none"),
        ("select --scores s.csv --out s.csv --keep 1", "exists already"),
        ("select --scores s.csv --out o.txt --keep 1", "three suffixes"),
        ("select --scores none.csv --out o.csv --keep 1", "none.csv"),
        ("select --scores identity.csv --out o.csv --keep 1", "needs the columns"),
        ("select --scores s.csv --out o.csv --keep 0", "1 or more"),
        ("select --scores s.csv --out o.csv --discard 1.5", "a share"),
        ("select --scores s.csv --out o.csv --keep 1 --per identity", "--identities with --per"),
        (
            "select --scores s.csv --out o.csv --keep 1 --identities identity.csv",
            "no table without --per",
        ),
        (
            "select --scores s.csv --out o.csv --keep 1 --per track --identities identity.csv",
            "--tracks with --per track, got --identities",
        ),
        (
            "select --scores s.csv --out o.csv --keep 1 --per identity --identities strange.csv",
            "relative to the same folder",
        ),
        (
            "select --scores s.csv --out o.csv --keep 1 --per identity --identities track.csv",
            "Add identity",
        ),
        ("select --scores s.csv --out o.csv --apart 0.5", "embeddings go together"),
        ("select --scores s.csv --out o.csv --keep 1 --embeddings e.npz", "go together"),
        ("select --scores s.csv --out o.csv --apart 0.5 --embeddings few.npz", "26 of them"),
        ("select --scores s.csv --out o.csv --keep 1 --link-to best", "--images go together"),
        ("select --scores s.csv --out o.csv --keep 1 --link-to photos --images photos", "empty"),
        ("select --scores s.csv --out photos/p0/0.png/o.csv --keep 1", "place to write"),
        ("compare s.csv --out o", "two score tables"),
        ("compare s.csv t.csv --names one --out o", "a name of its own"),
        ("compare s.csv t.csv --names one,one --out o", "a name of its own"),
        ("compare s.csv s.csv --out o", "a name of its own"),
        ("compare s.csv none.csv --out o", "none.csv"),
        ("compare s.csv t.csv --resamples -1 --out o", "0 resamples or more"),
        ("compare s.csv t.csv --out s.csv", "folder to write"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(work, console, words, told):
    before = {path.name for path in work.iterdir()}
    done = console(*words.split())
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert {path.name for path in work.iterdir()} == before
