"""The commands of evaluation through the command line, from pictures to reports."""

import csv
import json
import sys

import numpy as np
import pytest
from PIL import Image

from facegauge import embeddings
from facegauge.alignment import TEMPLATE
from facegauge.baking import wrap_recogniser
from facegauge.operating import read_operating
from facegauge.tables import LANDMARK_COLUMNS
from tiny_models import recogniser_file

PEOPLE, EACH = 8, 4
FILES = {"table.md", "table.csv", "results.json", "report.html"}
EDC_FILES = FILES | {"differences.csv", "operating.json"}


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recogniser")
    bare = recogniser_file(folder / "bare.onnx", size=48)
    wrap_recogniser(bare, "arcface", folder / "tiny.onnx", size=48)
    return folder / "tiny.onnx"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Pictures of 8 people, the tables about them, one picture that is broken; the folder."""
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    names = [f"{person}_{at}.png" for person in range(PEOPLE) for at in range(EACH)]
    for at, name in enumerate(names):
        pixels = 128 + (40 + 2 * at) * rng.uniform(-1, 1, (150, 150, 3))
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    points = (TEMPLATE + 15).ravel().tolist()
    rows = [[*LANDMARK_COLUMNS], *([name, *points] for name in names)]
    write(tmp_path / "l.csv", rows)
    write(tmp_path / "who.csv", [["path", "identity"], *([n, f"p{n[0]}"] for n in names)])
    write(tmp_path / "g.csv", [["path", "group"], *([n, f"g{int(n[0]) % 2}"] for n in names)])
    write(tmp_path / "labels.csv", [["path", "label"], *([n, at] for at, n in enumerate(names))])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, rows) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def measured(work, console, tiny, recogniser):
    """The folder with scores s.csv and embeddings r.npz."""
    scored = ("score", "photos", "--model", tiny, "--input", "crop", "--landmarks", "l.csv")
    assert console(*scored, "--out", "s.csv").code == 0
    found = console(
        "embed", "photos", "--recogniser", recogniser, "--landmarks", "l.csv", "--out", "r.npz"
    )
    assert found.code == 0
    assert "32 embeddings in r.npz, 1 left out" in found.out
    assert "broken.png: no landmarks in the table" in found.err
    return work


EDC = ("evaluate", "edc", "--scores", "s.csv", "--embeddings", "r.npz", "--fmr", "0.05")
QUICK = ("--resamples", "50")


def written(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_embed_of_aligned_crops(work, console, recogniser):
    done = console("embed", "photos", "--recogniser", recogniser, "--aligned", "--out", "a.npz")
    assert done.code == 0
    found = embeddings.read(work / "a.npz")
    assert len(found) == PEOPLE * EACH
    assert found.values.shape[1] == 16


def test_embed_asks_the_embedded_detector_by_default(work, console, recogniser, cells):
    done = console("embed", "photos", "--recogniser", recogniser, "--out", "d.npz")
    assert done.code == 0
    assert len(embeddings.read(work / "d.npz")) == PEOPLE * EACH


def test_embed_of_nothing_is_1_and_writes_nothing(work, console, recogniser):
    done = console(
        "embed", "photos/broken.png", "--recogniser", recogniser, "--aligned", "--out", "n.npz"
    )
    assert done.code == 1
    assert "broken.png" in done.err
    assert not (work / "n.npz").exists()


def test_edc_names_the_set(measured, console):
    done = console(*EDC, "--identities", "who.csv", *QUICK, "--name", "our gate", "--out", "named")
    assert done.code == 0, done.err
    [curve] = json.loads((measured / "named" / "results.json").read_text())
    [[table]] = read_operating(measured / "named" / "operating.json").values()
    assert (curve["set_name"], table.data) == ("our gate", "our gate")


def test_edc_compares_plain_scores_with_the_first_table(measured, console):
    with (measured / "s.csv").open(newline="") as handle:
        rows = [(row["path"], row["score"]) for row in csv.DictReader(handle)]
    lines = [f"{path},{-float(score)}" if score else f"{path}," for path, score in rows]
    (measured / "theirs.csv").write_text("path,score\n" + "\n".join(lines) + "\n")
    options = ("--identities", "who.csv", "--resamples", 30, "--scores", "theirs.csv")
    done = console(*EDC, *options, "--out", "both")
    assert done.code == 0, done.err
    curves = json.loads((measured / "both" / "results.json").read_text())
    assert [curve["method"] for curve in curves] == ["tiny-1", "theirs"]
    with (measured / "both" / "differences.csv").open(newline="") as handle:
        [row] = csv.DictReader(handle)
    assert (row["method"], row["reference"]) == ("theirs", "tiny-1")
    apart = curves[1]["pauc"] - curves[0]["pauc"]
    assert apart == pytest.approx(float(row["difference"]), abs=1e-9)


def test_edc_with_identities_groups_and_faces(measured, console):
    options = ("--identities", "who.csv", "--groups", "g.csv", "--images", "photos")
    done = console(*EDC, *options, *QUICK, "--out", "out")
    assert done.code == 0, done.err
    assert written(measured / "out") == EDC_FILES
    [[method, [table]]] = read_operating(measured / "out" / "operating.json").items()
    assert (method, table.recogniser, table.data) == ("tiny-1", "r", "who")
    assert table.points[0].discarded == table.failures / table.samples
    assert done.out.strip() == (measured / "out" / "table.md").read_text().strip()
    assert "| tiny-1 |" in done.out
    [curve] = json.loads((measured / "out" / "results.json").read_text())
    named = [curve[name] for name in ("method", "recogniser", "set_name", "preset", "fmr")]
    assert named == ["tiny-1", "r", "who", "difiqa", 0.05]
    assert curve["comparisons"] == PEOPLE * EACH * (EACH - 1) // 2
    assert curve["pauc_low"] <= curve["pauc"] <= curve["pauc_high"]
    page = (measured / "out" / "report.html").read_text()
    for words in ("data:image/jpeg", "Subgroups", "Operating table", "g0", "g1", "FNMR left"):
        assert words in page


def test_edc_compares_with_the_first_table(measured, console):
    (measured / "same.csv").write_bytes((measured / "s.csv").read_bytes())
    options = ("--scores", "same.csv", "--identities", "who.csv", *QUICK, "--out", "out")
    done = console(*EDC, *options)
    assert done.code == 0, done.err
    with (measured / "out" / "differences.csv").open() as file:
        [row] = csv.DictReader(file)
    assert (row["method"], row["reference"], row["method_is"]) == ("same", "s", "not told apart")
    assert [float(row[name]) for name in ("difference", "low", "high")] == [0.0, 0.0, 0.0]
    assert "## Difference to s" in done.out


def test_edc_with_pairs_and_two_methods(measured, console):
    names = embeddings.read("r.npz").paths
    pairs = [[a, b, int(a[0] == b[0])] for i, a in enumerate(names) for b in names[i + 1 :]]
    write(measured / "pairs.csv", [["path_a", "path_b", "mated"], *pairs])
    (measured / "other.csv").write_bytes((measured / "s.csv").read_bytes())
    options = ("--scores", "other.csv", "--pairs", "pairs.csv", "--resamples", "0")
    assert console(*EDC, *options, "--out", "by_pairs").code == 0
    by_pairs = json.loads((measured / "by_pairs" / "results.json").read_text())
    assert [each["method"] for each in by_pairs] == ["s", "other"]  # they share a model
    assert [each["pauc_low"] for each in by_pairs] == [None, None]
    options = ("--identities", "who.csv", "--resamples", "0")
    assert console(*EDC, *options, "--out", "by_people").code == 0
    [by_people] = json.loads((measured / "by_people" / "results.json").read_text())
    for name in ("threshold", "pauc", "discard", "error"):
        assert by_pairs[0][name] == pytest.approx(by_people[name], abs=1e-9)


@pytest.mark.parametrize("preset", ["fiqat", "crfiqa", "nist", "ofiq"])
def test_every_preset_runs_to_its_end(measured, console, preset):
    words = list(EDC[:-2]) + (["--fmr", "0.05"] if preset == "crfiqa" else [])
    options = ("--identities", "who.csv", "--preset", preset, *QUICK, "--out", "out")
    done = console(*words, *options)
    assert done.code == 0, done.err
    assert preset in done.out


def test_correlation(measured, console):
    options = ("--scores", "s.csv", "--labels", "labels.csv", *QUICK, "--out", "out")
    done = console("evaluate", "correlation", *options)
    assert done.code == 0, done.err
    assert written(measured / "out") == FILES
    found = json.loads((measured / "out" / "results.json").read_text())
    assert found["srcc"] > 0.9  # contrast is what the tiny model grades
    assert found["count"] == PEOPLE * EACH
    assert f"SRCC | {found['srcc']:.4f}" in done.out
    assert "data:image/png" in (measured / "out" / "report.html").read_text()


def test_correlation_without_scipy_says_what_to_install(measured, console, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    done = console(
        "evaluate", "correlation", "--scores", "s.csv", "--labels", "labels.csv", "--out", "out"
    )
    assert done.code == 2
    assert "pip install 'facegauge[evaluate]'" in " ".join(done.err.split())
    assert not (measured / "out").exists()


@pytest.mark.parametrize("curves", [False, True])
def test_alignment(measured, console, tiny, curves):
    words = ("--images", "photos", "--landmarks", "l.csv", "--model", tiny, "--repeats", "3")
    people = ("--identities", "who.csv", "--embeddings", "r.npz", *QUICK) if curves else ()
    fmr = ("--fmr", "0.05") if curves else ()
    done = console("evaluate", "alignment", *words, *people, *fmr, "--out", "out")
    assert done.code == 0, done.err
    assert written(measured / "out") == FILES
    found = json.loads((measured / "out" / "results.json").read_text())
    assert (found["images"], found["complete"], found["repeats"]) == (32, 32, 3)
    assert 0 < found["spread_median"] <= found["spread_95"]
    methods = [each["method"] for each in found["edc"]]
    differences = [(each["method"], each["reference"]) for each in found["differences"]]
    assert differences == ([("tiny-1 jittered", "tiny-1 clean")] if curves else [])
    assert methods == (["tiny-1 clean", "tiny-1 jittered"] if curves else [])
    draws = found["jittered_pauc"]
    assert {name: len(own) for name, own in draws.items()} == ({"r": 3} if curves else {})
    if curves:
        assert draws["r"][0] == pytest.approx(found["edc"][1]["pauc"], abs=1e-9)
        low, high = min(draws["r"]), max(draws["r"])
        assert f"| r | {sum(draws['r']) / 3:.3f} | {low:.3f} | {high:.3f} |" in done.out
    assert "Spread" in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("evaluate edc {edc}", "Give one of the two"),
        ("evaluate edc {edc} --identities who.csv --pairs who.csv", "got both"),
        ("evaluate edc {edc} --identities who.csv --preset best", "Choose one"),
        ("evaluate edc {edc} --identities who.csv --preset nist --fmr 0.1", "FNMR(0) 0.01"),
        ("evaluate edc {edc} --identities who.csv --discard 2", "a limit in (0, 1]"),
        ("evaluate edc {edc} --identities who.csv --scores s.csv", "differ in model or file name"),
        ("evaluate edc {edc} --identities who.csv --embeddings r.npz", "Rename one"),
        ("evaluate edc {edc} --identities who.csv --resamples -1", "0 resamples or more"),
        ("evaluate edc {edc} --identities l.csv", "path,identity"),
        ("evaluate edc {edc} --identities who.csv --groups l.csv", "path,group"),
        ("evaluate edc {edc} --identities who.csv", "FMR 0.001 needs at least 1000"),
        ("evaluate correlation --scores s.csv --labels who.csv --out o", "path,label"),
        ("evaluate correlation --scores none.csv --labels labels.csv --out o", "none.csv"),
        ("evaluate alignment {images} --identities who.csv", "Give both"),
        ("evaluate alignment {images} --jitter 0", "jitter above 0"),
        ("evaluate alignment {images} --repeats 1", "two repeats or more"),
        ("embed photos {net} --aligned --landmarks l.csv --out e.npz", "Give one at most"),
        ("embed photos {net} --aligned --out r.npz", "exists already"),
        ("embed photos --recogniser {tiny} --aligned --out e.npz", "models wrap"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(measured, console, tiny, recogniser, words, told):
    edc = "--scores s.csv --embeddings r.npz --out o"
    images = f"--images photos --landmarks l.csv --model {tiny} --out o"
    words = words.format(edc=edc, images=images, tiny=tiny, net=f"--recogniser {recogniser}")
    done = console(*words.split())
    assert done.code == 2
    assert told in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert not (measured / "o").exists()
